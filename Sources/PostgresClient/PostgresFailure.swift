/// What went wrong on a connection, in the server's words or in the client's.
///
/// ``message``, ``detail`` and ``context`` may quote values of rows. ``description`` never does, and
/// neither it nor any text in here holds a password.
public struct PostgresFailure: Error, Sendable, Hashable {
    /// Who reports it.
    public enum Origin: Hashable, Sendable {
        /// The server answered with an error.
        case server
        /// The connection could not be made, or broke.
        case connection
        /// The request could not be made: bad settings, no libpq, a call out of order.
        case client
    }

    /// Who reports it.
    public var origin: Origin
    /// The condition.
    public var state: SQLState
    /// The primary message; of a server's, it may quote a value.
    public var message: String
    /// Whether the server closed the connection with it.
    public var isFatal = false
    /// More about the problem; often quotes a row.
    public var detail: String?
    /// What the server suggests.
    public var hint: String?
    /// Where it happened, such as the line of a COPY; may quote a row.
    public var context: String?
    /// The schema of the object at fault.
    public var schema: String?
    /// The table at fault.
    public var table: String?
    /// The column at fault.
    public var column: String?
    /// The data type at fault.
    public var dataType: String?
    /// The constraint at fault.
    public var constraint: String?

    /// Makes a failure.
    public init(_ origin: Origin, _ state: SQLState, _ message: String) {
        self.origin = origin
        self.state = state
        self.message = message
    }

    /// Makes the failure of a request that was never sent.
    public static func client(_ message: String) -> Self {
        Self(.client, SQLState("08P01"), message)
    }

    /// Whether the connection is of no use any more.
    public var isConnectionLost: Bool {
        origin == .connection || isFatal || state.classCode == "08" || state.rawValue == "57P01"
            || state.rawValue == "57P02"
    }

    /// Whether the same request may succeed later, without anybody changing anything.
    ///
    /// Lost connections, a server that starts or stops, conflicts of concurrent transactions,
    /// exhausted resources.
    public var isTransient: Bool {
        guard origin != .client else { return false }
        if origin == .connection { return true }
        switch state.classCode {
        case "08": return state != .rejected && state.rawValue != "08P01"
        case "40", "53": return true
        case "57": return state != .queryCancelled && state.rawValue != "57P04"
        case "58": return true
        default: return state == .lockNotAvailable || state == .objectInUse
        }
    }
}

extension PostgresFailure: CustomStringConvertible {
    /// The condition and the objects at fault; quotes no row.
    public var description: String {
        guard origin == .server else { return message }
        var words = "PostgreSQL error \(state.rawValue)"
        let table = [schema, table].compactMap { $0 }.joined(separator: ".")
        if !table.isEmpty { words += ", table \(table)" }
        if let column { words += ", column \(column)" }
        if let constraint { words += ", constraint \(constraint)" }
        if let dataType { words += ", type \(dataType)" }
        return words
    }
}
