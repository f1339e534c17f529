internal import ConnectorSDK
internal import Glibc
internal import Topics

/// Units on their way from a task to the thread that produces them, and what became of them.
internal final class UnitQueue: @unchecked Sendable {
    // SAFETY: everything that changes is touched with `mutex` held only, and the pthread objects
    // have an address of their own. `Mutex` has no condition to wait on. A unit, which is not
    // Sendable, is let go of by the one thread before the other takes it.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private let limit: Int
    private var waiting: [(ticket: Int64, unit: CommitUnit)] = []
    private var bytes = 0
    private var submitted: Int64 = 0
    private var durable: Int64 = 0
    private var failure: ConnectorError?
    private var isClosed = false
    private var isReady = false
    private var spare: [RecordBatchBuilder] = []

    /// Builders kept for the next batches; larger ones, of one huge record, are let go. (D7)
    private static let spareLimit = 16
    private static let largestSpare = 4 << 20

    internal init(limit: Int) {
        self.limit = limit
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    private func wake() { pthread_cond_broadcast(changed) }

    // MARK: The task's side

    /// Hands a unit over, waiting while too much is on its way, and returns its ticket.
    internal func add(_ unit: CommitUnit) throws(ConnectorError) -> Int64 {
        let size = unit.byteCount
        return try locked { () throws(ConnectorError) in
            // D7: one unit is let through however large it is.
            while bytes > 0, bytes + size > limit, failure == nil, !isClosed {
                pthread_cond_wait(changed, mutex)
            }
            try check()
            submitted += 1
            bytes += size
            waiting.append((submitted, unit))
            wake()
            return submitted
        }
    }

    /// Waits until the thread has taken its identity over from whoever had it.
    internal func waitUntilReady() throws(ConnectorError) {
        try locked { () throws(ConnectorError) in
            while !isReady {
                try check()
                pthread_cond_wait(changed, mutex)
            }
        }
    }

    internal func takeBuilder() -> RecordBatchBuilder? { locked { spare.popLast() } }

    internal func durableTicket() throws(ConnectorError) -> Int64 {
        try locked { () throws(ConnectorError) in
            if let failure { throw failure }
            return durable
        }
    }

    internal func wait(
        for ticket: Int64,
        until deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64 {
        try locked { () throws(ConnectorError) in
            while durable < ticket {
                try check()
                guard let deadline else {
                    pthread_cond_wait(changed, mutex)
                    continue
                }
                let rest = deadline - .now
                guard rest > .zero else { break }
                var moment = Self.monotonic(after: min(rest, .seconds(3_600)))
                pthread_cond_timedwait(changed, mutex, &moment)
            }
            return durable
        }
    }

    private func check() throws(ConnectorError) {
        if let failure { throw failure }
        if isClosed { throw .producerIsClosed }
    }

    internal func close() {
        locked {
            isClosed = true
            wake()
        }
    }

    // MARK: The thread's side

    /// Whether nobody waits for units any more.
    internal var isGivenUp: Bool { locked { isClosed } }

    internal func noteReady() {
        locked {
            isReady = true
            wake()
        }
    }

    /// Waits for units and takes them all; `nil` when there will be no more.
    internal func take() -> [(ticket: Int64, unit: CommitUnit)]? {
        locked {
            while waiting.isEmpty, !isClosed { pthread_cond_wait(changed, mutex) }
            guard !isClosed else { return nil }
            defer { waiting.removeAll() }
            return waiting
        }
    }

    /// Notes that units are durable, and takes their builders back.
    internal func complete(_ units: [(ticket: Int64, unit: CommitUnit)]) {
        locked {
            for (ticket, unit) in units {
                durable = max(durable, ticket)
                bytes -= unit.byteCount
                for (_, batch) in unit.batches {
                    guard let builder = batch.builder, spare.count < Self.spareLimit,
                        builder.buffer.capacity <= Self.largestSpare
                    else { continue }
                    spare.append(builder)
                }
            }
            wake()
        }
    }

    /// Notes why units have no effect; no later one has any.
    internal func fail(_ error: ConnectorError) {
        locked {
            if failure == nil { failure = error }
            waiting.removeAll()
            wake()
        }
    }

    private static func monotonic(after duration: Duration) -> timespec {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        let parts = duration.components
        let nanoseconds = moment.tv_nsec + Int(parts.attoseconds / 1_000_000_000)
        moment.tv_sec += Int(parts.seconds) + nanoseconds / 1_000_000_000
        moment.tv_nsec = nanoseconds % 1_000_000_000
        return moment
    }
}

extension CommitUnit {
    /// The bytes that the unit keeps.
    internal var byteCount: Int { batches.reduce(256) { $0 + $1.batch.buffer.count } }
}

extension ConnectorError {
    /// Makes the error of a call after the producer's `close()`.
    internal static var producerIsClosed: Self {
        Self(.topicsClosed, .failTask, "The producer is closed.")
    }
}
