internal import ConnectorSDK
internal import Topics

/// A task's way to append to the embedded store.
internal final class EmbeddedProducer: TopicProducer {
    private let data: DataDirectory
    private let queue: CommitQueue
    private let lane = ProducerLane()
    private let compressor = BatchCompressor()
    private var lastTicket: Int64 = 0

    /// Builders made so far.
    private var made = 0

    /// Full batches that can be in flight.
    ///
    /// More builders are needed where each batch is split among partitions, and then they hold
    /// less; they grow as needed, once, because they come back.
    private static let fullBuilders = 8

    internal init(_ data: DataDirectory, queue: CommitQueue) {
        self.data = data
        self.queue = queue
    }

    deinit { lane.close() }

    internal func makeBuilder() -> RecordBatchBuilder {
        if let builder = lane.takeBuilder() {
            builder.reset()
            return builder
        }
        made += 1
        let capacity = made > Self.fullBuilders ? RecordBatch.byteLimit / 4 : RecordBatch.byteLimit
        return RecordBatchBuilder(
            buffer: OutputBuffer(capacity: capacity),
            compressor: compressor
        )
    }

    internal func submit(_ unit: CommitUnit) throws(ConnectorError) -> Int64 {
        try lane.check()
        for (partition, batch) in unit.batches { try check(batch, for: partition) }
        try queue.add(PendingUnit(lane: lane, ticket: lastTicket + 1, content: unit))
        lastTicket += 1
        return lastTicket
    }

    internal func durableTicket() throws(ConnectorError) -> Int64 { try lane.durableTicket() }

    internal func waitUntilDurable(
        through ticket: Int64,
        deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64 {
        try lane.wait(for: ticket, until: deadline)
    }

    internal func close() { lane.close() }

    /// Refuses what could not be stored, before it costs others their group.
    private func check(
        _ batch: EncodedBatch,
        for partition: TopicPartition
    ) throws(ConnectorError) {
        let topic = try data.topic(partition.topic)
        _ = try topic.partition(partition)
        let settings = topic.settings
        guard batch.count > 0, batch.buffer.count >= RecordBatchBuilder.headerLength else {
            throw ConnectorError(.topicInvalid, .failTask, "A batch without records was given.")
        }
        guard Int64(batch.buffer.count) <= settings.maxMessageBytes else {
            throw ConnectorError(
                .topicRecordTooLarge,
                .failTask,
                "A batch of \(batch.buffer.count) bytes exceeds max.message.bytes of the topic "
                    + "\(partition.topic), \(settings.maxMessageBytes).",
                at: "max.message.bytes",
                hint: "Raise max.message.bytes of the topic."
            )
        }
        if settings.cleanupPolicy != .delete, try batch.hasRecordWithoutKey() {
            throw ConnectorError(
                .topicKeyMissing,
                .failTask,
                "A record for the compacted topic \(partition.topic) has no key.",
                at: "key.fields",
                hint: "Name the fields that make the key, or use cleanup.policy delete."
            )
        }
    }
}
