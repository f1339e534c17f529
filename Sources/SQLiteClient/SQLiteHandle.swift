internal import CSQLite
internal import CSQLiteShim

/// One connection to a database, closed when it goes out of scope.
///
/// It has no lock of its own: one thread uses it at a time. Only ``interrupt()`` may be called from
/// another one. Statements keep the connection alive until the last of them is gone.
@safe
public struct SQLiteHandle: ~Copyable {
    /// How a database is opened.
    public enum Mode: Sendable {
        /// For reading; the file must exist.
        case readOnly
        /// For reading and writing; the file must exist.
        case readWrite
        /// For reading and writing; the file is made when it does not exist.
        case create
    }

    /// The connection itself, for C code that extends it; valid as long as this value.
    public let pointer: OpaquePointer

    /// Opens a database; `:memory:` makes one that is gone when it is closed.
    ///
    /// Calls wait for another connection's lock for up to `busyTimeout`, then fail.
    public init(
        path: String,
        mode: Mode,
        busyTimeout: Duration = .seconds(5)
    ) throws(SQLiteFailure) {
        _ = Self.libraryConfiguration
        let access =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened else {
            throw SQLiteFailure(code: code, message: String(cString: sqlite3_errstr(code)))
        }
        guard code == SQLITE_OK else {
            let message = String(cString: sqlite3_errmsg(opened))
            sqlite3_close_v2(opened)
            throw SQLiteFailure(code: code, message: message)
        }
        pointer = opened
        sqlite3_busy_timeout(opened, busyTimeout.wholeMilliseconds)
    }

    deinit { sqlite3_close_v2(pointer) }

    /// Closes the connection now; statements that are left end it when they go.
    public consuming func close() {}

    /// Runs statements whose rows, if any, nobody wants.
    public borrowing func execute(_ sql: String) throws(SQLiteFailure) {
        try check(sqlite3_exec(pointer, sql, nil, nil, nil))
    }

    /// Compiles the first statement of `sql`, to be run many times.
    public borrowing func prepare(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
        SQLiteStatement(try SQLiteStatementHandle(sql, on: pointer))
    }

    /// Waits for other connections' locks for up to `timeout`.
    public borrowing func setBusyTimeout(_ timeout: Duration) {
        sqlite3_busy_timeout(pointer, timeout.wholeMilliseconds)
    }

    /// The rows that the last statement inserted, changed or deleted.
    public var changes: Int64 { sqlite3_changes64(pointer) }

    /// The rows changed since the connection was opened.
    public var totalChanges: Int64 { sqlite3_total_changes64(pointer) }

    /// The row id of the last insert.
    public var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(pointer) }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { sqlite3_get_autocommit(pointer) == 0 }

    /// SQLite's words about the last call that failed.
    public var lastErrorMessage: String { String(cString: sqlite3_errmsg(pointer)) }

    /// Ends what is running on the connection with an error; safe from any thread while it is open.
    public borrowing func interrupt() { sqlite3_interrupt(pointer) }

    /// Throws what `code`, the result of a C call on this connection, says.
    public borrowing func check(_ code: Int32) throws(SQLiteFailure) {
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, message: lastErrorMessage)
        }
    }

    /// Set once, before the first connection of the process.
    private static let libraryConfiguration = mr_sqlite_config_memstatus_off()
}

extension Duration {
    /// Milliseconds, rounded down and held within an `Int32`.
    internal var wholeMilliseconds: Int32 {
        let milliseconds = self / .milliseconds(1)
        return Int32(clamping: Int64(min(max(milliseconds, 0), Double(Int32.max))))
    }
}
