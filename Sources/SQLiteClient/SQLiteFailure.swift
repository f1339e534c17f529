internal import CSQLite

/// An error that SQLite reported.
public struct SQLiteFailure: Error, Sendable, Hashable {
    /// The extended result code, such as 2067 for a unique constraint.
    public var code: Int32
    /// SQLite's own words, which may name tables and columns, but hold no row data.
    public var message: String

    /// Makes a failure.
    public init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// The primary result code, such as 19 for any constraint.
    public var primaryCode: Int32 { code & 0xff }

    /// Whether another connection held a lock for longer than the busy timeout.
    public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }

    /// Whether there is no room on the disk.
    public var isDiskFull: Bool { primaryCode == SQLITE_FULL }

    /// Whether reading or writing the file failed.
    public var isInputOutput: Bool { primaryCode == SQLITE_IOERR }

    /// Whether the file is damaged or not a database at all.
    public var isCorrupt: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }

    /// Whether a row broke a constraint.
    public var isConstraint: Bool { primaryCode == SQLITE_CONSTRAINT }

    /// Whether the file could not be opened.
    public var isCannotOpen: Bool { primaryCode == SQLITE_CANTOPEN }

    /// Whether the statement was ended by ``SQLiteHandle/interrupt()``.
    public var isInterrupted: Bool { primaryCode == SQLITE_INTERRUPT }
}

extension SQLiteFailure: CustomStringConvertible {
    public var description: String { "SQLite error \(code): \(message)" }
}
