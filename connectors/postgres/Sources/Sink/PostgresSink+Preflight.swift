public import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

extension PostgresSink {
    /// Looks whether the server can be reached and takes writes, and whether the sink may use its
    /// tables.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try SinkSettings(configuration)
        let connection: PostgresConnection
        do throws(PostgresFailure) {
            connection = try PostgresConnection(settings.connection)
        } catch {
            let cause = ConnectorError.postgres(connecting: error, settings.connection)
            return [PreflightCheck("connection", failed: cause)]
        }
        let version = connection.parameterStatus("server_version") ?? ""
        let reached = PreflightCheck(
            "connection",
            .passed,
            "PostgreSQL \(version) answers.",
            at: "url"
        )
        do throws(PostgresFailure) {
            return [reached] + (try SinkPreflight(settings, connection).checks())
        } catch {
            return [
                reached,
                PreflightCheck("privileges", failed: .postgres(error, "look at privileges")),
            ]
        }
    }
}

/// Asks the server what the sink may do.
private struct SinkPreflight {
    let settings: SinkSettings
    let connection: PostgresConnection

    init(_ settings: SinkSettings, _ connection: PostgresConnection) {
        self.settings = settings
        self.connection = connection
    }

    func checks() throws(PostgresFailure) -> [PreflightCheck] {
        [try writable(), try temporary(), try offsets(), try table()].compactMap { $0 }
    }

    private func holds(
        _ condition: String,
        _ parameters: [PostgresParameter] = []
    ) throws(PostgresFailure) -> Bool {
        try connection.query("SELECT \(condition)", parameters).bool(0, 0) ?? false
    }

    private func writable() throws(PostgresFailure) -> PreflightCheck {
        let isReadOnly = try holds(
            "pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool"
        )
        guard isReadOnly else {
            return PreflightCheck("server", .passed, "The server takes writes.", at: "url")
        }
        return PreflightCheck(
            "server",
            .failed,
            "The server is a standby, or the user's transactions are read-only.",
            at: "url",
            hint: "Connect to the primary; with several hosts add target_session_attrs=read-write."
        )
    }

    /// Upserts, updates and deletions go by way of a temporary table.
    private func temporary() throws(PostgresFailure) -> PreflightCheck? {
        guard settings.tables.insertMode != .insert || settings.tables.deletes else { return nil }
        guard try !holds("has_database_privilege(current_database(), 'TEMPORARY')") else {
            return nil
        }
        return PreflightCheck(
            "temporary tables",
            .failed,
            "The user may not create temporary tables, which insert.mode "
                + "\(settings.tables.insertMode.rawValue) needs.",
            at: "insert.mode",
            hint: "GRANT TEMPORARY ON DATABASE \(SQLText.quote(connection.database)) to the user."
        )
    }

    private func offsets() throws(PostgresFailure) -> PreflightCheck {
        let name = settings.offsets
        let exists = try holds("to_regclass($1) IS NOT NULL", [.text(name.quoted)])
        let mayUse =
            exists
            ? try holds(
                "has_table_privilege(to_regclass($1), 'SELECT') "
                    + "AND has_table_privilege(to_regclass($1), 'INSERT') "
                    + "AND has_table_privilege(to_regclass($1), 'UPDATE')",
                [.text(name.quoted)]
            ) : try mayCreate(in: name.schema)
        if mayUse {
            let state = exists ? "is there" : "can be created"
            return PreflightCheck("offsets", .passed, "The table \(name.text) \(state).")
        }
        return PreflightCheck(
            "offsets",
            .failed,
            exists
                ? "The user may not read and write the table \(name.text)."
                : "The user may not create the table \(name.text).",
            at: "offsets.table.name",
            hint: exists
                ? "GRANT SELECT, INSERT, UPDATE ON \(name.quoted) to the user."
                : "GRANT USAGE, CREATE ON SCHEMA to the user, or name a table in another schema."
        )
    }

    private func mayCreate(in schema: String?) throws(PostgresFailure) -> Bool {
        try holds(
            "coalesce(has_schema_privilege(coalesce($1, current_schema()), 'CREATE') "
                + "AND has_schema_privilege(coalesce($1, current_schema()), 'USAGE'), false)",
            [schema.map { .text($0) } ?? .null]
        )
    }

    /// The table whose name no record has a part in; others are not known yet.
    private func table() throws(PostgresFailure) -> PreflightCheck? {
        guard !settings.tables.createsTables, let name = settings.onlyTable else { return nil }
        guard try !holds("to_regclass($1) IS NOT NULL", [.text(name.quoted)]) else { return nil }
        return PreflightCheck(
            "table",
            .failed,
            "There is no table \(name.text), and auto.create is off.",
            at: "table.name.format",
            hint: "Create it, or set auto.create."
        )
    }
}
