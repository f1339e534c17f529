public import ConnectorSDK
internal import FileSystem
internal import Glibc
internal import SQLiteClient
internal import SQLiteTables

extension SQLiteCDCSource {
    /// What is named at most in one message.
    private static let examples = 5

    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try CDCSettings(configuration)
        let database: CaptureDatabase
        do throws(ConnectorError) {
            database = try CaptureDatabase(settings, mode: .readOnly)
        } catch {
            return [PreflightCheck("database", failed: error)]
        }
        var checks = [
            PreflightCheck("database", .passed, "\(settings.path) can be read.", at: "path"),
            writeAccess(settings.path),
        ]
        do throws(ConnectorError) {
            checks.append(try capture(database, settings, context))
            checks += try tables(database, settings)
        } catch {
            checks.append(PreflightCheck("tables", failed: error))
        }
        return checks
    }

    /// Triggers and the log are written to the database itself.
    private static func writeAccess(_ path: String) -> PreflightCheck {
        for place in [path, FileSystem.directory(of: path)] where access(place, W_OK) != 0 {
            let error = FileSystemError("write to", place, errno).connectorError
            return PreflightCheck(
                "write access",
                .failed,
                error.message,
                at: "path",
                hint: "Triggers note the changes in the database; its file and directory must be "
                    + "writable."
            )
        }
        return PreflightCheck("write access", .passed, "\(path) can be written to.", at: "path")
    }

    /// What an earlier run, or another connector, has left in the database.
    private static func capture(
        _ database: CaptureDatabase,
        _ settings: CDCSettings,
        _ context: ConnectorContext
    ) throws(ConnectorError) -> PreflightCheck {
        let registry = Registry(database, settings.names)
        let subject = "capture"
        let found = try database.attempt("look at what is installed") {
            () throws(SQLiteFailure) -> (format: Int64, state: Registry.State?, waiting: Int64)? in
            guard try registry.exists else { return nil }
            let waiting = try database.number(
                "SELECT count(*) FROM \(ObjectNames.quote(settings.names.log))"
            )
            return (try registry.storedFormat, try registry.state, waiting ?? 0)
        }
        guard let found else {
            return PreflightCheck(subject, .passed, "No triggers are installed yet.")
        }
        if found.format > Registry.format {
            return PreflightCheck(subject, failed: .newerFormat(database.path, found.format))
        }
        if let owner = found.state?.owner, owner != context.name {
            return PreflightCheck(subject, failed: .belongs(to: owner, database.path))
        }
        return PreflightCheck(
            subject,
            .passed,
            "Triggers are installed; the log holds \(found.waiting) changes."
        )
    }

    private static func tables(
        _ database: CaptureDatabase,
        _ settings: CDCSettings
    ) throws(ConnectorError) -> [PreflightCheck] {
        let (captured, refused) = try database.attempt("look at the tables") {
            () throws(SQLiteFailure) -> ([String], [(name: String, problem: String)]) in
            var captured: [String] = []
            var refused: [(name: String, problem: String)] = []
            for name in try Reconciliation.tables(in: database) where settings.includes(name) {
                guard let table = try TableDefinition(name, in: database.handle) else { continue }
                if let problem = Reconciliation.problem(table) {
                    refused.append((name, problem))
                } else {
                    captured.append(name)
                }
            }
            return (captured, refused)
        }
        let checks = refused.map { table in
            PreflightCheck(
                "tables",
                .warning,
                "\(table.name) cannot be captured: \(table.problem).",
                at: "table.exclude.list"
            )
        }
        guard !captured.isEmpty else {
            let none = PreflightCheck(
                "tables",
                .warning,
                "No table of \(settings.path) is captured at present.",
                at: "table.include.list",
                hint: "The patterns must match whole names, such as `orders|order_.*`."
            )
            return [none] + checks
        }
        let shown = captured.prefix(examples).joined(separator: ", ")
        let more = captured.count > examples ? ", …" : ""
        let message = "\(captured.count) to capture: \(shown)\(more)."
        return [PreflightCheck("tables", .passed, message, at: "table.include.list")] + checks
    }
}
