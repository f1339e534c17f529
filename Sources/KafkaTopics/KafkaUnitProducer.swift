internal import ConnectorSDK
internal import KafkaRecords
internal import Topics

/// A task's way to append to topics of a cluster.
///
/// A thread of its own produces and commits: all units that have come meanwhile are one
/// transaction, so that what a commit costs is shared by as many as came while the last one ran.
internal final class KafkaUnitProducer: TopicProducer {
    private let queue: UnitQueue
    private let thread: ProducingThread

    /// Returns when an earlier producer of the same id can commit nothing any more: positions that
    /// are read afterwards are the last ones. (D3)
    internal init(
        _ client: KafkaClients,
        transactionalID: String?
    ) throws(ConnectorError) {
        queue = UnitQueue(limit: client.options.bytesInFlight)
        thread = try ProducingThread(queue, client, transactionalID)
        do throws(ConnectorError) {
            try queue.waitUntilReady()
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    internal func makeBuilder() -> RecordBatchBuilder {
        guard let builder = queue.takeBuilder() else { return RecordBatchBuilder() }
        builder.reset()
        return builder
    }

    internal func submit(_ unit: CommitUnit) throws(ConnectorError) -> Int64 {
        for (partition, batch) in unit.batches {
            guard batch.count > 0, batch.buffer.count >= RecordBatchBuilder.headerLength else {
                throw ConnectorError(
                    KafkaCodes.topics.refused,
                    .failTask,
                    "A batch without records was given for \(partition)."
                )
            }
        }
        return try queue.add(unit)
    }

    internal func durableTicket() throws(ConnectorError) -> Int64 { try queue.durableTicket() }

    internal func waitUntilDurable(
        through ticket: Int64,
        deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64 {
        try queue.wait(for: ticket, until: deadline)
    }

    internal func close() {
        queue.close()
        thread.join()
    }
}
