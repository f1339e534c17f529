internal import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

/// Reads one partition of a cluster: what is committed, in batches.
internal final class KafkaReader: PartitionReader {
    private let client: KafkaClients
    private let partition: KafkaPartition
    // In this order: the queue must have stopped before another reader may take the partition.
    private let intake: PartitionIntake
    private let lease: ReadingLease
    private let signals: ArrivalSignals

    internal init(
        _ client: KafkaClients,
        _ partition: KafkaPartition,
        from offset: Int64,
        _ signals: ArrivalSignals
    ) throws(ConnectorError) {
        self.client = client
        self.partition = partition
        self.signals = signals
        let (queue, lease) = try onCluster { () throws(KafkaFailure) in
            try client.open(partition, at: offset)
        }
        intake = PartitionIntake(queue, keeping: 16)
        self.lease = lease
        queue.onArrival { [signals, partition] in signals.raise(partition) }
    }

    private var queue: KafkaPartitionQueue { intake.queue }

    internal var nextOffset: Int64 { queue.nextOffset }

    internal func seek(to offset: Int64) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in try queue.seek(to: offset) }
    }

    /// Waits only for what was there when the reader was made or sent to its place: whoever reads
    /// until nothing comes has read that.
    internal func read(into batch: RecordBatch) throws(ConnectorError) -> Int {
        do throws(KafkaFailure) {
            var count = try intake.read(into: batch)
            let deadline = ContinuousClock.now + client.options.timeout
            while count == 0, !queue.hasBeenAtEnd {
                guard ContinuousClock.now < deadline, !client.waitLimit.hasPassed else { break }
                count = try intake.read(into: batch, .milliseconds(100))
            }
            if count > 0 || queue.hasBeenAtEnd { return count }
        } catch {
            throw outOfRange(error) ?? ConnectorError(error)
        }
        throw noAnswer()
    }

    private func noAnswer() -> ConnectorError {
        ConnectorError(
            KafkaCodes.topics.unreachable,
            .retry(after: nil),
            "No broker has sent anything of \(partition), which was to be read from offset "
                + "\(queue.nextOffset) on.",
            kind: .environment,
            at: "bootstrap.servers",
            hint: "Check that the leader of the partition is up and can be reached from here."
        )
    }

    /// D6: retention that was faster is an error with numbers.
    private func outOfRange(_ failure: KafkaFailure) -> ConnectorError? {
        guard failure.code == .autoOffsetReset || failure.code == .offsetOutOfRange else {
            return nil
        }
        let range = try? client.observer.watermarks(of: partition, client.options.timeout)
        guard let range else { return nil }
        let lost = queue.nextOffset < range.low
        let reason =
            lost
            ? "\(range.low - queue.nextOffset) offsets were removed by retention"
            : "it is past the end"
        return ConnectorError(
            .topicOffsetOutOfRange,
            .failTask,
            "Offset \(queue.nextOffset) of \(partition) cannot be read, because \(reason): the "
                + "partition holds \(range.low) to \(range.high).",
            hint: "Begin at an offset that exists."
        )
    }
}
