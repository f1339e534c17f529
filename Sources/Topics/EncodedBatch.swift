public import ConnectorSDK

/// One RecordBatch as it will be on disk, but for its base offset.
public struct EncodedBatch {
    /// The bytes; the base offset and leader epoch are filled in when it is appended.
    public var buffer: OutputBuffer
    /// The number of records, which is also the number of offsets it takes.
    public var count: Int
    /// The largest timestamp, in milliseconds.
    public var maxTimestamp: Int64

    /// What has encoded it, and can encode another one when the bytes are needed no more.
    public var builder: RecordBatchBuilder?

    /// Makes a batch of bytes that are already encoded.
    public init(
        buffer: OutputBuffer,
        count: Int,
        maxTimestamp: Int64,
        builder: RecordBatchBuilder? = nil
    ) {
        self.buffer = buffer
        self.count = count
        self.maxTimestamp = maxTimestamp
        self.builder = builder
    }

    /// Gives the batch its place in a partition.
    public func assign(baseOffset: Int64) {
        RecordBatchHeader.assign(baseOffset: baseOffset, in: buffer.base)
    }
}
