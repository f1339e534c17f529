internal import CSQLite

/// A compiled statement: bind its parameters, step through its rows, reset it, and again.
///
/// One thread uses it at a time, the one that uses its connection.
public final class SQLiteStatement {
    /// How SQLite stores a value.
    public enum StorageClass: Int32, Sendable {
        /// A signed 64-bit integer.
        case integer = 1
        /// A double.
        case real = 2
        /// Text, UTF-8 unless someone stored something else.
        case text = 3
        /// Bytes.
        case blob = 4
        /// No value.
        case null = 5
    }

    internal let handle: SQLiteStatementHandle
    /// The columns of a row, 0 for a statement that gives none.
    public let columnCount: Int
    /// The parameters to bind.
    public let parameterCount: Int

    internal init(_ handle: consuming SQLiteStatementHandle) {
        columnCount = Int(sqlite3_column_count(handle.pointer))
        parameterCount = Int(sqlite3_bind_parameter_count(handle.pointer))
        self.handle = handle
    }

    /// Goes to the next row.
    ///
    /// - Returns: `false` when there is none; the statement is then done.
    public func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(handle.pointer)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        let failure = handle.failure(code)
        sqlite3_reset(handle.pointer)
        throw failure
    }

    /// Runs a statement to its end, ignoring rows, and resets it.
    public func run() throws(SQLiteFailure) {
        while try step() {}
        reset()
    }

    /// Makes the statement ready to run again; parameters keep what they are bound to.
    public func reset() { sqlite3_reset(handle.pointer) }

    /// Binds every parameter to null.
    public func clearBindings() { sqlite3_clear_bindings(handle.pointer) }
}

// MARK: - Parameters, numbered from 1

extension SQLiteStatement {
    /// Binds an integer.
    public func bind(_ index: Int, _ value: Int64) throws(SQLiteFailure) {
        try check(sqlite3_bind_int64(handle.pointer, Int32(truncatingIfNeeded: index), value))
    }

    /// Binds a floating-point number.
    public func bind(_ index: Int, _ value: Double) throws(SQLiteFailure) {
        try check(sqlite3_bind_double(handle.pointer, Int32(truncatingIfNeeded: index), value))
    }

    /// Binds null.
    public func bindNull(_ index: Int) throws(SQLiteFailure) {
        try check(sqlite3_bind_null(handle.pointer, Int32(truncatingIfNeeded: index)))
    }

    /// Binds UTF-8 text without copying it: `utf8` must stay as it is until the statement is bound
    /// anew or gone.
    public func bindText(_ index: Int, _ utf8: UnsafeRawBufferPointer) throws(SQLiteFailure) {
        let start = (utf8.baseAddress ?? Self.empty).assumingMemoryBound(to: CChar.self)
        let number = Int32(truncatingIfNeeded: index)
        let encoding = UInt8(SQLITE_UTF8)
        try check(
            sqlite3_bind_text64(handle.pointer, number, start, UInt64(utf8.count), nil, encoding)
        )
    }

    /// Binds bytes without copying them: `bytes` must stay as they are until the statement is
    /// bound anew or gone.
    public func bindBlob(_ index: Int, _ bytes: UnsafeRawBufferPointer) throws(SQLiteFailure) {
        let start = bytes.baseAddress ?? Self.empty
        let number = Int32(truncatingIfNeeded: index)
        try check(sqlite3_bind_blob64(handle.pointer, number, start, UInt64(bytes.count), nil))
    }

    /// Binds a copy of a string.
    public func bind(_ index: Int, _ text: String) throws(SQLiteFailure) {
        var text = text
        let number = Int32(truncatingIfNeeded: index)
        let code = text.withUTF8 { utf8 in
            let start = UnsafeRawPointer(utf8.baseAddress) ?? Self.empty
            return sqlite3_bind_text64(
                handle.pointer,
                number,
                start.assumingMemoryBound(to: CChar.self),
                UInt64(utf8.count),
                Self.copy,
                UInt8(SQLITE_UTF8)
            )
        }
        try check(code)
    }

    /// The number of a named parameter such as `:id`, or `nil`.
    public func parameter(_ name: String) -> Int? {
        let index = sqlite3_bind_parameter_index(handle.pointer, name)
        return index == 0 ? nil : Int(index)
    }

    private func check(_ code: Int32) throws(SQLiteFailure) {
        guard code == SQLITE_OK else { throw handle.failure(code) }
    }

    /// Stands for the address of an empty value: SQLite takes a null address for NULL.
    ///
    /// SAFETY: allocated once, never freed and never written to after that.
    private nonisolated(unsafe) static let empty: UnsafeRawPointer = {
        let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafeRawPointer(byte)
    }()

    /// SQLITE_TRANSIENT, which C spells as a cast.
    private static var copy: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}

// MARK: - Columns of the current row, numbered from 0

extension SQLiteStatement {
    /// How the value is stored.
    public func storageClass(_ column: Int) -> StorageClass {
        let type = sqlite3_column_type(handle.pointer, Int32(truncatingIfNeeded: column))
        return StorageClass(rawValue: type) ?? .null
    }

    /// Whether the value is null.
    public func isNull(_ column: Int) -> Bool { storageClass(column) == .null }

    /// The value as an integer.
    public func int64(_ column: Int) -> Int64 {
        sqlite3_column_int64(handle.pointer, Int32(truncatingIfNeeded: column))
    }

    /// The value as a floating-point number.
    public func double(_ column: Int) -> Double {
        sqlite3_column_double(handle.pointer, Int32(truncatingIfNeeded: column))
    }

    /// The value as UTF-8 text, valid until the next step or reset.
    public func text(_ column: Int) -> UnsafeRawBufferPointer {
        let number = Int32(truncatingIfNeeded: column)
        let start = sqlite3_column_text(handle.pointer, number)
        let count = Int(sqlite3_column_bytes(handle.pointer, number))
        return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    }

    /// The value as bytes, valid until the next step or reset.
    public func blob(_ column: Int) -> UnsafeRawBufferPointer {
        let number = Int32(truncatingIfNeeded: column)
        let start = sqlite3_column_blob(handle.pointer, number)
        let count = Int(sqlite3_column_bytes(handle.pointer, number))
        return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    }

    /// A copy of the value as a string; bytes that are not UTF-8 are replaced.
    public func string(_ column: Int) -> String { String(decoding: text(column), as: UTF8.self) }

    /// A copy of the value as a string, or `nil` for null.
    public func optionalString(_ column: Int) -> String? {
        isNull(column) ? nil : string(column)
    }

    /// The column's name.
    public func columnName(_ column: Int) -> String {
        let name = sqlite3_column_name(handle.pointer, Int32(truncatingIfNeeded: column))
        return name.map { String(cString: $0) } ?? ""
    }

    /// The type that the table declares for the column; `nil` for an expression.
    public func declaredType(_ column: Int) -> String? {
        let type = sqlite3_column_decltype(handle.pointer, Int32(truncatingIfNeeded: column))
        return type.map { String(cString: $0) }
    }
}
