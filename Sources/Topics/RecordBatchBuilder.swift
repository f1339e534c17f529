public import ConnectorSDK

/// Encodes records into one Kafka RecordBatch, magic 2.
///
/// The buffer is reused: `finish` hands it over as an ``EncodedBatch``, and the store gives it back
/// when the batch is on disk.
public final class RecordBatchBuilder {
    /// Bytes of the batch header.
    public static let headerLength = 61

    /// The encoded bytes so far.
    public let buffer: OutputBuffer
    /// The number of records so far.
    public private(set) var count = 0

    /// Makes an empty builder.
    public init(buffer: OutputBuffer = OutputBuffer()) {
        self.buffer = buffer
    }
}

/// One RecordBatch as it will be on disk, but for its base offset.
public struct EncodedBatch {
    /// The bytes; the base offset and leader epoch are filled in when it is appended.
    public var buffer: OutputBuffer
    /// The number of records, which is also the number of offsets it takes.
    public var count: Int
    /// The largest timestamp, in milliseconds.
    public var maxTimestamp: Int64
}
