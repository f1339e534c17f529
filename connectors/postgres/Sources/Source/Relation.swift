internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// A table, view or query to read, and how its rows are to be ordered.
internal struct Relation {
    /// As patterns, positions and messages have it.
    internal let name: String
    internal let topic: String
    /// The table's oid; `nil` for a query.
    internal let table: UInt32?
    /// What stands behind FROM, under the name `r`.
    internal let source: String
    /// The columns of a table; `nil` for a query, whose columns its result tells.
    internal let columns: [PostgresTable.Column]?
    /// The key's columns, in the key's order.
    internal let keyNames: [String]
    internal let order: [OrderTerm]
    internal let strategy: ReadStrategy

    /// The query's name in the table of positions, and in messages.
    internal static let queryName = "query"

    /// Describes the query of the settings.
    internal init(query: String, _ settings: SourceSettings) {
        name = Self.queryName
        topic = settings.tables.topic ?? ""
        table = nil
        columns = nil
        keyNames = []
        order = settings.tables.modeTerms(
            incrementing: settings.tables.incrementingColumn,
            Self.column
        )
        strategy = order.isEmpty ? .sequence : .groups
        source = "(\(query)) AS r"
    }

    /// Describes a table or view.
    internal init(
        _ table: PostgresTable,
        _ settings: SourceSettings
    ) throws(ConnectorError) {
        name = table.fullName
        topic = settings.tables.topic(ofTable: table.fullName)
        self.table = table.oid
        source = "\(table.sql) AS r"
        columns = table.columns
        keyNames = table.key
        let incrementing = settings.tables.incrementingColumn ?? table.identity
        if settings.tables.mode.usesIncrementing, incrementing == nil {
            throw .invalid(
                "incrementing.column.name",
                "\(table.fullName) has no column whose values come from a sequence, so one must be "
                    + "named."
            )
        }
        try settings.tables.checkModeColumns(
            of: table.fullName,
            table.columns.map(\.name)
        ) { name in
            table.columns.first { $0.name == name }.map { table.isPlainTable && !$0.isNotNull }
        }
        var order = settings.tables.modeTerms(incrementing: incrementing, Self.column)
        // What makes rows different that share a value of the mode's columns.
        for column in table.key where !order.contains(where: { $0.name == column }) {
            order.append(
                OrderTerm(
                    name: column,
                    sql: Self.column(column),
                    column: column,
                    isModeColumn: false
                )
            )
        }
        self.order = order
        strategy = order.isEmpty ? .sequence : table.key.isEmpty ? .groups : .keyset
    }

    /// A column of the source, which no column of the result can be taken for.
    internal static func column(_ name: String) -> String { "r." + SQLText.identifier(name) }
}

// MARK: - SQL

extension Relation {
    /// What limits the rows of a round.
    internal struct Bounds {
        /// The order values of the last row that was read; empty before the first.
        internal var after: [String] = []
        /// The least value of the first term, before anything was read.
        internal var from: String?
        /// The greatest value of the first term.
        internal var through: String?
    }

    /// The rows behind a position and up to a bound, in order.
    internal func select(_ list: [String], _ bounds: Bounds) -> String {
        let sql = "SELECT \(list.joined(separator: ", ")) FROM \(source)"
        guard strategy != .sequence else { return sql }
        let conditions = self.conditions(bounds)
        let rows = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return sql + rows + " ORDER BY \(order.map(\.sql).joined(separator: ", "))"
    }

    private func conditions(_ bounds: Bounds) -> [String] {
        var conditions = order.filter(\.isModeColumn).map { "\($0.sql) IS NOT NULL" }
        // A group is read whole, so it is enough to compare what groups have in common.
        let terms = order.prefix(bounds.after.count).map(\.sql).joined(separator: ", ")
        let values = bounds.after.map(SQLText.literal).joined(separator: ", ")
        switch bounds.after.count {
        case 0:
            if let from = bounds.from {
                conditions.append("\(order[0].sql) >= \(SQLText.literal(from))")
            }
        case 1: conditions.append("\(terms) > \(values)")
        default: conditions.append("(\(terms)) > (\(values))")
        }
        if let through = bounds.through {
            conditions.append("\(order[0].sql) <= \(SQLText.literal(through))")
        }
        return conditions
    }

    /// The greatest value of the first term, as text; with `below` only of values below it.
    internal func latest(below limit: String?) -> String {
        let first = order[0].sql
        let condition = limit.map { " AND \(first) < \($0)" } ?? ""
        return "SELECT (\(first))::text FROM \(source) WHERE \(first) IS NOT NULL\(condition) "
            + "ORDER BY \(first) DESC LIMIT 1"
    }
}
