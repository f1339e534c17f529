public import ConnectorSDK

/// Compresses a stream as it is written, for one task.
///
/// Between two ``endFrame(into:)`` all bytes are one gzip member or Zstandard frame. A stream cut
/// off behind a frame is whole, so a file can be taken back to a checkpoint by truncating it.
public protocol StreamCompressor: AnyObject {
    /// Compresses `bytes`, appending to `output` whatever is ready.
    func write(
        _ bytes: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError)

    /// Completes the frame that was begun, if any. At the end of the stream, too.
    func endFrame(into output: OutputBuffer) throws(ConnectorError)
}

extension CompressionKind {
    /// Makes a compressor of streams of this kind, or `nil` for a kind that files are not
    /// compressed with.
    public func makeCompressor() throws(ConnectorError) -> (any StreamCompressor)? {
        switch self {
        case .gzip: try GzipCompressor()
        case .zstd: try ZstdCompressor()
        case .none, .lz4, .snappy: nil
        }
    }
}

/// Writes gzip members.
public final class GzipCompressor: StreamCompressor {
    private let deflater: DeflateHandle
    private var isInside = false

    /// Makes a compressor of zlib's `level`, from 1 to 9.
    public init(level: Int32 = 6) throws(ConnectorError) {
        deflater = try DeflateHandle(level: level)
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        guard !bytes.isEmpty else { return }
        isInside = true
        deflater.compress(bytes, ending: false, into: output)
    }

    public func endFrame(into output: OutputBuffer) throws(ConnectorError) {
        guard isInside else { return }
        deflater.compress(UnsafeRawBufferPointer(start: nil, count: 0), ending: true, into: output)
        deflater.reset()
        isInside = false
    }
}

/// Writes Zstandard frames.
public final class ZstdCompressor: StreamCompressor {
    private let context: ZstdCompressionHandle
    private var isInside = false

    /// Makes a compressor of the library's `level`, from 1 to 19.
    public init(level: Int32 = 3) throws(ConnectorError) {
        context = try ZstdCompressionHandle(level: level)
    }

    public func write(
        _ bytes: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        guard !bytes.isEmpty else { return }
        isInside = true
        try context.compress(bytes, ending: false, into: output)
    }

    public func endFrame(into output: OutputBuffer) throws(ConnectorError) {
        guard isInside else { return }
        try context.compress(
            UnsafeRawBufferPointer(start: nil, count: 0),
            ending: true,
            into: output
        )
        isInside = false
    }
}
