internal import CSQLiteShim
public import ConnectorSDK
public import SQLiteClient
public import TableMapping

/// How records of one pair of schemas become rows of one table.
///
/// Made once and used while the schemas' identity and the table's columns stay the same.
public final class WritePlan {
    /// A column that is written.
    internal struct Column {
        internal var name: String
        internal var binding: mr_column
        internal var isKey: Bool
        internal var hasDefault: Bool
        internal var origin: CellOrigin
    }

    /// A field of the value that the table has no place for.
    public struct Stranger {
        /// The field.
        public var item: FieldMapping.Item
        /// Whether a column of that name exists and computes its value itself.
        public var isGenerated: Bool
    }

    /// Which fields are written.
    public let fields: FieldMapping
    /// Where to.
    public let table: TableDescription
    /// In which order.
    public let planner: BatchPlanner
    private let mode: TableSinkSettings.InsertMode
    /// The key's columns first.
    private let columns: [Column]
    /// The fields that have no column.
    public let strangers: [Stranger]
    /// Whether no row is refused whose values are all certain
    /// (``BatchTableHandle/isCertain(_:for:)``), so that nothing need be undone.
    public let isCertain: Bool
    private var statements: [Int: RunStatement] = [:]
    private var generation = 0

    /// Plans for a table as it is now.
    ///
    /// - Throws: an error of the configuration, when the table lacks the key's columns.
    public init(
        table: TableDescription,
        fields: FieldMapping,
        mode: TableSinkSettings.InsertMode
    ) throws(ConnectorError) {
        self.table = table
        self.mode = mode
        self.fields = fields
        var columns: [Column] = []
        var strangers: [Stranger] = []
        for item in fields.items {
            guard let target = table.column(item.name), !target.isGenerated else {
                guard !item.isKey else { throw Self.noKeyColumn(item.name, table.name) }
                let isGenerated = table.column(item.name) != nil
                strangers.append(Stranger(item: item, isGenerated: isGenerated))
                continue
            }
            let isRowID = table.rowIDColumn?.name == target.name
            columns.append(Self.column(item, target, isRowID: isRowID))
        }
        self.columns = columns
        self.strangers = strangers
        let optional = columns.filter { column in
            // An insert without the field takes the column's default, which is null for most.
            !column.isKey && (mode != .insert || column.hasDefault)
        }
        isCertain = Self.isCertain(columns, table, mode)
        planner = BatchPlanner(
            key: Self.keyColumns(columns, table),
            optional: optional.compactMap(\.valueColumn),
            mayReorder: Self.toleratesReordering(columns, table)
        )
    }

    private static func isCertain(
        _ columns: [Column],
        _ table: TableDescription,
        _ mode: TableSinkSettings.InsertMode
    ) -> Bool {
        let written = Set(columns.map { SQLiteName.fold($0.name) })
        let isFilled = table.columns.allSatisfy { column in
            !column.isNotNull || column.hasDefault || written.contains(SQLiteName.fold(column.name))
        }
        return mode == .upsert && table.isPlain && isFilled
            && toleratesReordering(columns, table)
    }

    /// Where each column's cells come from, and what the column does to them.
    internal var bindings: [mr_column] { columns.map(\.binding) }

    /// Whether nothing in the table can tell in which order rows of different keys are written.
    private static func toleratesReordering(
        _ columns: [Column],
        _ table: TableDescription
    ) -> Bool {
        let keys = Set(columns.filter(\.isKey).map { SQLiteName.fold($0.name) })
        return !keys.isEmpty && !table.hasTriggers && table.otherUniqueIndexes == 0
            && Set(table.keyColumns.map { SQLiteName.fold($0.name) }) == keys
    }

    private static func keyColumns(
        _ columns: [Column],
        _ table: TableDescription
    ) -> [BatchPlanner.KeyColumn] {
        columns.filter(\.isKey).map { column in
            let affinity = Int(column.binding.target) & 15
            var comparable: CellTags = affinity == MR_TARGET_REAL ? [] : CellTags(.int)
            if table.keyIsBinary, affinity == MR_TARGET_ANY || affinity == MR_TARGET_TEXT {
                comparable.insert(CellTags(.string))
            }
            return BatchPlanner.KeyColumn(column.origin, comparable: comparable)
        }
    }

    private static func column(
        _ item: FieldMapping.Item,
        _ target: TableDescription.Column,
        isRowID: Bool
    ) -> Column {
        let affinity: Int =
            switch target.affinity {
            case .none: MR_TARGET_ANY
            case .text: MR_TARGET_TEXT
            case .integer, .numeric: MR_TARGET_NUMERIC
            case .real: MR_TARGET_REAL
            }
        var flags = affinity
        if item.isKey { flags |= MR_TARGET_IS_KEY }
        if isRowID { flags |= MR_TARGET_ROW_ID }
        if target.isNotNull { flags |= MR_TARGET_NOT_NULL }
        let (source, cell) = Self.place(item.origin)
        return Column(
            name: target.name,
            binding: mr_column(
                cell: Int32(truncatingIfNeeded: cell),
                source: UInt8(truncatingIfNeeded: source),
                target: UInt8(truncatingIfNeeded: flags),
                reserved: 0
            ),
            isKey: item.isKey,
            hasDefault: target.hasDefault,
            origin: item.origin
        )
    }

    private static func place(_ origin: CellOrigin) -> (source: Int, cell: Int) {
        switch origin {
        case .value(let column): (MR_FROM_VALUE, column)
        case .key(let column): (MR_FROM_KEY, column)
        case .topic: (MR_FROM_TOPIC, 0)
        case .partition: (MR_FROM_PARTITION, 0)
        case .offset: (MR_FROM_OFFSET, 0)
        }
    }

    private static func noKeyColumn(_ name: String, _ table: String) -> ConnectorError {
        .invalid(
            "pk.fields",
            "The table \(table) has no column \(name) that could be written as part of its key.",
            hint: "Name the table's key columns, or let the sink create the table."
        )
    }

    private var key: [Column] { columns.filter(\.isKey) }

    /// The statement for rows of a set, compiled once.
    ///
    /// With `isCertain` a row that is refused after all leaves those before it in the table.
    public func statement(
        for run: BatchPlanner.Run,
        isCertain: Bool,
        _ batches: BatchTableHandle,
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> RunStatement {
        if generation != planner.generation {
            generation = planner.generation
            statements.removeAll()
        }
        let number = run.isDelete ? -1 : run.set * 2 + (isCertain ? 1 : 0)
        if let known = statements[number] { return known }
        let made =
            if run.isDelete {
                try makeDelete(database)
            } else if mode == .update {
                try makeUpdate(columns(of: run), database)
            } else {
                try makeInsert(columns(of: run), isCertain ? "FAIL" : "ABORT", batches, database)
            }
        statements[number] = made
        return made
    }

    private func columns(of run: BatchPlanner.Run) -> [Column] {
        let absent = planner.absentSets[run.set]
        guard !absent.isEmpty else { return columns }
        return columns.filter { column in
            column.isKey || column.valueColumn.map { !absent.contains($0) } ?? true
        }
    }
}

extension WritePlan.Column {
    /// The column of the value it comes from, or `nil`.
    fileprivate var valueColumn: Int? {
        guard case .value(let column) = origin else { return nil }
        return column
    }
}

// MARK: - SQL

extension WritePlan {
    private var target: String { SQLText.quote(table.name) }

    /// `OR FAIL` spares SQLite from keeping what the statement changes, to be undone should a row
    /// be refused; it is for rows that cannot be.
    ///
    /// Both it and `OR ABORT` override conflict clauses of the table's own, such as `ON CONFLICT IGNORE`,
    /// which would drop a record in silence. (D6)
    private func makeInsert(
        _ columns: [Column],
        _ conflict: String,
        _ batches: BatchTableHandle,
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> RunStatement {
        guard !columns.isEmpty else {
            let sql = "INSERT OR \(conflict) INTO \(target) DEFAULT VALUES"
            return RunStatement(try database.prepare(sql), columns: [], isSetBased: false)
        }
        let source = try batches.tableName(columns: columns.count)
        let cells = columns.indices.map { "c\($0)" }.joined(separator: ", ")
        var sql = "INSERT OR \(conflict) INTO \(target) (\(SQLText.quote(columns.map(\.name)))) "
        sql += "SELECT \(cells) FROM \(source)"
        if mode == .upsert {
            // WHERE true tells the parser that ON begins no join. Never OR REPLACE: it would
            // delete the row, and with it what other columns hold.
            let changes = columns.filter { !$0.isKey }.map { column in
                let name = SQLText.quote(column.name)
                return "\(name) = excluded.\(name)"
            }
            sql += " WHERE true ON CONFLICT (\(SQLText.quote(key.map(\.name)))) DO "
            sql +=
                changes.isEmpty
                ? "NOTHING" : "UPDATE SET " + changes.joined(separator: ", ")
        }
        return RunStatement(try database.prepare(sql), columns: columns, isSetBased: true)
    }

    private func makeUpdate(
        _ columns: [Column],
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> RunStatement {
        let numbered = columns.enumerated().map { (number: $0 + 1, column: $1) }
        let changed =
            numbered.contains { !$0.column.isKey }
            ? numbered.filter {
                !$0.column.isKey
            } : numbered
        let changes = changed.map { "\(SQLText.quote($0.column.name)) = ?\($0.number)" }
        let sql =
            "UPDATE OR ABORT \(target) SET \(changes.joined(separator: ", ")) "
            + "WHERE \(condition(numbered.filter(\.column.isKey)))"
        return RunStatement(
            try database.prepare(sql),
            columns: columns,
            isSetBased: false,
            mustChange: true
        )
    }

    private func makeDelete(
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> RunStatement {
        let numbered = key.enumerated().map { (number: $0 + 1, column: $1) }
        let sql = "DELETE FROM \(target) WHERE \(condition(numbered))"
        return RunStatement(try database.prepare(sql), columns: key, isSetBased: false)
    }

    private func condition(_ columns: [(number: Int, column: Column)]) -> String {
        columns.map { "\(SQLText.quote($0.column.name)) = ?\($0.number)" }
            .joined(separator: " AND ")
    }
}
