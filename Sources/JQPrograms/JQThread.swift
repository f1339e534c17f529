internal import Glibc

/// A thread with a deep stack that does one thing at a time while its owner waits.
///
/// It ends with its owner; what it shares with the thread is an object of its own, which holds
/// neither.
internal final class JQThread {
    /// The size of the stack for programs that may make the process grow by some memory; only what
    /// is used of it becomes memory.
    ///
    /// libjq walks nested values by recursion, and a program may nest its own without end: 300 bytes
    /// of stack for each 80 that it nests before ``JQProgram/Limits/memory`` ends it, and it is ended
    /// some moments late.
    private static func stackBytes(for memory: Int) -> Int { 256 << 20 + 4 * memory }

    private let work = Work()
    private let thread: pthread_t

    /// Starts a thread for programs that may make the process grow by `memory` bytes.
    init(memory: Int) throws(JQError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackBytes(for: memory))
        let argument = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().serve()
                return nil
            },
            argument.toOpaque()
        )
        guard status == 0 else {
            argument.release()
            throw JQError(.thread, String(cString: strerror(status)))
        }
        self.thread = thread
    }

    deinit {
        work.end()
        pthread_join(thread, nil)
    }

    /// Has the thread do `body`; meanwhile, from time to time, looks at it with what `makeWatch`
    /// returns.
    func perform(_ body: () -> Void, _ makeWatch: () -> Watch) { work.perform(body, makeWatch) }
}

/// What is to be done, for a thread and who waits for it.
private final class Work: @unchecked Sendable {
    // SAFETY: `job`, `isDone` and `isEnding` are read and written with `mutex` held. A job points
    // into its caller's frame, which lasts until `isDone`. `Mutex` cannot be used because a
    // condition variable must release it while it waits.

    private typealias Job = () -> Void

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var job: Job?
    private var isDone = false
    private var isEnding = false

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var clock = pthread_condattr_t()
        pthread_condattr_init(&clock)
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &clock)
        pthread_condattr_destroy(&clock)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Lets the thread end.
    func end() {
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    func perform(_ body: () -> Void, _ makeWatch: () -> Watch) {
        withoutActuallyEscaping(body) { body in
            pthread_mutex_lock(mutex)
            job = body
            isDone = false
            pthread_cond_broadcast(condition)
            var watch: Watch?
            while !isDone {
                var deadline = Self.deadline()
                guard pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT else {
                    continue
                }
                pthread_mutex_unlock(mutex)
                var current = watch ?? makeWatch()
                current.look()
                watch = current
                pthread_mutex_lock(mutex)
            }
            pthread_mutex_unlock(mutex)
        }
    }

    private static func deadline() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let interval = Int(Watch.interval.components.attoseconds / 1_000_000_000)
        time.tv_nsec += interval
        if time.tv_nsec >= 1_000_000_000 {
            time.tv_nsec -= 1_000_000_000
            time.tv_sec += 1
        }
        return time
    }

    /// Does what is to be done until the end.
    func serve() {
        pthread_mutex_lock(mutex)
        while !isEnding {
            guard let next = job else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            job = nil
            pthread_mutex_unlock(mutex)
            next()
            pthread_mutex_lock(mutex)
            isDone = true
            pthread_cond_broadcast(condition)
        }
        pthread_mutex_unlock(mutex)
    }
}
