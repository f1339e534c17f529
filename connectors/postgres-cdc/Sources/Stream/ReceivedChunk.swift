internal import ConnectorSDK

/// Messages of the stream, one behind the other, each with its length in front.
///
/// One thread fills it, then another reads it; it is never in the hands of both.
internal struct ReceivedChunk: @unchecked Sendable {
    // SAFETY: the chunk is handed over through the queue of ``ReplicationReceiver``, whose lock
    // orders the accesses; the receiver forgets it when it puts it there, and the task when it
    // gives it back.
    internal let memory: Chunk
    internal private(set) var used = 0
    private static let prefix = 4

    internal init(capacity: Int) { memory = Chunk(capacity: capacity) }

    /// Whether a message of so many bytes still fits.
    internal func hasRoom(for count: Int) -> Bool {
        memory.capacity - used >= count + Self.prefix
    }

    internal mutating func append(_ message: UnsafeRawBufferPointer) {
        guard let start = message.baseAddress else { return }
        let target = memory.base + used
        target.storeBytes(of: UInt32(truncatingIfNeeded: message.count), as: UInt32.self)
        (target + Self.prefix).copyMemory(from: start, byteCount: message.count)
        used += message.count + Self.prefix
    }

    /// Appends all messages of another chunk; returns `false` when they do not fit.
    internal mutating func take(_ other: ReceivedChunk) -> Bool {
        guard memory.capacity - used >= other.used else { return false }
        (memory.base + used).copyMemory(from: other.memory.base, byteCount: other.used)
        used += other.used
        return true
    }

    internal mutating func removeAll() { used = 0 }

    /// The message at `offset`, which moves behind it; `nil` at the end.
    internal func next(_ offset: inout Int) -> UnsafeRawBufferPointer? {
        guard offset < used else { return nil }
        let count = Int((memory.base + offset).loadUnaligned(as: UInt32.self))
        defer { offset += count + Self.prefix }
        return UnsafeRawBufferPointer(start: memory.base + offset + Self.prefix, count: count)
    }
}
