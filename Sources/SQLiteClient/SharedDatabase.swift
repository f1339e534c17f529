internal import Synchronization

/// What the sinks of this process that write to one database file share: whose turn it is, and
/// the thread that checkpoints.
public final class SharedDatabase: Sendable {
    private struct Entry {
        var users: Int
        var database: SharedDatabase
    }

    private static let registry = Mutex<[String: Entry]>([:])

    private let path: String
    public let turn = WriterTurn()
    public let checkpointer: Checkpointer

    private init(_ path: String) {
        self.path = path
        checkpointer = Checkpointer(path)
    }

    /// The shared part of the database at an absolute path; to be left again.
    public static func join(_ path: String) -> SharedDatabase {
        registry.withLock { registry in
            var entry = registry[path] ?? Entry(users: 0, database: SharedDatabase(path))
            entry.users += 1
            registry[path] = entry
            return entry.database
        }
    }

    /// Leaves; the last one ends the checkpoint thread, which empties the log once more.
    public func leave() {
        let isLast = Self.registry.withLock { registry in
            guard var entry = registry[path] else { return false }
            entry.users -= 1
            registry[path] = entry.users > 0 ? entry : nil
            return entry.users == 0
        }
        if isLast { checkpointer.finish() }
    }
}

/// Whose turn it is to write, first come, first served.
///
/// SQLite lets waiting connections poll for its lock; one that begins the next transaction right
/// after the last would starve the others.
public final class WriterTurn: Sendable {
    private struct State {
        var isTaken = false
        var queue: [UInt64] = []
        var nextTicket: UInt64 = 0
    }

    private let condition = Condition()
    private let state = Mutex(State())

    /// Waits for the turn; returns `false` when it did not come within `timeout`.
    public func take(within timeout: Duration) -> Bool {
        let deadline = Condition.deadline(after: timeout)
        return condition.locked {
            let ticket = state.withLock { state in
                state.nextTicket += 1
                state.queue.append(state.nextTicket)
                return state.nextTicket
            }
            while true {
                if state.withLock({ Self.takes(ticket, &$0) }) { return true }
                if condition.wait(until: deadline) { continue }
                state.withLock { state in state.queue.removeAll { $0 == ticket } }
                condition.signal()
                return false
            }
        }
    }

    private static func takes(_ ticket: UInt64, _ state: inout State) -> Bool {
        guard !state.isTaken, state.queue.first == ticket else { return false }
        state.isTaken = true
        state.queue.removeFirst()
        return true
    }

    /// Passes the turn on.
    public func pass() {
        condition.locked {
            state.withLock { $0.isTaken = false }
            condition.signal()
        }
    }
}
