internal import Compression
internal import ConnectorSDK

/// What compressing batches needs and the builders of one task can share: a context and memory.
public final class BatchCompressor {
    private let compressor = BlockCompressor()
    private let output = OutputBuffer(capacity: 64 << 10)

    /// Makes a compressor; memory is taken when the first batch is compressed.
    public init() {}

    /// Compresses records.
    ///
    /// - Returns: the bytes, valid until the next call, and the codec's number; `nil` when the
    ///   records are to stay as they are.
    internal func compress(
        _ records: UnsafeRawBufferPointer,
        _ type: TopicSettings.CompressionType
    ) throws(ConnectorError) -> (bytes: UnsafeRawBufferPointer, codec: UInt16)? {
        output.count = 0
        let codec: UInt16
        switch type {
        case .none: return nil
        case .lz4:
            try compressor.compressLZ4(records, into: output)
            codec = 3
        case .zstd:
            try compressor.compressZstd(records, into: output)
            codec = 4
        }
        return output.count < records.count ? (output.bytes, codec) : nil
    }
}
