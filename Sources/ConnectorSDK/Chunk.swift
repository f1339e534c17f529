/// A fixed block of raw memory that batches share and keep alive.
///
/// Readers fill a chunk with input and put slices of it into cells. A chunk is filled before it is
/// retained by a batch, and not written to while any batch retains it; a pool reuses it when
/// `isKnownUniquelyReferenced` says that no batch does.
public final class Chunk {
    /// Bytes past ``capacity`` that exist and may be read, so that wide loads stay inside.
    public static let padding = 64

    /// The first byte.
    public let base: UnsafeMutableRawPointer
    /// The usable size in bytes.
    public let capacity: Int

    /// Allocates `capacity` bytes plus the padding, which is zero.
    public init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity + Self.padding, alignment: 64)
        (base + capacity).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
    }

    /// Copies `bytes` into a chunk of their size.
    public convenience init(copying bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count)
        UnsafeMutableRawBufferPointer(start: base, count: capacity).copyBytes(from: bytes)
    }

    deinit { base.deallocate() }

    /// The usable bytes.
    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: capacity)
    }
}

/// A bump allocator whose memory never moves, for values that a batch makes itself.
///
/// It grows by whole chunks and is emptied at once; emptying keeps the last chunk, which is the
/// largest, so that an arena that is filled alike each time soon allocates no more.
public struct Arena: ~Copyable {
    /// A chunk that one huge value has made larger than this is let go. (D7)
    private static let keptCapacity = 4 << 20

    private var full: [Chunk] = []
    private var current: Chunk
    private var used = 0

    /// Makes an arena whose first chunk has `capacity` bytes.
    public init(capacity: Int = 64 << 10) {
        current = Chunk(capacity: capacity)
    }

    /// Bytes handed out since the last ``removeAll()``.
    public var count: Int { full.reduce(used) { $0 + $1.capacity } }

    /// Hands out `count` uninitialised bytes, valid until ``removeAll()``.
    public mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        if used + count > current.capacity { grow(by: count) }
        let start = current.base + used
        used += count
        return start
    }

    /// Gives back the last `count` bytes of the latest allocation.
    public mutating func giveBack(_ count: Int) { used -= count }

    /// Copies `bytes` into the arena.
    public mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = allocate(bytes.count)
        if let base = bytes.baseAddress { start.copyMemory(from: base, byteCount: bytes.count) }
        return UnsafeRawBufferPointer(start: start, count: bytes.count)
    }

    /// Forgets everything allocated so far.
    public mutating func removeAll() {
        used = 0
        guard let first = full.first else { return }
        if current.capacity > Self.keptCapacity { current = first }
        full.removeAll(keepingCapacity: true)
    }

    private mutating func grow(by count: Int) {
        full.append(current)
        current = Chunk(capacity: max(current.capacity * 2, count))
        used = 0
    }
}
