internal import ConnectorSDK
internal import KafkaClient

/// Reads one partition of a cluster: what is committed, in batches.
internal final class KafkaReader: PartitionReader {
    private let client: KafkaClients
    private let partition: KafkaPartition
    // In this order: the queue must have stopped before another reader may take the partition.
    private let queue: KafkaPartitionQueue
    private let lease: ReadingLease
    private let signals: ArrivalSignals
    private var pool: [Chunk] = []
    /// Whether what was there when the reader came to its place has been read.
    private var hasCaughtUp = false

    internal init(
        _ client: KafkaClients,
        _ partition: KafkaPartition,
        from offset: Int64,
        _ signals: ArrivalSignals
    ) throws(ConnectorError) {
        self.client = client
        self.partition = partition
        self.signals = signals
        (queue, lease) = try onCluster { () throws(KafkaFailure) in
            try client.open(partition, at: offset)
        }
        queue.onArrival { [signals, partition] in signals.raise(partition) }
    }

    internal var nextOffset: Int64 { queue.nextOffset }

    internal func seek(to offset: Int64) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in try queue.seek(to: offset) }
        hasCaughtUp = false
    }

    /// Waits only for what was there when the reader was made or sent to its place: whoever reads
    /// until nothing comes has read that.
    internal func read(into batch: RecordBatch) throws(ConnectorError) -> Int {
        let first = batch.count
        try fill(batch, first, .zero)
        let deadline = ContinuousClock.now + client.options.timeout
        while batch.count == first, !hasCaughtUp {
            guard ContinuousClock.now < deadline, !client.waitLimit.hasPassed else {
                throw noAnswer()
            }
            try fill(batch, first, .milliseconds(100))
        }
        return batch.count - first
    }

    private func noAnswer() -> ConnectorError {
        ConnectorError(
            .kafkaUnreachable,
            .retry(after: nil),
            "No broker has sent anything of \(partition), which was to be read from offset "
                + "\(queue.nextOffset) on.",
            kind: .environment,
            at: "bootstrap.servers",
            hint: "Check that the leader of the partition is up and can be reached from here."
        )
    }

    private func fill(
        _ batch: RecordBatch,
        _ first: Int,
        _ timeout: Duration
    ) throws(ConnectorError) {
        var bytes = 0
        var timeout = timeout
        while batch.count < RecordBatch.rowLimit, bytes < RecordBatch.byteLimit {
            let room = RecordBatch.rowLimit - batch.count
            let size: Int
            do throws(KafkaFailure) {
                size = try queue.take(atMost: min(room, KafkaPartitionQueue.limit), timeout)
            } catch {
                // What was read before it goes first; the failure comes back with the next call.
                guard batch.count == first else { break }
                throw outOfRange(error) ?? ConnectorError(error)
            }
            if queue.isAtEnd { hasCaughtUp = true }
            guard queue.count > 0 else { break }
            append(size, to: batch)
            bytes += size
            timeout = .zero
        }
    }

    private func append(_ size: Int, to batch: RecordBatch) {
        let chunk = takeChunk(size)
        var row = batch.count
        batch.appendRows(queue.count)
        let number = partition.partition
        queue.copy(to: chunk.base) { record in
            if record.key != nil, batch.keySchema == nil { batch.addKeys(.opaque) }
            if let target = batch.keyRow(row) {
                target.pointee = record.key.map { .slice(.bytes, $0) } ?? .missing
            }
            batch.row(row).pointee = record.value.map { .slice(.bytes, $0) } ?? .null
            var metadata = RecordMetadata()
            metadata.timestamp = record.timestamp ?? RecordMetadata.noTimestamp
            metadata.offset = record.offset
            metadata.partition = number
            if let value = record.value { metadata.raw = value }
            metadata.headers = record.headers
            metadata.headerCount = UInt32(truncatingIfNeeded: record.headerCount)
            metadata.isTombstone = record.value == nil && record.key != nil
            batch.metadata(row).pointee = metadata
            row &+= 1
        }
        batch.retain(chunk)
    }

    /// A chunk that no batch holds any more, of at least so many bytes.
    private func takeChunk(_ size: Int) -> Chunk {
        for index in pool.indices
        where pool[index].capacity >= size && isKnownUniquelyReferenced(&pool[index]) {
            return pool[index]
        }
        let chunk = Chunk(capacity: max(size, 64 << 10))
        // D7: what one huge record needed is not kept.
        guard chunk.capacity <= 4 << 20 else { return chunk }
        if pool.count >= 16 { pool.removeFirst() }
        pool.append(chunk)
        return chunk
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
