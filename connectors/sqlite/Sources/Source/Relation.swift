internal import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

/// A table, view or query to read, and how its rows are to be ordered.
internal struct Relation {
    internal let name: String
    internal let topic: String
    internal let source: String
    internal let columns: [String]?
    /// The key's columns, in the key's order.
    internal let keyNames: [String]
    /// Columns that are never null.
    internal let required: Set<String>
    internal let order: [OrderTerm]
    internal let strategy: ReadStrategy
    /// Whether an index gives the order, so that rows may be read in short transactions.
    internal let isPaged: Bool

    /// The key's name in the table of positions, and in messages.
    internal static let queryName = "query"

    /// Describes the query of the settings.
    internal init(query: String, _ settings: SourceSettings) {
        name = Self.queryName
        topic = settings.tables.topic ?? ""
        columns = nil
        keyNames = []
        required = []
        isPaged = false
        order = settings.tables.modeTerms(
            incrementing: settings.tables.incrementingColumn,
            SQLText.quote
        )
        strategy = order.isEmpty ? .sequence : .groups
        source = order.isEmpty ? query : "(\(query))"
    }

    /// Describes a table or view.
    internal init(
        _ table: TableDescription,
        _ settings: SourceSettings,
        in database: borrowing SQLiteHandle
    ) throws(ConnectorError) {
        name = table.name
        topic = settings.tables.topic(ofTable: table.name)
        source = SQLText.quote(table.name)
        columns = table.columns.map(\.name)
        keyNames = table.keyColumns.map(\.name)
        let rowID = table.rowIDName
        required = Set(
            table.columns.filter { column in
                column.isNotNull || column.name == table.rowIDColumn?.name
                    || (table.isWithoutRowID && column.keyPosition > 0)
            }.map(\.name)
        )
        let incrementing = settings.tables.incrementingColumn ?? rowID
        if settings.tables.mode.usesIncrementing, incrementing == nil {
            throw .invalid(
                "incrementing.column.name",
                "\(table.name) has no row id, so a column must be named."
            )
        }
        let required = self.required
        try settings.tables.checkModeColumns(
            of: table.name,
            table.columns.map(\.name)
        ) { name in
            table.column(name).map { !table.isView && !required.contains($0.name) }
        }
        var order = settings.tables.modeTerms(incrementing: incrementing, SQLText.quote)
        // What makes rows different that share a value of the mode's columns.
        let unique = rowID.map { [$0] } ?? (table.isWithoutRowID ? keyNames : [])
        for column in unique where !order.contains(where: { $0.name == column }) {
            order.append(
                OrderTerm(
                    name: column,
                    sql: SQLText.quote(column),
                    column: column,
                    isModeColumn: false
                )
            )
        }
        self.order = order
        strategy = order.isEmpty ? .sequence : unique.isEmpty ? .groups : .keyset
        let isIndexed = try Self.isIndexed(order, rowID, table, database, settings)
        isPaged = !unique.isEmpty && isIndexed
    }

    private static func isIndexed(
        _ order: [OrderTerm],
        _ rowID: String?,
        _ table: TableDescription,
        _ database: borrowing SQLiteHandle,
        _ settings: SourceSettings
    ) throws(ConnectorError) -> Bool {
        guard let first = order.first else { return false }
        if first.name == rowID || !first.isModeColumn { return true }
        do throws(SQLiteFailure) {
            let statement = try database.prepare(
                "SELECT 1 FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i "
                    + "WHERE NOT l.partial AND i.seqno = 0 AND i.name = ?2 COLLATE NOCASE"
            )
            try statement.bind(1, table.name)
            try statement.bind(2, first.name)
            return try statement.step()
        } catch {
            throw .sqlite(error, "look at table \(table.name)", path: settings.path)
        }
    }
}

// MARK: - SQL

extension Relation {
    /// Where a statement begins to read.
    internal enum Start: Equatable {
        case beginning
        /// At the first order value that is at least the parameter.
        case from
        /// Behind the row whose order values are the parameters.
        case after
    }

    /// The statement that reads on; its parameters are the start's, then the upper bound of the
    /// first order value, then the limit.
    internal func select(_ start: Start, isBounded: Bool) -> String {
        if strategy == .sequence {
            guard let columns else { return source }
            return "SELECT \(SQLText.quote(columns)) FROM \(source)"
        }
        let terms = order.map(\.sql).joined(separator: ", ")
        let values = columns.map(SQLText.quote) ?? "q.*"
        var sql = "SELECT \(values), \(terms) FROM \(source)"
        if columns == nil { sql += " AS q" }
        var conditions = order.filter(\.isModeColumn).map { "\($0.sql) IS NOT NULL" }
        var parameters = 0
        switch start {
        case .beginning: break
        case .from:
            conditions.append("\(order[0].sql) >= ?1")
            parameters = 1
        case .after:
            parameters = order.count
            let places = (1...parameters).map { "?\($0)" }.joined(separator: ", ")
            conditions.append(
                parameters == 1 ? "\(terms) > ?1" : "(\(terms)) > (\(places))"
            )
        }
        if isBounded {
            parameters += 1
            conditions.append("\(order[0].sql) < ?\(parameters)")
        }
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        sql += " ORDER BY \(terms)"
        if isPaged { sql += " LIMIT ?\(parameters + 1)" }
        return sql
    }

    /// The greatest first order value, to see how instants are written.
    internal var latest: String {
        let first = order[0].sql
        return "SELECT \(first) FROM \(source) WHERE \(first) IS NOT NULL ORDER BY 1 DESC LIMIT 1"
    }
}
