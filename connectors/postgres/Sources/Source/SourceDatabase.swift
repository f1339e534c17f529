internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// The source's connection, which only reads.
internal final class SourceDatabase {
    internal let settings: SourceSettings
    internal let connection: PostgresConnection
    private var types = TypeMapper()

    internal init(_ settings: SourceSettings) throws(ConnectorError) {
        self.settings = settings
        do throws(PostgresFailure) {
            connection = try PostgresConnection(settings.connection)
        } catch {
            throw .postgres(connecting: error, settings.connection)
        }
        // Rows without a key are recognised after a restart by their order.
        try run("prepare the session") { connection throws(PostgresFailure) in
            _ = try connection.execute(
                "SET synchronize_seqscans TO off; SET default_transaction_read_only TO on"
            )
        }
        try checkStandby()
    }

    /// Does something on the connection; `action` completes "Cannot …".
    internal func run<Result>(
        _ action: @autoclosure () -> String,
        _ body: (PostgresConnection) throws(PostgresFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(PostgresFailure) {
            return try body(connection)
        } catch {
            if settings.tables.query != nil, error.state.classCode == "42" {
                throw .invalid("query", "PostgreSQL refuses the query: \(error.message).")
            }
            throw .postgres(error, action())
        }
    }

    /// A standby does not show which transactions of its primary have not written yet.
    private func checkStandby() throws(ConnectorError) {
        let isExact = settings.horizon == .transactions || settings.horizon == .writers
        guard settings.tables.mode != .bulk, isExact else { return }
        let isStandby = try run("ask for the server's state") {
            connection throws(PostgresFailure) in
            try connection.query("SELECT pg_is_in_recovery()").bool(0, 0) ?? false
        }
        guard isStandby else { return }
        throw .invalid(
            SourceSettings.horizonKey.declaration.name,
            "The server is a standby, which does not show all transactions of its primary, so rows "
                + "might be missed.",
            hint: "Read from the primary, or set it to snapshot: then only rows are missed whose "
                + "transaction took its value long before it first wrote."
        )
    }

    /// The tables and views to be read, in the order of their names.
    internal func selected() throws(ConnectorError) -> [PostgresCatalog.Entry] {
        let entries = try run("list the tables") { connection throws(PostgresFailure) in
            try PostgresCatalog(connection).entries()
        }
        return entries.filter {
            settings.tables.tables.contains($0.fullName, isByDefault: $0.isTable)
        }
    }

    /// A table as it is now.
    internal func relation(_ entry: PostgresCatalog.Entry) throws(ConnectorError) -> Relation {
        let table = try run("look at the table \(entry.fullName)") {
            connection throws(PostgresFailure) in
            try PostgresCatalog(connection).describe(entry)
        }
        guard let table else {
            throw ConnectorError(
                .init("postgres.no_table"),
                .failTask,
                "The table \(entry.fullName) is gone.",
                hint: "Leave it out with table.exclude.list."
            )
        }
        return try Relation(table, settings)
    }

    /// What the values of a column are in records.
    internal func type(_ column: PostgresTable.Column) throws(ConnectorError) -> ColumnType {
        var types = types
        let type = try run("look at the type of the column \(column.name)") {
            connection throws(PostgresFailure) in
            try types.type(column.type, modifier: column.modifier, on: connection)
        }
        self.types = types
        return type
    }

    /// The columns that a statement gives.
    internal func columns(of relation: Relation) throws(ConnectorError)
        -> [PostgresTable.Column]
    {
        if let columns = relation.columns { return columns }
        let columns = try run("read \(relation.name)") { connection throws(PostgresFailure) in
            try connection.query("SELECT * FROM \(relation.source) LIMIT 0").columns
        }
        var found: [PostgresTable.Column] = []
        for column in columns {
            guard !found.contains(where: { $0.name == column.name }) else {
                throw .invalid(
                    "query",
                    "Two columns are named \(column.name).",
                    hint: "Name one of them otherwise with AS."
                )
            }
            found.append(
                .init(
                    name: column.name,
                    type: column.type,
                    modifier: column.modifier,
                    isNotNull: false
                )
            )
        }
        return found
    }
}
