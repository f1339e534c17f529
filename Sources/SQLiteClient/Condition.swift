internal import Glibc

/// A lock with a condition, for threads that wait for each other.
///
/// SAFETY: the mutex and the condition are made once, live at fixed addresses as long as this
/// value, and are made for use from many threads; there is no other state.
internal final class Condition: @unchecked Sendable {
    // SAFETY: see the type.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    internal init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
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

    /// Runs `body` with the lock held.
    internal func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Lets go of the lock, waits for ``signal()``, and takes the lock again.
    internal func wait() { pthread_cond_wait(condition, mutex) }

    /// As ``wait()``, but returns `false` when the monotonic clock reads `deadline` nanoseconds.
    internal func wait(until deadline: UInt64) -> Bool {
        var time = timespec(
            tv_sec: Int(deadline / 1_000_000_000),
            tv_nsec: Int(deadline % 1_000_000_000)
        )
        return pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
    }

    /// Wakes all that wait.
    internal func signal() { pthread_cond_broadcast(condition) }

    /// Nanoseconds of the monotonic clock, from now.
    internal static func deadline(after duration: Duration) -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let nanoseconds = UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
        let seconds = UInt64(clamping: duration.components.seconds)
        let rest = UInt64(clamping: duration.components.attoseconds / 1_000_000_000)
        return nanoseconds &+ min(seconds, 1 << 31) &* 1_000_000_000 &+ rest
    }
}
