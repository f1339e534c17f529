public import ConnectorSDK

/// Compresses whole blocks, such as the records of a batch, for one task.
public final class BlockCompressor {
    // Kafka's default, too: a higher level costs much more time than it saves bytes.
    private static let zstdLevel: Int32 = 3

    private var zstd: ZstdCompressionHandle?

    /// Makes a compressor; contexts are made when first needed and then reused.
    public init() {}

    /// Appends `input`, compressed into one LZ4 frame, to `output`.
    public func compressLZ4(
        _ input: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        try LZ4Frame.compress(input, into: output)
    }

    /// Appends `input`, compressed into one Zstandard frame, to `output`.
    public func compressZstd(
        _ input: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        if zstd == nil { zstd = try ZstdCompressionHandle(level: Self.zstdLevel) }
        try zstd?.compressFrame(input, into: output)
    }
}
