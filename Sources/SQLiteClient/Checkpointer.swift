internal import Glibc
internal import Synchronization

/// Moves pages from the write-ahead log to the database, on a connection and thread of its own.
///
/// The thread begins with the first request. Failures are not reported: the log then grows, and
/// whoever asks for a checkpoint sees that; nothing is lost by it.
public final class Checkpointer: Sendable {
    private struct State {
        var requests: UInt64 = 0
        var done: UInt64 = 0
        var isFinishing = false
        var thread: pthread_t?
        var isComplete = false
    }

    private let path: String
    private let condition = Condition()
    private let state = Mutex(State())

    internal init(_ path: String) { self.path = path }

    /// Asks for a checkpoint soon.
    public func request() {
        condition.locked {
            state.withLock { $0.requests += 1 }
            startThread()
            condition.signal()
        }
    }

    /// Waits for a checkpoint that begins now.
    ///
    /// - Returns: whether the whole log was moved, so that the next writer begins it anew.
    public func checkpoint() -> Bool {
        condition.locked {
            let wanted = state.withLock { state in
                // One that is under way has an earlier number, so it does not count.
                state.requests += 1
                return state.requests
            }
            guard startThread() else { return false }
            condition.signal()
            while state.withLock({ $0.done < wanted }) { condition.wait() }
            return state.withLock { $0.isComplete }
        }
    }

    /// Empties the log if no one reads it, and ends the thread.
    public func finish() {
        let thread = condition.locked {
            let thread = state.withLock { state in
                state.isFinishing = true
                return state.thread
            }
            condition.signal()
            return thread
        }
        if let thread { pthread_join(thread, nil) }
    }

    @discardableResult
    private func startThread() -> Bool {
        state.withLock { state in
            guard state.thread == nil else { return true }
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self).toOpaque()
            let code = pthread_create(&thread, nil, Self.entry, context)
            guard code == 0 else {
                Unmanaged<Checkpointer>.fromOpaque(context).release()
                return false
            }
            state.thread = thread
            return true
        }
    }

    private static let entry:
        @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
            { context in
                if let context {
                    Unmanaged<Checkpointer>.fromOpaque(context).takeRetainedValue().runThread()
                }
                return nil
            }

    private func runThread() {
        let connection = CheckpointConnection(path)
        while let target = nextRequest() {
            let isComplete = connection.checkpoint("PASSIVE")
            condition.locked {
                state.withLock { state in
                    state.done = target
                    state.isComplete = isComplete
                }
                condition.signal()
            }
        }
        _ = connection.checkpoint("TRUNCATE")
    }

    /// Waits for work; `nil` when there will be none.
    private func nextRequest() -> UInt64? {
        condition.locked {
            while true {
                let (requests, done, isFinishing) = state.withLock {
                    ($0.requests, $0.done, $0.isFinishing)
                }
                if requests > done { return requests }
                if isFinishing { return nil }
                condition.wait()
            }
        }
    }
}

/// The connection that checkpoints, opened when it is first needed.
private final class CheckpointConnection {
    private let path: String
    private var database: OpenDatabase?

    init(_ path: String) { self.path = path }

    /// Runs a checkpoint; returns whether the whole log was moved.
    func checkpoint(_ kind: String) -> Bool {
        do throws(SQLiteFailure) {
            if database == nil { database = try OpenDatabase(path) }
            guard let database else { return false }
            let statement = try database.handle.prepare("PRAGMA wal_checkpoint(\(kind))")
            guard try statement.step() else { return false }
            return statement.int64(0) == 0 && statement.int64(1) == statement.int64(2)
        } catch {
            return false
        }
    }

    private final class OpenDatabase {
        let handle: SQLiteHandle

        init(_ path: String) throws(SQLiteFailure) {
            // Long enough for a reader that is about to end; no one waits longer to close.
            handle = try SQLiteHandle(
                path: path,
                mode: .readWrite,
                busyTimeout: .milliseconds(250)
            )
        }
    }
}
