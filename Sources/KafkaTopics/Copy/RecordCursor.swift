internal import ConnectorSDK
internal import Glibc
internal import Topics

/// Goes over the records of a partition one by one, to the end that it had when the first was read.
internal final class RecordCursor {
    private let topic: String
    private let reader: any PartitionReader
    private let batch = RecordBatch()
    private var row = -1
    /// Whether there is a record; what follows is of this record, until the next ``advance()``.
    internal private(set) var hasRecord = false

    internal init(
        _ store: any TopicStore,
        _ partition: TopicPartition,
        from offset: Int64
    ) throws(ConnectorError) {
        topic = partition.topic
        reader = try store.makeReader(partition, from: offset)
    }

    /// Goes to the next record, if there is one.
    internal func advance() throws(ConnectorError) {
        row += 1
        if row >= batch.count {
            batch.reset(topic: topic)
            row = 0
            _ = try reader.read(into: batch)
        }
        hasRecord = row < batch.count
    }

    internal var offset: Int64 { batch.metadata(row).pointee.offset }

    internal var timestamp: Int64 { batch.metadata(row).pointee.timestamp }

    internal var key: UnsafeRawBufferPointer? {
        guard batch.keySchema != nil, let cell = batch.keyRow(row)?.pointee, !cell.isNil else {
            return nil
        }
        return cell.slice
    }

    internal var value: UnsafeRawBufferPointer? {
        let cell = batch.row(row).pointee
        return cell.isNil ? nil : cell.slice
    }

    internal var headers: UnsafeRawBufferPointer { batch.metadata(row).pointee.headers }

    internal var headerCount: Int { Int(batch.metadata(row).pointee.headerCount) }

    /// Whether the record says, byte for byte, what the record of another cursor says.
    ///
    /// No time before 1970 can be told to librdkafka, which takes its own for it.
    internal func hasContents(of other: RecordCursor) -> Bool {
        (timestamp == other.timestamp || other.timestamp <= 0)
            && Self.isSame(key, other.key) && Self.isSame(value, other.value)
            && headerCount == other.headerCount && Self.isSame(headers, other.headers)
    }

    private static func isSame(
        _ left: UnsafeRawBufferPointer?,
        _ right: UnsafeRawBufferPointer?
    ) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        guard left.count == right.count else { return false }
        guard let one = left.baseAddress, let other = right.baseAddress else { return true }
        return memcmp(one, other, left.count) == 0
    }
}
