public import ConnectorSDK

/// A stream whose first bytes were looked at.
public final class PeekedSource {
    private let source: ByteInput.Source
    /// The bytes that were looked at, as far as they are not read or dropped.
    public private(set) var start: [UInt8] = []

    /// Reads the stream's first bytes, one by one, while `isUndecided` of those before them, or
    /// until the stream ends.
    public init(
        _ source: @escaping ByteInput.Source,
        while isUndecided: ([UInt8]) -> Bool
    ) throws(ConnectorError) {
        self.source = source
        let room = Chunk(capacity: 1)
        while isUndecided(start), try source(room.bytes) > 0 { start.append(room.bytes[0]) }
    }

    /// Leaves the first bytes out.
    public func drop(_ count: Int) { start.removeFirst(count) }

    /// Reads on: first what was looked at.
    public func read(into room: UnsafeMutableRawBufferPointer) throws(ConnectorError) -> Int {
        guard !start.isEmpty else { return try source(room) }
        let count = min(start.count, room.count)
        room.copyBytes(from: start.prefix(count))
        start.removeFirst(count)
        return count
    }
}
