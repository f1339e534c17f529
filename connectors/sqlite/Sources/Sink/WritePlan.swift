internal import CSQLiteShim
internal import ConnectorSDK
internal import SQLiteClient

/// How records of one pair of schemas become rows of one table.
///
/// Made once and used while the schemas' identity and the table's columns stay the same.
internal final class WritePlan {
    /// A column that is written.
    internal struct Column {
        internal var name: String
        internal var binding: mr_column
        internal var isKey: Bool
        internal var hasDefault: Bool

        /// The cell of the value it comes from, or `nil`.
        internal var valueCell: Int? {
            Int(binding.source) == MR_FROM_VALUE ? Int(binding.cell) : nil
        }
    }

    /// A field of the value that the table has no place for.
    internal struct Stranger {
        internal var cell: Int
        internal var field: Field
        internal var name: String
        /// Whether a column of that name exists and computes its value itself.
        internal var isGenerated: Bool
    }

    internal let schema: Schema
    internal let keySchema: Schema?
    internal let table: TableDescription
    internal let mode: SinkSettings.InsertMode
    /// The key's columns first.
    internal let columns: [Column]
    internal let strangers: [Stranger]
    /// The columns for which an absent field is not the same as null.
    internal let optional: [Column]
    /// For each set of absent fields seen, the columns that are left; the first has all.
    internal private(set) var sets: [[Column]]
    private var statements: [Int: RunStatement] = [:]

    internal init(
        table: TableDescription,
        fields: FieldMapping,
        mode: SinkSettings.InsertMode
    ) throws(ConnectorError) {
        self.table = table
        self.mode = mode
        schema = fields.schema
        keySchema = fields.keySchema
        var columns: [Column] = []
        var strangers: [Stranger] = []
        for item in fields.items {
            guard let target = table.column(item.name), !target.isGenerated else {
                guard !item.isKey else { throw Self.noKeyColumn(item.name, table.name) }
                let isGenerated = table.column(item.name) != nil
                strangers.append(
                    Stranger(
                        cell: item.cell,
                        field: item.field,
                        name: item.name,
                        isGenerated: isGenerated
                    )
                )
                continue
            }
            columns.append(Self.column(item, target))
        }
        self.columns = columns
        self.strangers = strangers
        optional = columns.filter { column in
            // An insert without the field takes the column's default, which is null for most.
            !column.isKey && column.valueCell != nil && (mode != .insert || column.hasDefault)
        }
        sets = [columns]
    }

    private static func column(_ item: FieldMapping.Item, _ target: TableDescription.Column)
        -> Column
    {
        let affinity: Int =
            switch target.affinity {
            case .none: MR_TARGET_ANY
            case .text: MR_TARGET_TEXT
            case .integer, .numeric: MR_TARGET_NUMERIC
            case .real: MR_TARGET_REAL
            }
        let flags = item.isKey ? affinity | MR_TARGET_IS_KEY : affinity
        return Column(
            name: target.name,
            binding: mr_column(
                cell: Int32(truncatingIfNeeded: item.cell),
                source: item.source,
                target: UInt8(truncatingIfNeeded: flags),
                reserved: 0
            ),
            isKey: item.isKey,
            hasDefault: target.hasDefault
        )
    }

    private static func noKeyColumn(_ name: String, _ table: String) -> ConnectorError {
        .invalid(
            "pk.fields",
            "The table \(table) has no column \(name) that could be written as part of its key.",
            hint: "Name the table's key columns, or let the sink create the table."
        )
    }

    /// The columns of the key.
    internal var key: [Column] { columns.filter(\.isKey) }

    /// Notes that rows lack some of ``optional``, and returns the number of what is left.
    internal func addSet(lacking isAbsent: (Int) -> Bool) -> Int {
        let absent = Set(optional.indices.filter(isAbsent).map { optional[$0].name })
        sets.append(columns.filter { !absent.contains($0.name) })
        return sets.count - 1
    }

    /// Forgets sets of absent fields, so that they do not pile up.
    internal func forgetSets() {
        statements.removeAll()
        sets.removeSubrange(1...)
    }

    /// The statement for rows of a set, compiled once.
    internal func statement(
        for run: RunPlan.Run,
        _ batches: BatchTableHandle,
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> RunStatement {
        let number = run.isDelete ? -1 : run.set
        if let known = statements[number] { return known }
        let made =
            if run.isDelete {
                try makeDelete(database)
            } else if mode == .update {
                try makeUpdate(sets[run.set], database)
            } else {
                try makeInsert(sets[run.set], batches, database)
            }
        statements[number] = made
        return made
    }
}

// MARK: - SQL

extension WritePlan {
    private var target: String { SQLText.quote(table.name) }

    /// `OR ABORT` overrides conflict clauses of the table's own, such as `ON CONFLICT IGNORE`,
    /// which would drop a record in silence. (D6)
    private func makeInsert(
        _ columns: [Column],
        _ batches: BatchTableHandle,
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> RunStatement {
        guard !columns.isEmpty else {
            let sql = "INSERT OR ABORT INTO \(target) DEFAULT VALUES"
            return RunStatement(try database.prepare(sql), columns: [], isSetBased: false)
        }
        let source = try batches.tableName(columns: columns.count)
        let cells = columns.indices.map { "c\($0)" }.joined(separator: ", ")
        var sql = "INSERT OR ABORT INTO \(target) (\(SQLText.quote(columns.map(\.name)))) "
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
