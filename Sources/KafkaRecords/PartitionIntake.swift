public import ConnectorSDK
public import KafkaClient

/// Takes what arrives of one partition into batches.
///
/// Belongs to one thread at a time.
public final class PartitionIntake {
    /// The messages as they arrive.
    public let queue: KafkaPartitionQueue
    private let chunks: Int
    private var pool: [Chunk] = []

    /// Makes an intake that keeps memory for `chunks` parts of batches, to be used again.
    public init(_ queue: KafkaPartitionQueue, keeping chunks: Int) {
        self.queue = queue
        self.chunks = chunks
    }

    /// Appends what has arrived, up to a batch's limits, and returns the number of records; waits
    /// for the first for at most `timeout`.
    public func read(
        into batch: RecordBatch,
        _ timeout: Duration = .zero
    ) throws(KafkaFailure) -> Int {
        let first = batch.count
        var bytes = 0
        var timeout = timeout
        while batch.count < RecordBatch.rowLimit, bytes < RecordBatch.byteLimit {
            let room = min(RecordBatch.rowLimit - batch.count, KafkaPartitionQueue.limit)
            let size: Int
            do throws(KafkaFailure) {
                size = try queue.take(atMost: room, timeout)
            } catch {
                // What was read before it goes first; the failure comes back with the next call.
                guard batch.count == first else { break }
                throw error
            }
            guard queue.count > 0 else { break }
            append(size, to: batch)
            bytes += size
            timeout = .zero
        }
        return batch.count - first
    }

    /// One copy of each record, out of librdkafka's memory, which has no padding.
    private func append(_ size: Int, to batch: RecordBatch) {
        let chunk = takeChunk(size)
        var row = batch.count
        batch.appendRows(queue.count)
        let number = queue.partition.partition
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
        if pool.count >= chunks { pool.removeFirst() }
        pool.append(chunk)
        return chunk
    }
}
