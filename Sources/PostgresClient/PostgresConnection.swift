internal import CPostgres
internal import Glibc

/// One connection to a server.
///
/// Calls block the thread they are made on, and one thread uses a connection at a time; only a
/// ``PostgresCanceller`` and a ``PostgresWakeUp`` may be used from others. After a failure whose
/// ``PostgresFailure/isConnectionLost`` is true, it is of no more use.
public final class PostgresConnection {
    internal let handle: ConnectionHandle
    private let notices = PostgresNotices()
    /// The message that the last call handed out, freed by the next.
    internal var message = MessageBuffer()

    /// Connects and prepares the session: UTF-8, ISO dates, exact floats, times in UTC.
    public init(_ settings: PostgresSettings) throws(PostgresFailure) {
        handle = try ConnectionHandle.open(settings)
        handle.deliverNotices(to: notices)
        try execute(Self.preparation(settings))
    }

    private static func preparation(_ settings: PostgresSettings) -> String {
        var statements = [
            "SET DateStyle TO ISO, YMD", "SET IntervalStyle TO postgres",
            "SET bytea_output TO hex", "SET extra_float_digits TO 3", "SET TimeZone TO 'UTC'",
            "SET standard_conforming_strings TO on", "SET xmloption TO content",
            // Whatever the database's is, so that amounts can be read back.
            "SET lc_monetary TO 'C'",
        ]
        for (name, timeout) in [
            ("statement_timeout", settings.statementTimeout),
            ("lock_timeout", settings.lockTimeout),
        ] {
            guard let timeout else { continue }
            let milliseconds = min(max(timeout / .milliseconds(1), 0), Double(Int32.max))
            statements.append("SET \(name) TO \(Int(milliseconds))")
        }
        return statements.joined(separator: "; ")
    }

    /// The server's version, such as 150018 for 15.18.
    public var serverVersion: Int { Int(PQserverVersion(handle.pointer)) }

    /// The database.
    public var database: String { String(cString: PQdb(handle.pointer)) }

    /// The user.
    public var user: String { String(cString: PQuser(handle.pointer)) }

    /// The host and port, for messages.
    public var server: String {
        let host = PQhost(handle.pointer).map { String(cString: $0) } ?? ""
        return "\(host):\(String(cString: PQport(handle.pointer)))"
    }

    /// The process that serves the connection, as `pg_stat_activity` shows it.
    public var backendProcess: Int { Int(PQbackendPID(handle.pointer)) }

    /// Whether the connection is encrypted.
    public var isEncrypted: Bool { PQsslInUse(handle.pointer) != 0 }

    /// Whether the connection is still believed to work.
    public var isAlive: Bool { PQstatus(handle.pointer) == CONNECTION_OK }

    /// A parameter that the server reports by itself, such as `server_version`.
    public func parameterStatus(_ name: String) -> String? { handle.parameterStatus(name) }

    /// Where the session stands with transactions.
    public enum TransactionStatus: Sendable {
        /// No transaction is open.
        case idle
        /// A statement or COPY is going on.
        case active
        /// A transaction is open.
        case inTransaction
        /// A transaction is open and refuses everything but a rollback.
        case failed
        /// The connection is broken.
        case unknown
    }

    /// Where the session stands with transactions.
    public var transactionStatus: TransactionStatus {
        switch PQtransactionStatus(handle.pointer) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    /// Notices and warnings that came since the last call, at most the latest hundred.
    public func takeNotices() -> [PostgresFailure] { notices.take() }

    /// Something that can cancel what the connection runs, from any thread.
    public func makeCanceller() throws(PostgresFailure) -> PostgresCanceller {
        guard let cancel = CancelHandle(handle) else { throw handle.failure() }
        return PostgresCanceller(cancel)
    }
}

/// A message that libpq allocated, freed when the next one takes its place.
internal struct MessageBuffer: ~Copyable {
    private var bytes: UnsafeMutablePointer<CChar>?

    internal mutating func replace(by bytes: UnsafeMutablePointer<CChar>?) {
        if let old = self.bytes { PQfreemem(old) }
        self.bytes = bytes
    }

    deinit {
        if let bytes { PQfreemem(bytes) }
    }
}
