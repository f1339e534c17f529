internal import Glibc

/// A value that threads share, and wait on until it changes.
public final class Monitor<State>: @unchecked Sendable {
    // SAFETY: `state` is touched only with `mutex` held, and the pthread objects have an address
    // of their own that never changes. `Mutex` has no condition to wait on.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    /// Makes a monitor of a value.
    public init(_ state: State) {
        self.state = state
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

    /// Reads or changes the value.
    public func withLock<Result, E: Error>(
        _ body: (inout State) throws(E) -> Result
    ) throws(E) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the value and wakes all who wait.
    public func update<Result, E: Error>(
        _ body: (inout State) throws(E) -> Result
    ) throws(E) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Waits until `body` gives a result, which it may take out of the value.
    ///
    /// - Returns: the result, or `nil` when the deadline has passed.
    public func wait<Result, E: Error>(
        until deadline: ContinuousClock.Instant? = nil,
        for body: (inout State) throws(E) -> Result?
    ) throws(E) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = try body(&state) { return result }
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            let remaining = deadline - .now
            guard remaining > .zero else { return nil }
            var moment = Self.monotonic(after: min(remaining, .seconds(86_400)))
            pthread_cond_timedwait(condition, mutex, &moment)
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
