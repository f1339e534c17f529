internal import Synchronization

/// Memory for what is received, which many share, each of whom may be hostile: what is not there is
/// not given, and one client cannot take what all share. (D7)
///
/// A client is an address: those behind one proxy are one. Only who takes something is remembered.
public final class ListenerMemory: Sendable {
    /// Why something is not given.
    public enum Excess: Sendable {
        /// All of them have as much as there is.
        case all
        /// The client has as much as one client may have.
        case client
        /// The client has made as many requests in this second as it may.
        case rate
    }

    fileprivate struct State {
        /// Bytes of what is incomplete.
        var used = 0
        /// Bytes of each client.
        var held: [String: Int] = [:]
        /// Requests of each client in one second.
        var requests: [String: Int] = [:]
        var second: UInt64 = 0
    }

    private let state = Mutex(State())
    private let total: Int
    private let each: Int
    private let rate: Int

    /// Makes an empty one.
    ///
    /// - Parameters:
    ///   - total: the bytes of all that is incomplete.
    ///   - each: the bytes that a client may have at once.
    ///   - rate: its requests in a second; 0 for any number.
    public init(total: Int, each: Int, rate: Int = 0) {
        self.total = total
        self.each = each
        self.rate = rate
    }

    /// Counts a request that a client begins, unless it has had its share.
    ///
    /// - Parameters:
    ///   - client: its address.
    ///   - second: the present one, of a clock that never goes back.
    /// - Returns: what it has had too much of, when it must not begin.
    public func begin(_ client: String, second: UInt64) -> Excess? {
        state.withLock { state in
            if state.held[client, default: 0] >= each { return .client }
            guard rate > 0 else { return nil }
            if state.second != second {
                state.second = second
                state.requests.removeAll(keepingCapacity: true)
            }
            let count = state.requests[client, default: 0]
            guard count < rate else { return .rate }
            state.requests[client] = count + 1
            return nil
        }
    }

    /// Takes so many bytes for what a client has begun, or none of them and says why.
    public func reserve(_ bytes: Int, for client: String) -> Excess? {
        guard bytes > 0 else { return nil }
        return state.withLock { state in
            let after = state.held[client, default: 0] + bytes
            guard after <= each else { return .client }
            guard state.used + bytes <= total else { return .all }
            state.held[client] = after
            state.used += bytes
            return nil
        }
    }

    /// Gives them back.
    public func release(_ bytes: Int, of client: String) {
        guard bytes > 0 else { return }
        state.withLock { state in
            state.used -= bytes
            state.add(-bytes, for: client)
        }
    }

    /// Counts bytes of a client that are counted for all elsewhere, and there already.
    public func add(_ bytes: Int, for client: String) {
        state.withLock { $0.add(bytes, for: client) }
    }

    /// Counts them no more.
    public func remove(_ bytes: Int, of client: String) {
        state.withLock { $0.add(-bytes, for: client) }
    }

    /// How many clients have something.
    public var clients: Int { state.withLock { $0.held.count } }
}

extension ListenerMemory.State {
    fileprivate mutating func add(_ bytes: Int, for client: String) {
        let sum = held[client, default: 0] + bytes
        held[client] = sum > 0 ? sum : nil
    }
}
