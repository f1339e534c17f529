internal import CSQLite
public import ConnectorSDK
public import SQLiteClient

extension ConnectorError {
    /// Says what SQLite's failure means to the engine and to a person.
    ///
    /// SQLite's own words name tables and columns but hold no values, so they may be shown.
    public static func sqlite(
        _ failure: SQLiteFailure,
        _ action: String,
        path: String
    ) -> ConnectorError {
        let verdict = SQLiteVerdict(failure)
        return ConnectorError(
            Code("sqlite." + verdict.reason),
            verdict.disposition,
            "Cannot \(action): \(failure.message).",
            kind: verdict.isEnvironment ? .environment : .runtime,
            at: verdict.isEnvironment ? "path" : nil,
            hint: verdict.hint(path),
            underlying: failure
        )
    }
}

/// What a result code of SQLite calls for.
internal struct SQLiteVerdict {
    internal let reason: String
    internal let disposition: ConnectorError.Disposition
    internal let isEnvironment: Bool

    internal init(_ failure: SQLiteFailure) {
        let (reason, disposition, isEnvironment) = Self.judge(failure.primaryCode)
        self.reason = reason
        self.disposition = disposition
        self.isEnvironment = isEnvironment
    }

    private static func judge(
        _ code: Int32
    ) -> (String, ConnectorError.Disposition, Bool) {
        switch code {
        case SQLITE_BUSY, SQLITE_LOCKED: ("busy", .retry(after: nil), true)
        case SQLITE_FULL: ("disk_full", .retry(after: nil), true)
        case SQLITE_IOERR: ("io", .retry(after: nil), true)
        case SQLITE_NOMEM: ("no_memory", .retry(after: nil), true)
        case SQLITE_SCHEMA: ("schema_changed", .retry(after: nil), false)
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: ("read_only", .failTask, true)
        case SQLITE_CANTOPEN: ("cannot_open", .failTask, true)
        case SQLITE_CORRUPT, SQLITE_NOTADB: ("corrupt", .failTask, true)
        case SQLITE_CONSTRAINT: ("constraint", .rejectRecord, false)
        case SQLITE_MISMATCH: ("mismatch", .rejectRecord, false)
        case SQLITE_TOOBIG: ("too_big", .rejectRecord, false)
        case SQLITE_INTERRUPT: ("interrupted", .retry(after: nil), false)
        default: ("failed", .failTask, false)
        }
    }

    internal func hint(_ path: String) -> String? {
        switch reason {
        case "busy":
            "Another process holds the write lock of \(path); raise busy.timeout.ms if it keeps it "
                + "long."
        case "disk_full": "Make room on the disk that holds \(path)."
        case "io": "Check the disk and the file system that hold \(path)."
        case "read_only": "\(path) and its directory must be writable."
        case "cannot_open": "Check that the directory of \(path) exists and may be used."
        case "corrupt":
            "\(path) is not an intact SQLite database; look at it with PRAGMA integrity_check."
        default: nil
        }
    }
}
