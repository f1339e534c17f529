public import ConnectorSDK

/// Decompresses a stream as it is read, for one task.
///
/// ``read(into:)`` is made to be a ``ConnectorSDK/ByteInput/Source``.
public protocol StreamDecompressor: AnyObject {
    /// Fills `buffer` with the next decompressed bytes; returns how many, 0 at the end.
    ///
    /// - Throws: `compression.truncated` when the stream ends in the middle of a member or frame,
    ///   `compression.corrupt` when it is damaged, and whatever the source throws.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectorError) -> Int
}

extension CompressionKind {
    /// Whether ``makeDecompressor(reading:)`` knows it.
    public var isStreamable: Bool { self == .gzip || self == .zstd }

    /// Makes a decompressor of a stream of this kind, or `nil` for a kind that files are not
    /// compressed with.
    public func makeDecompressor(
        reading source: @escaping ByteInput.Source
    ) throws(ConnectorError) -> (any StreamDecompressor)? {
        switch self {
        case .gzip: try GzipDecompressor(reading: source)
        case .zstd: try ZstdDecompressor(reading: source)
        case .none, .lz4, .snappy: nil
        }
    }
}

/// Compressed bytes on their way into a decompressor.
private struct CompressedInput {
    // What one read(2) brings; larger blocks were not faster.
    private static let blockSize = 128 << 10

    private let source: ByteInput.Source
    private let block = Chunk(capacity: blockSize)
    private var isAtEnd = false
    /// Bytes read and not used yet.
    var rest = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ source: @escaping ByteInput.Source) { self.source = source }

    /// Makes sure that ``rest`` has bytes; returns `false` at the end of the source.
    mutating func fill() throws(ConnectorError) -> Bool {
        guard rest.isEmpty else { return true }
        guard !isAtEnd else { return false }
        let count = try source(block.bytes)
        isAtEnd = count == 0
        rest = UnsafeRawBufferPointer(start: block.base, count: count)
        return count > 0
    }
}

/// Decompresses gzip streams of any number of members.
public final class GzipDecompressor: StreamDecompressor {
    private let inflater: InflateHandle
    private var input: CompressedInput
    private var isInside = false

    /// What is around the compressed bytes.
    public enum Wrapper: Sendable {
        /// A gzip member, as in files.
        case gzip
        /// What HTTP calls `deflate`. (RFC 1950)
        case zlib
    }

    /// Makes a decompressor of what `source` gives, from the start of a member.
    public init(
        reading source: @escaping ByteInput.Source,
        wrapper: Wrapper = .gzip
    ) throws(ConnectorError) {
        inflater = try InflateHandle(wrapper)
        input = CompressedInput(source)
    }

    public func read(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        var free = buffer
        while free.count == buffer.count, !free.isEmpty {
            guard try input.fill() else {
                // The inflater may still hold output of a member that ended with the input.
                guard isInside else { return 0 }
                let before = free.count
                try step(&free)
                guard isInside, free.count == before else { continue }
                throw .truncated(.gzip)
            }
            if !isInside {
                inflater.reset()
                isInside = true
            }
            try step(&free)
        }
        return buffer.count - free.count
    }

    private func step(_ free: inout UnsafeMutableRawBufferPointer) throws(ConnectorError) {
        switch inflater.step(&input.rest, &free) {
        case .more: break
        case .endOfMember: isInside = false
        case .corrupt: throw .corrupt(.gzip, "a checksum or code is wrong")
        }
    }
}

/// Decompresses Zstandard streams of any number of frames.
public final class ZstdDecompressor: StreamDecompressor {
    private let context: ZstdDecompressionHandle
    private var input: CompressedInput
    private var isInside = false

    /// Makes a decompressor of what `source` gives, from the start of a frame.
    public init(reading source: @escaping ByteInput.Source) throws(ConnectorError) {
        context = try ZstdDecompressionHandle()
        input = CompressedInput(source)
    }

    public func read(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        var free = buffer
        while free.count == buffer.count, !free.isEmpty {
            guard try input.fill() else {
                guard isInside else { return 0 }
                let before = free.count
                try step(&free)
                guard isInside, free.count == before else { continue }
                throw .truncated(.zstd)
            }
            try step(&free)
        }
        return buffer.count - free.count
    }

    private func step(_ free: inout UnsafeMutableRawBufferPointer) throws(ConnectorError) {
        switch context.step(&input.rest, &free) {
        case .success(let remaining): isInside = remaining > 0
        case .failure(let fault): throw .corrupt(.zstd, fault.message)
        }
    }
}
