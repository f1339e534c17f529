internal import ConnectorSDK
internal import KafkaClient

/// Records of one partition in the encoding of a RecordBatch, on their way to the cluster.
///
/// The bytes must stay until nothing of the delivery is pending: librdkafka does not copy values.
internal final class RecordUnit {
    internal private(set) var partition = KafkaPartition("", 0)
    internal private(set) var delivery = KafkaDelivery()
    internal private(set) var count = 0
    private let buffer = OutputBuffer(capacity: 256 << 10)

    internal var bytes: UnsafeRawBufferPointer { buffer.bytes }
    /// D7: what one huge record needed is not kept.
    internal var isReusable: Bool { buffer.capacity <= 4 << 20 }

    /// Empties the unit; nothing of it may be pending.
    internal func reset(to partition: KafkaPartition) {
        self.partition = partition
        delivery = KafkaDelivery()
        buffer.count = 0
        count = 0
    }

    /// For the same records once more, after their transaction was given up.
    internal func forgetDelivery() { delivery = KafkaDelivery() }

    /// The bytes that a record needs at most, as librdkafka counts them.
    internal static func size(of batch: RecordBatch, row: Int) -> Int {
        let metadata = batch.metadata(row)
        let key = batch.keyRow(row).map { $0.pointee.isNil ? 0 : $0.pointee.slice.count } ?? 0
        let value = isNull(batch, row) ? 0 : batch.row(row).pointee.slice.count
        // Lengths and deltas of the record and of the batch that it may be alone in.
        return key + value + Int(metadata.pointee.headersLength)
            + 8 * Int(metadata.pointee.headerCount) + 128
    }

    private static func isNull(_ batch: RecordBatch, _ row: Int) -> Bool {
        batch.row(row).pointee.isNil || batch.metadata(row).pointee.isTombstone
    }

    /// Appends a copy of a record.
    internal func append(_ batch: RecordBatch, row: Int) {
        let metadata = batch.metadata(row).pointee
        let keyCell = batch.keyRow(row)?.pointee
        let key = keyCell.flatMap { $0.isNil ? nil : $0.slice }
        let value = Self.isNull(batch, row) ? nil : batch.row(row).pointee.slice
        // A time below 0 is "now" to the producer.
        let hasTime = metadata.timestamp != RecordMetadata.noTimestamp
        let time = hasTime ? metadata.timestamp : -1
        let length =
            2 + Varint.length(time) + Self.length(key) + Self.length(value)
            + Varint.length(Int64(metadata.headerCount)) + Int(metadata.headersLength)
        var target = buffer.reserve(length + 10)
        let start = target
        Varint.write(Int64(length), to: &target)
        target.storeBytes(of: 0, as: UInt8.self)
        target += 1
        Varint.write(time, to: &target)
        target.storeBytes(of: 0, as: UInt8.self)
        target += 1
        Self.write(key, to: &target)
        Self.write(value, to: &target)
        Varint.write(Int64(metadata.headerCount), to: &target)
        Self.copy(metadata.headers, to: &target)
        buffer.count += target - start
        count += 1
    }

    private static func length(_ bytes: UnsafeRawBufferPointer?) -> Int {
        guard let bytes else { return 1 }
        return Varint.length(Int64(bytes.count)) + bytes.count
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer?,
        to target: inout UnsafeMutableRawPointer
    ) {
        guard let bytes else { return Varint.write(-1, to: &target) }
        Varint.write(Int64(bytes.count), to: &target)
        copy(bytes, to: &target)
    }

    private static func copy(
        _ bytes: UnsafeRawBufferPointer,
        to target: inout UnsafeMutableRawPointer
    ) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        target.copyMemory(from: base, byteCount: bytes.count)
        target += bytes.count
    }
}

/// Zig-zag varints, as in Kafka's records.
internal enum Varint {
    internal static func length(_ value: Int64) -> Int {
        var rest = zigZag(value)
        var count = 1
        while rest >= 0x80 {
            rest >>= 7
            count += 1
        }
        return count
    }

    internal static func write(_ value: Int64, to target: inout UnsafeMutableRawPointer) {
        var rest = zigZag(value)
        while rest >= 0x80 {
            target.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            target += 1
            rest >>= 7
        }
        target.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        target += 1
    }

    private static func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: value << 1 ^ value >> 63)
    }
}
