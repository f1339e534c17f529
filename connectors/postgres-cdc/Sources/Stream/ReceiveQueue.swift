internal import ConnectorSDK
internal import Glibc

/// Chunks on their way from the receiving thread to the task, bounded in bytes. (D7)
internal final class ReceiveQueue: @unchecked Sendable {
    // SAFETY: every access to the mutable state is made with `mutex` held; the two pthread objects
    // have a stable address of their own. `Mutex` has no condition to wait on.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var ready: [ReceivedChunk] = []
    private var free: [ReceivedChunk] = []
    private var bytes = 0
    private var ending: Ending?
    private var isClosed = false

    /// How the stream ended.
    internal enum Ending: Sendable {
        /// The server ended it.
        case ended
        /// It broke.
        case failed(ConnectorError)
    }

    /// The memory of what waits at most: 4 MiB, enough for the task to send a full batch meanwhile.
    private static let limit = 4 << 20
    /// The size of a chunk; many small transactions, or a few batches of rows.
    internal static let chunkSize = 256 << 10

    internal init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    // MARK: - The receiver's side

    /// An empty chunk with room for a message.
    internal func makeChunk(for count: Int) -> ReceivedChunk {
        guard count + 4 <= Self.chunkSize else { return ReceivedChunk(capacity: count + 4) }
        return locked { free.popLast() } ?? ReceivedChunk(capacity: Self.chunkSize)
    }

    /// Puts a chunk into the queue; returns whether nothing was in it before.
    ///
    /// The server sends each message by itself, so chunks are often almost empty. What fits goes
    /// into the last one, so that their memory is well used.
    internal func put(_ chunk: ReceivedChunk) -> Bool {
        locked {
            if let last = ready.indices.last, ready[last].take(chunk) {
                recycle(chunk)
                return false
            }
            ready.append(chunk)
            bytes += chunk.memory.capacity
            return ready.count == 1
        }
    }

    internal var hasRoom: Bool { locked { bytes < Self.limit } }

    internal var isOpen: Bool { locked { !isClosed } }

    /// Waits until there is room, the queue is closed, or `timeout` has passed.
    internal func waitForRoom(timeout: Duration) {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let parts = timeout.components
        let nanoseconds = deadline.tv_nsec + Int(parts.attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(parts.seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        locked {
            while bytes >= Self.limit, !isClosed {
                if pthread_cond_timedwait(condition, mutex, &deadline) != 0 { break }
            }
        }
    }

    /// Notes that nothing will follow what is in the queue.
    internal func end(_ ending: Ending) { locked { self.ending = ending } }

    // MARK: - The task's side

    /// The next chunk, or how the stream ended; `nil` while nothing is there.
    internal func take() -> Result<ReceivedChunk, ReceiveEnd>? {
        locked {
            if !ready.isEmpty {
                let chunk = ready.removeFirst()
                bytes -= chunk.memory.capacity
                pthread_cond_signal(condition)
                return .success(chunk)
            }
            return ending.map { .failure(ReceiveEnd(ending: $0)) }
        }
    }

    /// Gives a chunk back, to be filled again.
    internal func giveBack(_ chunk: ReceivedChunk) {
        locked { recycle(chunk) }
    }

    /// Called with the lock held.
    private func recycle(_ chunk: ReceivedChunk) {
        guard chunk.memory.capacity == Self.chunkSize, free.count < 4 else { return }
        var chunk = chunk
        chunk.removeAll()
        free.append(chunk)
    }

    /// Lets the receiver end.
    internal func close() {
        locked {
            isClosed = true
            pthread_cond_signal(condition)
        }
    }
}

/// Why no more chunks come.
internal struct ReceiveEnd: Error {
    internal let ending: ReceiveQueue.Ending
}
