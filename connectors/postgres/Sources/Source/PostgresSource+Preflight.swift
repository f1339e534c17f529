public import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

extension PostgresSource {
    /// Looks whether the server can be reached, and whether the tables may be read.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try SourceSettings(configuration)
        let database: SourceDatabase
        do throws(ConnectorError) {
            database = try SourceDatabase(settings)
        } catch {
            return [PreflightCheck("connection", failed: error)]
        }
        let version = database.connection.parameterStatus("server_version") ?? ""
        var checks = [
            PreflightCheck("connection", .passed, "PostgreSQL \(version) answers.", at: "url")
        ]
        guard settings.tables.query == nil else { return checks }
        var readable = 0
        for entry in try database.selected() {
            let isReadable = try database.run("look at the table \(entry.fullName)") {
                connection throws(PostgresFailure) in
                try connection.query(
                    "SELECT has_schema_privilege($1, 'USAGE') "
                        + "AND has_table_privilege($2::oid, 'SELECT')",
                    [.text(entry.schema), .text(String(entry.oid))]
                ).bool(0, 0) ?? false
            }
            if isReadable { readable += 1 } else { checks.append(unreadable(entry)) }
        }
        checks.append(
            PreflightCheck(
                "tables",
                readable > 0 ? .passed : .warning,
                "\(readable) table(s) can be read.",
                at: "table.include.list"
            )
        )
        return checks
    }

    private static func unreadable(_ entry: PostgresCatalog.Entry) -> PreflightCheck {
        let table = SQLText.identifier(schema: entry.schema, entry.name)
        return PreflightCheck(
            "read access",
            .failed,
            "The user may not read the table \(entry.fullName).",
            hint: "GRANT USAGE ON SCHEMA \(SQLText.identifier(entry.schema)) and "
                + "GRANT SELECT ON \(table) to the user, or leave it out."
        )
    }
}
