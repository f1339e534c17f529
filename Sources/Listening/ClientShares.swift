internal import Synchronization

/// What clients take of a listener, so that one of them cannot take what all share. (D7)
///
/// A client is an address: those behind one proxy are one. Only who takes something is remembered.
public final class ClientShares: Sendable {
    /// Why a client is to come later.
    public enum Excess: Sendable {
        /// It has as much memory as one client may have.
        case memory
        /// It has made as many requests in this second as it may.
        case rate
    }

    private struct State {
        /// Bytes of each client.
        var held: [String: Int] = [:]
        /// Requests of each client in one second.
        var requests: [String: Int] = [:]
        var second: UInt64 = 0
    }

    private let state = Mutex(State())
    private let memory: Int
    private let rate: Int

    /// Gives each client a share.
    ///
    /// - Parameters:
    ///   - memory: the bytes that a client may have at once.
    ///   - rate: its requests in a second; 0 for any number.
    public init(memory: Int, rate: Int) {
        self.memory = memory
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
            if state.held[client, default: 0] >= memory { return .memory }
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

    /// Takes so many bytes for a client, or none of them.
    public func reserve(_ bytes: Int, for client: String) -> Bool {
        state.withLock { state in
            let after = state.held[client, default: 0] + bytes
            guard after <= memory else { return false }
            state.held[client] = after
            return true
        }
    }

    /// Takes bytes for a client that are there already, its share or not.
    public func add(_ bytes: Int, for client: String) {
        guard bytes != 0 else { return }
        state.withLock { $0.held[client, default: 0] += bytes }
    }

    /// Gives bytes of a client back.
    public func release(_ bytes: Int, of client: String) {
        guard bytes > 0 else { return }
        state.withLock { state in
            let rest = state.held[client, default: 0] - bytes
            state.held[client] = rest > 0 ? rest : nil
        }
    }

    /// How many clients have something.
    public var clients: Int { state.withLock { $0.held.count } }
}
