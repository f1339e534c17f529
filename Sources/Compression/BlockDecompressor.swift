internal import CSnappy
public import ConnectorSDK

/// Decompresses whole blocks, such as the records of a batch, for one task.
///
/// The result is a chunk of its own that the caller may keep; chunks that nobody keeps any more
/// are used again.
public final class BlockDecompressor {
    private var gzip: InflateHandle?
    private var zstd: ZstdDecompressionHandle?
    private var lz4: LZ4DecompressionHandle?
    private var pool = ChunkPool()

    /// Makes a decompressor; contexts are made when first needed and then reused.
    public init() {}

    /// Decompresses `input`, all of it, into at most `limit` bytes. (D7)
    ///
    /// - Returns: the chunk, and how many of its bytes are the result.
    /// - Throws: when `input` is damaged, ends in the middle or becomes too large.
    public func decompress(
        _ kind: CompressionKind,
        _ input: UnsafeRawBufferPointer,
        limit: Int
    ) throws(ConnectorError) -> (chunk: Chunk, count: Int) {
        var output = GrowingChunk(
            pool.take(capacity: Self.expectedSize(kind, input, limit: limit)),
            limit: limit,
            kind: kind
        )
        switch kind {
        case .none: try copy(input, into: &output)
        case .gzip: try decompressGzip(input, into: &output)
        case .zstd: try decompressZstd(input, into: &output)
        case .lz4: try decompressLZ4(input, into: &output)
        case .snappy: try Snappy.decompress(input, into: &output)
        }
        let result = (chunk: output.chunk, count: output.count)
        pool.put(result.chunk)
        return result
    }

    /// A first guess that spares growing.
    ///
    /// The input's own claim is not trusted beyond `limit`.
    private static func expectedSize(
        _ kind: CompressionKind,
        _ input: UnsafeRawBufferPointer,
        limit: Int
    ) -> Int {
        let usual = min(limit, max(input.count &* 4, 64 << 10))
        guard kind == .zstd, let size = ZstdDecompressionHandle.size(ofOnlyFrame: input) else {
            return usual
        }
        return min(limit, size)
    }

    private func copy(
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk
    ) throws(ConnectorError) {
        try output.reserve(input.count)
        output.free.copyMemory(from: input)
        output.wrote(input.count)
    }

    private func decompressGzip(
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk
    ) throws(ConnectorError) {
        if gzip == nil { gzip = try InflateHandle() }
        var rest = input
        var isInside = false
        while isInside || !rest.isEmpty {
            if !isInside { gzip?.reset() }
            isInside = true
            var free = output.free
            let before = (input: rest.count, room: free.count)
            switch gzip?.step(&rest, &free) {
            case .endOfMember: isInside = false
            case .more: break
            case .corrupt, nil: throw .corrupt(.gzip, "a checksum or code is wrong")
            }
            output.wrote(before.room - free.count)
            if isInside, free.isEmpty { try output.reserve() }
            if isInside, rest.isEmpty, before.input == 0, before.room == free.count,
                before.room > 0
            {
                throw .truncated(.gzip)
            }
        }
        guard !input.isEmpty else { throw .truncated(.gzip) }
    }

    private func decompressZstd(
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk
    ) throws(ConnectorError) {
        if zstd == nil { zstd = try ZstdDecompressionHandle() }
        if let size = ZstdDecompressionHandle.size(ofOnlyFrame: input) {
            try output.reserve(size)
            switch zstd?.decompress(input, into: output.free) {
            case .success(let count): output.wrote(count)
            case .failure(let fault): throw .corrupt(.zstd, fault.message)
            case nil: break
            }
            return
        }
        zstd?.reset()
        try stream(.zstd, input, into: &output) { [self] (rest, free) throws(ConnectorError) in
            switch zstd?.step(&rest, &free) {
            case .success(let remaining): return remaining == 0
            case .failure(let fault): throw .corrupt(.zstd, fault.message)
            case nil: return true
            }
        }
    }

    private func decompressLZ4(
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk
    ) throws(ConnectorError) {
        if lz4 == nil { lz4 = try LZ4DecompressionHandle() }
        lz4?.reset()
        var rest = input
        guard let size = lz4?.begin(&rest) else { throw .corrupt(.lz4, "its header is wrong") }
        // LZ4 makes at most 255 bytes of one, so a larger claim is not worth believing.
        try output.reserve(Int(min(size, UInt64(input.count) &* 255, UInt64(Int.max))))
        try stream(.lz4, rest, into: &output) { [self] (rest, free) throws(ConnectorError) in
            guard let remaining = lz4?.step(&rest, &free) else {
                throw .corrupt(.lz4, "a block or checksum is wrong")
            }
            return remaining == 0
        }
    }

    /// Runs `step`, which returns whether a frame has ended, until the input is used up.
    private func stream(
        _ kind: CompressionKind,
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk,
        step: (
            inout UnsafeRawBufferPointer,
            inout UnsafeMutableRawBufferPointer
        ) throws(ConnectorError) -> Bool
    ) throws(ConnectorError) {
        var rest = input
        var isInside = true
        while isInside || !rest.isEmpty {
            var free = output.free
            let before = (input: rest.count, room: free.count)
            isInside = try !step(&rest, &free)
            output.wrote(before.room - free.count)
            guard isInside else { continue }
            if free.isEmpty {
                try output.reserve()
            } else if rest.count == before.input, free.count == before.room {
                throw .truncated(kind)
            }
        }
    }
}

/// Snappy, bare as librdkafka may write it, or framed as Java clients do.
private enum Snappy {
    private static let headerLength = 16

    static func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk
    ) throws(ConnectorError) {
        guard input.starts(with: CompressionKind.xerialMagic) else {
            return try decompressBlock(input, into: &output)
        }
        guard input.count >= headerLength else { throw .truncated(.snappy) }
        var position = headerLength
        while position < input.count {
            guard input.count - position >= 4 else { throw .truncated(.snappy) }
            let length = Int(
                UInt32(bigEndian: input.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            )
            position += 4
            guard length <= input.count - position else { throw .truncated(.snappy) }
            let block = UnsafeRawBufferPointer(rebasing: input[position..<position + length])
            try decompressBlock(block, into: &output)
            position += length
        }
    }

    private static func decompressBlock(
        _ input: UnsafeRawBufferPointer,
        into output: inout GrowingChunk
    ) throws(ConnectorError) {
        let bytes = input.baseAddress?.assumingMemoryBound(to: CChar.self)
        var size = 0
        guard snappy_uncompressed_length(bytes, input.count, &size) == SNAPPY_OK else {
            throw .corrupt(.snappy, "its length is wrong")
        }
        try output.reserve(size)
        let target = output.free.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard snappy_uncompress(bytes, input.count, target, &size) == SNAPPY_OK else {
            throw .corrupt(.snappy, "a block is wrong")
        }
        output.wrote(size)
    }
}
