public import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

extension SQLiteSource {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try SourceSettings(configuration)
        let database: SourceDatabase
        do throws(ConnectorError) {
            database = try SourceDatabase(settings)
        } catch {
            return [PreflightCheck("database", failed: error)]
        }
        var checks = [
            PreflightCheck("database", .passed, "\(settings.path) can be read.", at: "path")
        ]
        do throws(ConnectorError) {
            let names = try database.selectedNames()
            // Each is looked at as the first read does.
            for name in names { _ = try database.relation(name) }
            if let query = settings.tables.query {
                _ = try database.prepare(query, for: Relation.queryName)
            }
            checks.append(tables(names, settings))
        } catch {
            checks.append(PreflightCheck("tables", failed: error))
        }
        return checks
    }

    private static func tables(_ names: [String], _ settings: SourceSettings) -> PreflightCheck {
        if settings.tables.query != nil {
            return PreflightCheck("query", .passed, "It is read.", at: "query")
        }
        guard !names.isEmpty else {
            return PreflightCheck(
                "tables",
                .warning,
                "No table of \(settings.path) is to be read.",
                at: "table.include.list",
                hint: "The patterns must match whole names, such as `orders|order_.*`."
            )
        }
        let shown = names.prefix(5).joined(separator: ", ")
        return PreflightCheck(
            "tables",
            .passed,
            "\(names.count) to read: \(shown)\(names.count > 5 ? ", …" : "").",
            at: "table.include.list"
        )
    }
}
