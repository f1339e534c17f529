public import ConnectorSDK

/// One RecordBatch as it will be on disk, but for its base offset.
public struct EncodedBatch {
    /// The bytes; the base offset and leader epoch are filled in when it is appended.
    public var buffer: OutputBuffer
    /// The number of records, which is also the number of offsets it takes.
    public var count: Int
    /// The largest timestamp, in milliseconds.
    public var maxTimestamp: Int64

    /// Makes a batch of bytes that are already encoded.
    public init(buffer: OutputBuffer, count: Int, maxTimestamp: Int64) {
        self.buffer = buffer
        self.count = count
        self.maxTimestamp = maxTimestamp
    }

    /// Gives the batch its place in a partition.
    public func assign(baseOffset: Int64) {
        RecordBatchHeader.assign(baseOffset: baseOffset, in: buffer.base)
    }
}
