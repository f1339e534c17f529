/// A stream of bytes, seen through a window that grows at its end and is consumed at its start.
///
/// The window lies in one ``Chunk``. Slices of it stay valid as long as a batch retains the chunk:
/// when the window must grow past its chunk, the unread rest is copied to a fresh one.
public final class ByteInput {
    /// Fills the memory with the next bytes; returns how many, 0 at the end of the stream.
    public typealias Source = (UnsafeMutableRawBufferPointer) throws(ConnectorError) -> Int

    private let source: Source
    private let mustWait: (() -> Bool)?
    private let chunkSize: Int
    private var pool: [Chunk] = []
    @exclusivity(unchecked) private var start = 0
    @exclusivity(unchecked) private var end = 0
    /// The memory that holds the window; a batch whose cells point into the window retains it.
    @exclusivity(unchecked) public private(set) var chunk: Chunk
    /// The offset of the window's first byte in the stream.
    @exclusivity(unchecked) public private(set) var offset: Int64
    /// Whether the source has said that nothing follows the window.
    @exclusivity(unchecked) public private(set) var isAtEnd = false

    /// Makes an input.
    ///
    /// - Parameters:
    ///   - offset: the offset in the stream of the first byte that `source` will give.
    ///   - chunkSize: the memory asked for at a time; 1 MiB reads fastest.
    ///   - mustWait: says whether `source` would have to wait for its next bytes, as that of a
    ///     pipe may; without it, it never has to.
    ///   - source: gives the bytes.
    public init(
        offset: Int64 = 0,
        chunkSize: Int = 1 << 20,
        mustWait: (() -> Bool)? = nil,
        source: @escaping Source
    ) {
        self.offset = offset
        self.chunkSize = chunkSize
        self.mustWait = mustWait
        self.source = source
        chunk = Chunk(capacity: chunkSize)
    }

    /// The bytes read and not yet consumed.
    ///
    /// ``Chunk/padding`` bytes behind them may be read.
    @inline(__always)
    public var window: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: chunk.base + start, count: end - start)
    }

    /// Whether ``fill()`` would have to wait: the stream goes on, and its next bytes are not there.
    ///
    /// A reader that has records at hand gives them then, rather than wait for more.
    public var wouldWait: Bool {
        guard !isAtEnd, let mustWait else { return false }
        return mustWait()
    }

    /// Moves the start of the window forward.
    public func consume(_ count: Int) {
        precondition(count <= end - start, "More consumed than there is.")
        start += count
        offset += Int64(count)
    }

    /// Makes the window longer; returns `false` when the stream has no more.
    ///
    /// May move the window to a new chunk: take ``window`` and ``chunk`` anew.
    public func fill() throws(ConnectorError) -> Bool {
        guard !isAtEnd else { return false }
        if start == end, isKnownUniquelyReferenced(&chunk) {
            start = 0
            end = 0
        } else if end == chunk.capacity {
            moveToFreshChunk()
        }
        let room = UnsafeMutableRawBufferPointer(
            start: chunk.base + end,
            count: chunk.capacity - end
        )
        let count = try source(room)
        isAtEnd = count == 0
        end += count
        return count > 0
    }

    private func moveToFreshChunk() {
        let rest = end - start
        let needed = rest > chunkSize / 2 ? rest * 2 : chunkSize
        let fresh = takeChunk(capacity: needed)
        fresh.base.copyMemory(from: chunk.base + start, byteCount: rest)
        if chunk.capacity == chunkSize, pool.count < 8 { pool.append(chunk) }
        chunk = fresh
        start = 0
        end = rest
    }

    private func takeChunk(capacity: Int) -> Chunk {
        guard capacity == chunkSize else { return Chunk(capacity: capacity) }
        for index in pool.indices where isKnownUniquelyReferenced(&pool[index]) {
            return pool.remove(at: index)
        }
        return Chunk(capacity: capacity)
    }
}

/// Bytes being written: grows, and is emptied when they have gone to their destination.
public final class OutputBuffer {
    // Accesses are instantaneous and cannot overlap; checking that at run time would cost more
    // than writing a short value does.

    /// The first byte.
    ///
    /// Changes when the buffer grows.
    @inlinable public var base: UnsafeMutableRawPointer { start }
    /// The bytes that fit without growing.
    @inlinable public var capacity: Int { room }
    /// The bytes written.
    @inlinable public var count: Int {
        get { written }
        set { written = newValue }
    }
    // Behind inlinable accessors, since `@exclusivity` has no effect in another module.
    @exclusivity(unchecked) @usableFromInline internal var start: UnsafeMutableRawPointer
    @exclusivity(unchecked) @usableFromInline internal var room: Int
    @exclusivity(unchecked) @usableFromInline internal var written = 0

    /// Makes an empty buffer.
    public init(capacity: Int = 1 << 20) {
        room = capacity
        start = .allocate(byteCount: capacity + Chunk.padding, alignment: 64)
    }

    deinit { base.deallocate() }

    /// The bytes written so far.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Makes sure that `extra` more bytes fit, plus the padding, and returns where they go.
    ///
    /// The caller writes there and adds to ``count``.
    public func reserve(_ extra: Int) -> UnsafeMutableRawPointer {
        if count + extra > capacity { grow(extra) }
        return base + count
    }

    /// Appends bytes.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress else { return }
        reserve(bytes.count).copyMemory(from: from, byteCount: bytes.count)
        count += bytes.count
    }

    /// Appends one byte.
    public func append(_ byte: UInt8) {
        reserve(1).storeBytes(of: byte, as: UInt8.self)
        count += 1
    }

    /// Appends text as UTF-8.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    private func grow(_ extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let fresh = UnsafeMutableRawPointer.allocate(
            byteCount: larger + Chunk.padding,
            alignment: 64
        )
        fresh.copyMemory(from: base, byteCount: count)
        base.deallocate()
        start = fresh
        room = larger
    }
}
