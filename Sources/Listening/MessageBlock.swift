public import ConnectorSDK

/// Messages that were received together, on their way to the connector's thread.
public final class MessageBlock: @unchecked Sendable {
    // SAFETY: the chunk is filled before the block is made and not written to afterwards; a block
    // is made by one thread, handed over through a queue, and then used by one other thread only.
    // `Chunk` is not Sendable because sources fill it bit by bit.

    /// Where a message is in the block.
    public struct Message: BitwiseCopyable, Sendable {
        /// The place of its first byte.
        public var start: Int32
        /// Its length.
        public var length: Int32
        /// The place of the text that says where it came from.
        public var sourceStart: Int32
        /// That text's length; 0 when it is not known.
        public var sourceLength: Int32

        /// Names the places.
        public init(start: Int, length: Int, sourceStart: Int = 0, sourceLength: Int = 0) {
            self.start = Int32(truncatingIfNeeded: start)
            self.length = Int32(truncatingIfNeeded: length)
            self.sourceStart = Int32(truncatingIfNeeded: sourceStart)
            self.sourceLength = Int32(truncatingIfNeeded: sourceLength)
        }
    }

    /// The bytes.
    public let chunk: Chunk
    /// The messages, in order.
    public let messages: [Message]

    /// Makes a block.
    public init(_ chunk: Chunk, _ messages: [Message]) {
        self.chunk = chunk
        self.messages = messages
    }

    /// The memory that it takes.
    public var cost: Int {
        chunk.capacity + Chunk.padding + messages.count * MemoryLayout<Message>.stride + 128
    }

    /// The bytes of a message.
    public func bytes(_ message: Message) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: chunk.base + Int(message.start), count: Int(message.length))
    }

    /// The text that says where a message came from.
    public func source(_ message: Message) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: chunk.base + Int(message.sourceStart),
            count: Int(message.sourceLength)
        )
    }
}
