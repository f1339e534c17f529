internal import ConnectorSDK
internal import PostgresRecords
internal import TableMapping

/// How records of one pair of schemas become rows of one table.
///
/// Made once and used while the schemas' identity and the table's columns stay the same.
internal final class WritePlan {
    /// A field of the value that the table has no place for.
    internal struct Stranger {
        internal var item: FieldMapping.Item
        /// Whether a column of that name exists and computes its value itself.
        internal var isGenerated: Bool
    }

    /// A column that is written.
    internal struct Column {
        internal var item: FieldMapping.Item
        internal var target: TargetTable.Column
        internal var name: String { target.name }
    }

    internal let fields: FieldMapping
    internal let table: TargetTable
    internal let mode: TableSinkSettings.InsertMode
    internal let planner: BatchPlanner
    internal let strangers: [Stranger]
    /// The key's columns first.
    internal let columns: [Column]
    private var shapes: [Int: RunShape] = [:]
    private var generation = 0

    internal init(
        table: TargetTable,
        fields: FieldMapping,
        mode: TableSinkSettings.InsertMode
    ) throws(ConnectorError) {
        self.table = table
        self.fields = fields
        self.mode = mode
        var columns: [Column] = []
        var strangers: [Stranger] = []
        for item in fields.items {
            guard let target = table.column(item.name), !target.isGenerated else {
                guard !item.isKey else { throw Self.noKeyColumn(item.name, table.name) }
                let isGenerated = table.column(item.name) != nil
                strangers.append(Stranger(item: item, isGenerated: isGenerated))
                continue
            }
            columns.append(Column(item: item, target: target))
        }
        self.columns = columns
        self.strangers = strangers
        let keyNames = Set(columns.filter(\.item.isKey).map(\.name))
        if mode == .upsert, !table.uniqueIndexes.contains(where: { Set($0) == keyNames }) {
            throw Self.noUniqueIndex(keyNames, table.name)
        }
        let optional = columns.filter { column in
            // An insert without the field takes the column's default, which is null for most.
            !column.item.isKey && (mode != .insert || column.target.hasDefault)
        }
        planner = BatchPlanner(
            key: columns.filter(\.item.isKey).map(Self.keyColumn),
            optional: optional.compactMap(\.item.valueColumn),
            mayReorder: Self.toleratesReordering(keyNames, table),
            duplicates: mode == .insert ? .keep : .supersede
        )
    }

    /// Whether nothing in the table can tell in which order rows of different keys are written.
    private static func toleratesReordering(_ keys: Set<String>, _ table: TargetTable) -> Bool {
        !keys.isEmpty && !table.hasTriggers && !table.hasForeignKeys
            && table.uniqueIndexes.allSatisfy { Set($0) == keys }
    }

    /// The types of cells of which different bits are different keys, and only these.
    private static func keyColumn(_ column: Column) -> BatchPlanner.KeyColumn {
        let type = column.target.type
        let comparable: CellTags =
            switch type.kind {
            case .int2, .int4, .int8, .oid: CellTags(.int)
            case .numeric: CellTags(.int)
            case .date: CellTags(.date)
            case .timestamp: CellTags(.localTimestamp)
            case .timestamptz: CellTags(.timestamp)
            // A fixed length compares without the blanks at the end.
            case .text where !column.target.isCollatedLoosely && !type.isPadded:
                CellTags(.string, .int)
            default: []
            }
        return BatchPlanner.KeyColumn(column.item.origin, comparable: comparable)
    }

    private static func noKeyColumn(_ name: String, _ table: TableName) -> ConnectorError {
        .invalid(
            "pk.fields",
            "The table \(table.text) has no column \(name) that could be written as part of its "
                + "key.",
            hint: "Name the table's key columns, or let the sink create the table."
        )
    }

    private static func noUniqueIndex(
        _ keys: Set<String>,
        _ table: TableName
    ) -> ConnectorError {
        .invalid(
            "pk.fields",
            "The table \(table.text) has no primary key or unique index of exactly the key's "
                + "fields: \(keys.sorted().joined(separator: ", ")).",
            hint: "Create one, name the fields of one in pk.fields, or set insert.mode insert."
        )
    }

    /// What rows of a run have in common; worked out once for each set of fields.
    internal func shape(of run: BatchPlanner.Run) -> RunShape {
        if generation != planner.generation {
            generation = planner.generation
            shapes.removeAll()
        }
        let number = run.isDelete ? -1 : run.set
        if let known = shapes[number] { return known }
        let kind: RunShape.Kind =
            run.isDelete ? .delete : mode == .insert ? .copy : mode == .upsert ? .upsert : .update
        let shape = RunShape(kind, table, columns(of: run))
        shapes[number] = shape
        return shape
    }

    private func columns(of run: BatchPlanner.Run) -> [Column] {
        if run.isDelete { return columns.filter(\.item.isKey) }
        let absent = planner.absentSets[run.set]
        guard !absent.isEmpty else { return columns }
        return columns.filter { column in
            column.item.isKey || column.item.valueColumn.map { !absent.contains($0) } ?? true
        }
    }
}

extension ColumnType {
    /// Whether values are filled up with blanks that do not count.
    fileprivate var isPadded: Bool {
        nativeType?.hasPrefix("postgres.character(") ?? false
            || nativeType == "postgres.bpchar"
    }
}
