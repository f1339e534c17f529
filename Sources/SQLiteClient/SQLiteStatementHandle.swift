internal import CSQLite

/// A compiled statement, finalised when it goes out of scope.
@safe
internal struct SQLiteStatementHandle: ~Copyable {
    internal let pointer: OpaquePointer

    internal init(_ sql: String, on connection: OpaquePointer) throws(SQLiteFailure) {
        var compiled: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = sqlite3_prepare_v3(connection, sql, -1, flags, &compiled, nil)
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, message: String(cString: sqlite3_errmsg(connection)))
        }
        guard let compiled else {
            throw SQLiteFailure(code: SQLITE_MISUSE, message: "The text holds no statement.")
        }
        pointer = compiled
    }

    deinit { sqlite3_finalize(pointer) }

    /// What the last call on the statement's connection reported.
    internal borrowing func failure(_ code: Int32) -> SQLiteFailure {
        let message = String(cString: sqlite3_errmsg(sqlite3_db_handle(pointer)))
        return SQLiteFailure(code: code, message: message)
    }
}

extension SQLiteStatement {
    /// The statement itself, for C code that binds or reads many values; valid as long as this one.
    public var pointer: OpaquePointer { handle.pointer }
}
