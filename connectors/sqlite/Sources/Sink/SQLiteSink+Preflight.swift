public import ConnectorSDK
internal import FileSystem
internal import Glibc
internal import SQLiteClient
internal import SQLiteTables

extension SQLiteSink {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try SinkSettings(configuration)
        let directory = FileSystem.directory(of: settings.path)
        var checks = DirectoryPreflight(directory, key: "path").checks
        if access(settings.path, F_OK) == 0 { checks.append(file(settings)) }
        if settings.journalMode == .wal,
            case .network(let kind)? = try? FileSystemRoom.of(directory).kind
        {
            checks.append(
                PreflightCheck(
                    "file system",
                    .warning,
                    "\(directory) is on \(kind), where a write-ahead log needs shared memory that "
                        + "may not work.",
                    at: "journal.mode",
                    hint: "Set journal.mode to delete, or use a local disk."
                )
            )
        }
        return checks
    }

    private static func file(_ settings: SinkSettings) -> PreflightCheck {
        guard access(settings.path, W_OK) == 0 else {
            let error = FileSystemError("write", settings.path, errno).connectorError
            return PreflightCheck("database", .failed, error.message, at: "path")
        }
        do throws(SQLiteFailure) {
            let handle = try SQLiteHandle(
                path: settings.path,
                mode: .readOnly,
                busyTimeout: .seconds(2)
            )
            try handle.execute("SELECT 1 FROM sqlite_schema")
        } catch {
            let action = "open the database \(settings.path)"
            return PreflightCheck(
                "database",
                failed: .sqlite(error, action, path: settings.path)
            )
        }
        return PreflightCheck("database", .passed, "\(settings.path) is one.", at: "path")
    }
}
