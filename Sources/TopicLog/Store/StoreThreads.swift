internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import Topics

/// The threads of an open store, and the lock that entitles them to write.
internal final class StoreThreads: Sendable {
    /// Whether the periodic threads are to end.
    private let stopping = Monitor(false)
    private let queue: CommitQueue?
    private let committer: StoreThread?
    private let periodic: Monitor<StoreThread?>
    private let lock: Monitor<DirectoryLock?>

    /// Starts the committer, and maintenance if an interval is set.
    internal init(_ data: DataDirectory, worker: CommitWorker, lock: DirectoryLock) {
        let handover = Handover(worker)
        let queue = data.queue
        self.queue = queue
        self.lock = Monitor(lock)
        committer = StoreThread("millrace-commit") {
            if let queue { handover.worker.run(queue) }
        }
        periodic = Monitor(nil)
        guard let interval = data.options.maintenanceInterval else { return }
        start("millrace-maint", every: interval) {
            do throws(ConnectorError) {
                try Maintenance(data).run(now: Maintenance.currentTime)
            } catch {
                data.logger.warning(
                    "Retention or compaction failed; it is tried again later.",
                    metadata: ["error": "\(error)"]
                )
            }
        }
    }

    /// For a store that is open for reading: nothing runs yet.
    internal init(_ lock: DirectoryLock?) {
        queue = nil
        committer = nil
        periodic = Monitor(nil)
        self.lock = Monitor(lock)
    }

    /// Looks for what another process commits, and raises the signals of its partitions.
    internal func follow(_ data: DataDirectory) {
        let seen = Monitor<Int64>(0)
        start("millrace-follow", every: data.options.followInterval) {
            guard
                let version = try? data.query({ (state) throws(SQLiteFailure) in
                    try state.dataVersion()
                }),
                seen.withLock({ last in
                    defer { last = version }
                    return last != version
                })
            else { return }
            for topic in (try? data.allTopics()) ?? [] {
                for log in topic.partitions where log.hasSignals {
                    let before = log.highWatermark
                    try? data.refresh(log, topic: topic)
                    if log.highWatermark != before { log.raiseSignals() }
                }
            }
        }
    }

    /// Ends the threads, after everything that was submitted is durable, and releases the lock.
    internal func stop() {
        stopping.update { $0 = true }
        periodic.withLock { $0 }?.join()
        queue?.close()
        committer?.join()
        lock.withLock { $0 = nil }
    }

    private func start(
        _ name: String,
        every interval: Duration,
        _ body: @escaping @Sendable () -> Void
    ) {
        periodic.withLock { [stopping] thread in
            guard thread == nil else { return }
            thread = StoreThread(name) {
                while true {
                    let isStopping = stopping.wait(until: .now + interval) { $0 ? true : nil }
                    if isStopping != nil { return }
                    body()
                }
            }
        }
    }

    private struct Handover: @unchecked Sendable {
        // SAFETY: the worker is made by the thread that opens the store and given up to the
        // committer's thread, which is the only one to use it from then on.
        let worker: CommitWorker
        init(_ worker: CommitWorker) { self.worker = worker }
    }
}
