internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import Topics

/// Makes units durable; only the committer's thread uses it.
///
/// A group is: batches written, dirty segments synchronized, one transaction of `state.db` with the
/// new ends, positions and group offsets. Only then readers see the records and producers learn
/// that they are durable. A record exists if and only if `state.db` says so. (D1, D3)
internal final class CommitWorker {
    internal let state: StateWriter
    internal var topics: [String: Topic] = [:]
    internal var appenders: [TopicPartition: PartitionAppender] = [:]
    private let logger: Logger
    /// Partitions whose provisional records cannot be taken back yet, because the outcome of the
    /// transaction that was to commit them is unknown.
    private var unsettled: [PartitionAppender] = []
    // Empty between two groups; kept, since a group is made durable a thousand times a second.
    private var units: [PendingUnit] = []
    private var dirty: [PartitionAppender] = []

    internal init(state: StateWriter, logger: Logger) {
        self.state = state
        self.logger = logger
    }

    /// Works until the queue is closed and empty.
    internal func run(_ queue: CommitQueue) {
        while let work = queue.next(&units) {
            switch work {
            case .job(let job): job(self)
            case .group:
                let size = units.reduce(0) { $0 + $1.byteCount }
                commit()
                units.removeAll(keepingCapacity: true)
                dirty.removeAll(keepingCapacity: true)
                queue.release(size)
            }
        }
    }

    /// Runs a job's transaction, after making sure that an earlier one's outcome is known.
    internal func transaction<Result>(
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(ConnectorError) -> Result {
        try settle()
        return try state.state.attempt { () throws(SQLiteFailure) in
            try state.transaction(.full, body)
        }
    }

    private func commit() {
        units.removeAll { !isAlive($0) }
        guard !units.isEmpty else { return }
        do throws(ConnectorError) {
            try settle()
            try write()
            try synchronize()
            try record()
        } catch {
            takeBack()
            logger.error(
                "A group of records could not be made durable; nothing of it exists.",
                metadata: ["error": "\(error)", "units": "\(units.count)"]
            )
            for unit in units { unit.lane.fail(error) }
            return
        }
        publish()
    }

    /// Whether a unit still counts: its producer has neither failed nor closed, and its topics
    /// exist.
    private func isAlive(_ unit: PendingUnit) -> Bool {
        if unit.lane.isDead { return false }
        for (partition, _) in unit.content.batches where appenders[partition] == nil {
            unit.lane.fail(.unknownTopic(partition.topic))
            return false
        }
        return true
    }

    private func write() throws(ConnectorError) {
        for unit in units {
            for (partition, batch) in unit.content.batches {
                guard let appender = appenders[partition], let topic = topics[partition.topic]
                else { throw .unknownTopic(partition.topic) }
                if !dirty.contains(where: { $0 === appender }) { dirty.append(appender) }
                do throws(FileFailure) {
                    try appender.append(batch, settings: topic.settings)
                } catch {
                    throw error.asConnectorError
                }
            }
        }
    }

    private func durability(_ appender: PartitionAppender) -> TopicSettings.Durability {
        topics[appender.log.id.topic]?.settings.durability ?? .fsync
    }

    private func synchronize() throws(ConnectorError) {
        // The disk works on all files at once, for a quarter less waiting than one by one; threads
        // would gain no more.
        if dirty.count > 1 {
            for appender in dirty where durability(appender) == .fsync {
                appender.startSynchronizing()
            }
        }
        for appender in dirty {
            do throws(FileFailure) {
                try appender.synchronize(durability(appender))
            } catch {
                throw error.asConnectorError
            }
        }
    }

    private func record() throws(ConnectorError) {
        let isLazy = !dirty.isEmpty && dirty.allSatisfy { durability($0) == .os }
        try state.state.attempt { () throws(SQLiteFailure) in
            try state.transaction(isLazy ? .normal : .full) { () throws(SQLiteFailure) in
                for appender in dirty {
                    let id = appender.log.id.partition
                    let row = appender.provisionalRow
                    try state.update(row, topic: appender.log.topicID, partition: id)
                }
                for unit in units {
                    for (connector, position) in unit.content.positions {
                        try state.set(position, of: connector)
                    }
                    for (connector, part) in unit.content.forgotten {
                        try state.apply(.position(connector: connector, part: part, offset: nil))
                    }
                    for (group, partition, offset) in unit.content.groupOffsets {
                        try state.set(offset, of: partition, in: group)
                    }
                    for (connector, transform, changes) in unit.content.states {
                        try state.apply(changes, of: connector, transform)
                    }
                    for change in unit.changes { try state.apply(change) }
                }
            }
        }
    }

    private func publish() {
        // D1: the transaction is on the disk; now others may learn of it.
        for appender in dirty {
            appender.commit()
            appender.log.raiseSignals()
        }
        for unit in units { unit.lane.complete(unit) }
    }

    private func takeBack() {
        unsettled += dirty
        if state.isOutcomeUnknown {
            // Tried again before the next group or job; until then the files stay as they are, so
            // that either outcome finds the records it speaks of.
            try? settle()
        } else {
            rollBackUnsettled()
        }
    }

    /// Makes sure that `state.db` holds what this process believes it holds.
    internal func settle() throws(ConnectorError) {
        guard state.isOutcomeUnknown || !unsettled.isEmpty else { return }
        try state.state.attempt { () throws(SQLiteFailure) in
            try state.transaction { () throws(SQLiteFailure) in
                for appender in unsettled {
                    let id = appender.log.id.partition
                    let row = appender.committedRow
                    try state.update(row, topic: appender.log.topicID, partition: id)
                }
            }
        }
        rollBackUnsettled()
    }

    private func rollBackUnsettled() {
        for appender in unsettled { appender.rollback() }
        unsettled.removeAll()
    }
}
