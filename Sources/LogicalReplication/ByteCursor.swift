/// Reads big-endian values from the front of bytes; nothing is read past their end.
internal struct ByteCursor {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    /// The message being read, for errors.
    internal let message: StaticString

    internal init(_ bytes: UnsafeRawBufferPointer, message: StaticString) {
        self.bytes = bytes
        self.message = message
    }

    /// The bytes not read yet.
    internal var remaining: Int { bytes.count - position }

    internal func cutShort() -> ReplicationError { ReplicationError("a \(message) ends too early") }

    @inline(__always)
    internal mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type = T.self
    ) throws(ReplicationError) -> T {
        guard remaining >= MemoryLayout<T>.size else { throw cutShort() }
        let value = T(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
        position += MemoryLayout<T>.size
        return value
    }

    internal mutating func lsn() throws(ReplicationError) -> LSN { LSN(try integer(UInt64.self)) }

    @inline(__always)
    internal mutating func bytes(_ count: Int) throws(ReplicationError) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw cutShort() }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// The bytes up to a zero, which is read too.
    internal mutating func terminated() throws(ReplicationError) -> UnsafeRawBufferPointer {
        let rest = bytes[position...]
        guard let zero = rest.firstIndex(of: 0) else { throw cutShort() }
        defer { position = zero + 1 }
        return UnsafeRawBufferPointer(rebasing: rest[..<zero])
    }

    internal mutating func text() throws(ReplicationError) -> String {
        String(decoding: try terminated(), as: UTF8.self)
    }

    internal func finish() throws(ReplicationError) {
        guard remaining == 0 else {
            throw ReplicationError("a \(message) has \(remaining) bytes too many")
        }
    }
}
