internal import ConnectorSDK
internal import Glibc
internal import SQLiteClient
internal import Topics

/// Retention and compaction of all topics, one after the other.
internal struct Maintenance {
    private let data: DataDirectory

    internal init(_ data: DataDirectory) { self.data = data }

    /// Milliseconds since the epoch.
    internal static var currentTime: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// Does what is due at `now`, in milliseconds since the epoch.
    ///
    /// A partition that cannot be maintained does not keep the others from it; the first error is
    /// thrown at the end.
    internal func run(now: Int64) throws(ConnectorError) {
        guard data.queue != nil else { throw .storeIsReadOnly }
        try data.maintenance.withLock { (_) throws(ConnectorError) in try runAll(now: now) }
    }

    private func runAll(now: Int64) throws(ConnectorError) {
        var first: ConnectorError?
        for topic in try data.allTopics() {
            let held = topic.settings.retentionHoldSinks ? try heldOffsets(topic) : [:]
            for log in topic.partitions where !topic.isRemoved {
                do throws(ConnectorError) {
                    try maintain(log, of: topic, heldAt: held[log.id.partition], now: now)
                } catch {
                    first = first ?? error
                }
            }
        }
        if let first { throw first }
    }

    private func heldOffsets(_ topic: Topic) throws(ConnectorError) -> [Int32: Int64] {
        try data.query { (state) throws(SQLiteFailure) in try state.heldOffsets(topic.name) }
    }

    private func maintain(
        _ log: PartitionLog,
        of topic: Topic,
        heldAt held: Int64?,
        now: Int64
    ) throws(ConnectorError) {
        let settings = topic.settings
        if settings.cleanupPolicy != .compact {
            try Retention(data, settings).run(log, heldAt: held, now: now)
        }
        if settings.cleanupPolicy != .delete {
            try Compaction(data, settings).run(log, heldAt: held, now: now)
        }
    }
}
