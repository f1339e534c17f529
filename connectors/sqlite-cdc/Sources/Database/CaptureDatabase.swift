internal import ConnectorSDK
internal import FileSystem
internal import SQLiteClient
internal import SQLiteTables

/// The connector's one connection to the database, which reads, and writes only what is its own.
///
/// Everything goes through one connection, so that `PRAGMA data_version` tells what others did.
internal final class CaptureDatabase {
    let path: String
    let handle: SQLiteHandle
    private let dataVersion: SQLiteStatement
    private let schemaVersion: SQLiteStatement
    private let hasLog: Bool
    private let inode: UInt64?
    private let device: UInt64?

    init(
        _ settings: CDCSettings,
        mode: SQLiteHandle.Mode = .readWrite
    ) throws(ConnectorError) {
        path = settings.path
        let file = try? FileInformation.of(settings.path)
        inode = file?.inode
        device = file?.device
        do throws(SQLiteFailure) {
            handle = try SQLiteHandle(
                path: settings.path,
                mode: mode,
                busyTimeout: settings.busyTimeout
            )
            try handle.execute("SELECT 1 FROM sqlite_schema")
            dataVersion = try handle.prepare("PRAGMA data_version")
            schemaVersion = try handle.prepare("PRAGMA schema_version")
            try handle.execute("PRAGMA trusted_schema = ON")
            try handle.execute("PRAGMA synchronous = FULL")
            let journal = try handle.prepare("PRAGMA journal_mode")
            hasLog = try journal.step() && journal.string(0) == "wal"
        } catch {
            throw .sqlite(error, "open the database \(settings.path)", path: settings.path)
        }
    }

    /// Whether a commit waits for the disk.
    ///
    /// Where there is a write-ahead log, one that may be done
    /// again need not, and keeps writers waiting for less.
    var waitsForDisk = true {
        didSet {
            guard hasLog, waitsForDisk != oldValue else { return }
            try? handle.execute("PRAGMA synchronous = \(waitsForDisk ? "FULL" : "NORMAL")")
        }
    }

    /// Makes sure that the path still leads to the file that was opened: in one that was moved away
    /// or replaced by a copy nothing would ever change again.
    func checkFile() throws(ConnectorError) {
        let file: FileInformation?
        do throws(FileSystemError) {
            file = try FileInformation.of(path)
        } catch {
            throw error.connectorError
        }
        guard let file else { throw .changedBeneath(path, "it is no longer there") }
        guard file.inode == inode, file.device == device else {
            throw .changedBeneath(path, "another file took its place")
        }
    }

    /// Does something with the connection, and says what a failure means.
    func attempt<Result>(
        _ action: String,
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            throw .sqlite(error, action, path: path)
        }
    }

    /// A number that changes when another connection has committed something.
    func readDataVersion() throws(SQLiteFailure) -> Int64 { try Self.number(dataVersion) }

    /// A number that changes with the definition of any table.
    func readSchemaVersion() throws(SQLiteFailure) -> Int64 { try Self.number(schemaVersion) }

    private static func number(_ statement: SQLiteStatement) throws(SQLiteFailure) -> Int64 {
        defer { statement.reset() }
        return try statement.step() ? statement.int64(0) : 0
    }

    /// The first value of the first row of a query, as a number; `nil` for null and for no row.
    func number(_ sql: String) throws(SQLiteFailure) -> Int64? {
        let statement = try handle.prepare(sql)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return statement.int64(0)
    }

    /// Reads from one state of the database.
    ///
    /// Others may write meanwhile, but in a database without a write-ahead log they cannot commit,
    /// so it has to be short.
    func reading<Result>(
        _ body: () throws(ConnectorError) -> Result
    ) throws(ConnectorError) -> Result {
        try transaction("BEGIN", body) { failure in
            .sqlite(failure, "read \(path)", path: path)
        }
    }

    /// Writes as the only writer; all of it or nothing.
    func writing<Result>(
        _ body: () throws(ConnectorError) -> Result
    ) throws(ConnectorError) -> Result {
        try transaction("BEGIN IMMEDIATE", body) { failure in
            .sqlite(failure, "write to \(path)", path: path)
        }
    }

    private func transaction<Result, Failure: Error>(
        _ begin: String,
        _ body: () throws(Failure) -> Result,
        failure: (SQLiteFailure) -> Failure
    ) throws(Failure) -> Result {
        do throws(SQLiteFailure) {
            try handle.execute(begin)
        } catch {
            throw failure(error)
        }
        do throws(Failure) {
            let result = try body()
            do throws(SQLiteFailure) {
                try handle.execute("COMMIT")
            } catch let problem {
                throw failure(problem)
            }
            return result
        } catch {
            if handle.isInTransaction { try? handle.execute("ROLLBACK") }
            throw error
        }
    }
}
