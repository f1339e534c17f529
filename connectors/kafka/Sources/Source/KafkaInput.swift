internal import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

/// One partition of the cluster as the source reads it.
internal final class KafkaInput {
    internal let partition: KafkaPartition
    /// Where the records go.
    internal let target: String
    /// What was the end when the run began, if the source ends there.
    internal let end: Int64?
    private let intake: PartitionIntake
    /// The offset of the position that was sent last.
    private var sent: Int64

    internal init(
        _ queue: KafkaPartitionQueue,
        to target: String,
        until end: Int64?,
        _ wake: @escaping @Sendable () -> Void
    ) {
        intake = PartitionIntake(queue, keeping: 4)
        self.target = target
        self.end = end
        partition = queue.partition
        sent = queue.nextOffset
        queue.onArrival(wake)
    }

    deinit { queue.onArrival(nil) }

    private var queue: KafkaPartitionQueue { intake.queue }

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
        let count = try intake.read(into: batch)
        ForeignHeaders.remove(from: batch, rows: first..<batch.count)
        return count
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
