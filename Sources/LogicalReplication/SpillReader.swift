/// Reads the messages of a transaction in order; its file goes when the reader does.
public final class SpillReader {
    /// One message that was kept.
    public struct Message {
        /// Its place in the log.
        public var lsn: LSN
        /// The (sub)transaction that it belongs to.
        public var subtransaction: UInt32
        /// What the output plugin sent, valid until the next one is read, with 64 readable bytes
        /// behind it.
        public var bytes: UnsafeRawBufferPointer
    }

    /// How much is read at a time: enough for a thousand rows of usual size.
    private static let chunkSize = 256 << 10
    /// Bytes behind a chunk that exist and may be read, for those who read in wide words.
    private static let padding = 64

    private let transaction: SpilledTransaction
    private var chunk: UnsafeMutableRawBufferPointer
    /// Where in the transaction the chunk's first byte stands.
    private var chunkStart = 0
    private var chunkCount = 0
    private var position = 0

    internal init(_ transaction: SpilledTransaction) {
        self.transaction = transaction
        chunk = Self.makeChunk(Self.chunkSize)
    }

    private static func makeChunk(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: count + padding,
            alignment: 16
        )
        return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }

    deinit { chunk.deallocate() }

    /// The next message; `nil` after the last.
    public func next() throws(SpillError) -> Message? {
        guard position < transaction.size else { return nil }
        let header = try load(SpilledTransaction.headerLength)
        let length = Int(header.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        let subtransaction = header.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        let lsn = header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let total = SpilledTransaction.headerLength + length
        let frame = try load(total)
        position += total
        return Message(
            lsn: LSN(lsn),
            subtransaction: subtransaction,
            bytes: UnsafeRawBufferPointer(rebasing: frame[SpilledTransaction.headerLength...])
        )
    }

    /// The `count` bytes at the position.
    private func load(_ count: Int) throws(SpillError) -> UnsafeRawBufferPointer {
        if position + count > chunkStart + chunkCount { try fill(count) }
        let start = position - chunkStart
        return UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(chunk)[start..<start + count]
        )
    }

    private func fill(_ needed: Int) throws(SpillError) {
        let left = transaction.size - position
        guard needed <= left else { throw SpillError("read", transaction.path, 0) }
        if needed > chunk.count {
            chunk.deallocate()
            chunk = Self.makeChunk(needed + needed / 4)
        }
        let count = min(chunk.count, left)
        try transaction.read(UnsafeMutableRawBufferPointer(rebasing: chunk[..<count]), at: position)
        chunkStart = position
        chunkCount = count
    }
}
