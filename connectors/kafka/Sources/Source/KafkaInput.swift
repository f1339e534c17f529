internal import ConnectorSDK
internal import KafkaClient

/// One partition of the cluster as the source reads it.
internal final class KafkaInput {
    internal let partition: KafkaPartition
    /// Where the records go.
    internal let target: String
    /// What was the end when the run began, if the source ends there.
    internal let end: Int64?
    private let queue: KafkaPartitionQueue
    private var pool: [Chunk] = []
    /// The offset of the position that was sent last.
    private var sent: Int64

    internal init(
        _ queue: KafkaPartitionQueue,
        to target: String,
        until end: Int64?,
        _ wake: @escaping @Sendable () -> Void
    ) {
        self.queue = queue
        self.target = target
        self.end = end
        partition = queue.partition
        sent = queue.nextOffset
        queue.onArrival(wake)
    }

    deinit { queue.onArrival(nil) }

    /// The place after all that was read.
    internal var position: SourcePosition {
        SourcePosition(partition: partition.description, offset: KafkaOffset.text(queue.nextOffset))
    }

    /// The offset to be read next.
    internal var next: Int64 { queue.nextOffset }

    /// Whether offsets without records, such as those of ends of transactions, were passed since
    /// the last position.
    internal var hasPassedOver: Bool { queue.isAtEnd && queue.nextOffset > sent }

    /// Whether all is read that there was when the run began, after a call that found nothing.
    internal var isRead: Bool {
        guard let end else { return false }
        return queue.isAtEnd || queue.nextOffset >= end
    }

    /// Whether so much came behind the end that what there was at it is certainly read.
    internal var isFarBehindEnd: Bool {
        guard let end else { return false }
        return queue.nextOffset - end >= Int64(RecordBatch.rowLimit)
    }

    internal func noteSent() { sent = queue.nextOffset }

    /// Appends what has arrived, up to a batch's limits, and returns the number of records.
    internal func read(into batch: RecordBatch) throws(KafkaFailure) -> Int {
        let first = batch.count
        var bytes = 0
        while batch.count < RecordBatch.rowLimit, bytes < RecordBatch.byteLimit {
            let room = min(RecordBatch.rowLimit - batch.count, KafkaPartitionQueue.limit)
            let size: Int
            do throws(KafkaFailure) {
                size = try queue.take(atMost: room)
            } catch {
                // What was read before it goes first; the failure comes back with the next call.
                guard batch.count == first else { break }
                throw error
            }
            guard queue.count > 0 else { break }
            append(size, to: batch)
            bytes += size
        }
        return batch.count - first
    }

    /// One copy of each record, out of librdkafka's memory.
    private func append(_ size: Int, to batch: RecordBatch) {
        let chunk = takeChunk(size)
        let first = batch.count
        var row = first
        batch.appendRows(queue.count)
        for added in first..<batch.count { batch.keyRow(added)?.pointee = .missing }
        queue.copy(to: chunk.base) { record in
            if record.key != nil, batch.keySchema == nil { batch.addKeys(.opaque) }
            if let key = record.key { batch.keyRow(row)?.pointee = .slice(.bytes, key) }
            batch.row(row).pointee = record.value.map { .slice(.bytes, $0) } ?? .null
            var metadata = RecordMetadata()
            metadata.timestamp = record.timestamp ?? RecordMetadata.noTimestamp
            metadata.offset = record.offset
            metadata.partition = partition.partition
            if let value = record.value { metadata.raw = value }
            metadata.headers = record.headers
            metadata.headerCount = UInt32(truncatingIfNeeded: record.headerCount)
            metadata.isTombstone = record.value == nil && record.key != nil
            batch.metadata(row).pointee = metadata
            row &+= 1
        }
        batch.retain(chunk)
        ForeignHeaders.remove(from: batch, rows: first..<row)
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
        if pool.count >= 4 { pool.removeFirst() }
        pool.append(chunk)
        return chunk
    }
}

/// The offset of a position, as text.
internal enum KafkaOffset {
    internal static func text(_ offset: Int64) -> String { #"{"offset":\#(offset)}"# }

    /// The number in `{"offset":42}`; `nil` for anything else.
    internal static func number(_ text: String) -> Int64? {
        let text = text.filter { !$0.isWhitespace }
        let prefix = #"{"offset":"#
        guard text.hasPrefix(prefix), text.hasSuffix("}") else { return nil }
        return Int64(text.dropFirst(prefix.count).dropLast())
    }
}
