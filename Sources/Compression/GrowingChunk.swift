internal import ConnectorSDK

/// Output whose size is not known beforehand: a chunk that is replaced by larger ones.
internal struct GrowingChunk: ~Copyable {
    private(set) var chunk: Chunk
    private(set) var count = 0
    private let limit: Int
    private let kind: CompressionKind

    /// Makes an output of at most `limit` bytes, in `chunk` for as long as that is large enough.
    init(_ chunk: Chunk, limit: Int, kind: CompressionKind) {
        self.chunk = chunk
        self.limit = limit
        self.kind = kind
    }

    /// The memory that follows what was written.
    var free: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: chunk.base + count,
            count: min(chunk.capacity, limit) - count
        )
    }

    /// Counts bytes that were written to ``free``.
    mutating func wrote(_ bytes: Int) { count += bytes }

    /// Makes room for at least one more byte.
    ///
    /// - Throws: when the limit is reached.
    mutating func reserve() throws(ConnectorError) {
        try reserve(1)
    }

    /// Makes room for `bytes` more.
    mutating func reserve(_ bytes: Int) throws(ConnectorError) {
        guard bytes <= limit - count else { throw .tooLarge(kind, limit: limit) }
        guard bytes > chunk.capacity - count else { return }
        let larger = Chunk(capacity: min(limit, max(chunk.capacity * 2, count + bytes)))
        larger.base.copyMemory(from: chunk.base, byteCount: count)
        chunk = larger
    }
}

/// Chunks that are handed out again when nobody keeps them any more.
internal struct ChunkPool {
    // Enough for a batch being read and one on its way; more would only hold memory.
    private static let limit = 3
    // Larger ones are rare, and would be held for ever.
    private static let largest = 8 << 20
    private var chunks: [Chunk] = []

    /// A chunk of at least `capacity` bytes that nobody else refers to.
    mutating func take(capacity: Int) -> Chunk {
        for index in chunks.indices where chunks[index].capacity >= capacity {
            if isKnownUniquelyReferenced(&chunks[index]) { return chunks.remove(at: index) }
        }
        return Chunk(capacity: max(capacity, 64 << 10))
    }

    /// Keeps a chunk for later, when its other owners have let go of it.
    mutating func put(_ chunk: Chunk) {
        guard chunk.capacity <= Self.largest else { return }
        if chunks.count == Self.limit { chunks.removeFirst() }
        chunks.append(chunk)
    }
}
