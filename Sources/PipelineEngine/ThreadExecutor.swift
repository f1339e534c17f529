internal import ConnectorSDK
internal import Glibc

/// One OS thread that runs the jobs of one task.
///
/// Connectors block in libraries and on the disk. On the cooperative pool, which has one thread
/// per core, two such calls would stop everything else; here each blocks nobody but itself.
final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
    // SAFETY: `jobs` and `isStopping` are read and written with `mutex` held, `thread` is written
    // once in `init` and read in `stop()`. The pthread objects have a stable address of their own.
    // `Mutex` cannot be used because a condition variable must release it while it waits.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [UnownedJob] = []
    private var isStopping = false
    private var thread = pthread_t()
    private let name: String

    /// Starts the thread; `name` is cut to the 15 bytes that Linux shows.
    init(name: String) throws(ConnectorError) {
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        let unmanaged = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadExecutor>.fromOpaque(argument).takeRetainedValue().runJobs()
                return nil
            },
            unmanaged.toOpaque()
        )
        guard status == 0 else {
            unmanaged.release()
            throw ConnectorError(
                .init("engine.thread"),
                .failTask,
                "A thread cannot be started: \(String(cString: strerror(status))).",
                kind: .environment,
                hint: "Lower `tasks.max`, or raise the limit on threads (`ulimit -u`)."
            )
        }
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Ends the thread when its jobs are done, and waits for it.
    ///
    /// Call it once, from elsewhere.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
        pthread_join(thread, nil)
    }

    /// Gives the thread its name for `top -H` and debuggers.
    ///
    /// It matters to nobody else, so that failing to is no error.
    private func showName() {
        let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = name.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count - 1) }
        close(descriptor)
    }

    private func runJobs() {
        showName()
        var taken: [UnownedJob] = []
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty && !isStopping { pthread_cond_wait(condition, mutex) }
            swap(&jobs, &taken)
            pthread_mutex_unlock(mutex)
            if taken.isEmpty { return }
            for job in taken { job.runSynchronously(on: asUnownedTaskExecutor()) }
            taken.removeAll(keepingCapacity: true)
        }
    }
}
