/// Walks over a record's headers as ``RecordMetadata/headers`` holds them, without copying: keys
/// and values in turn, each a zig-zag varint length and its bytes.
public struct HeaderReader {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    /// The bytes passed so far.
    public var offset: Int { at }

    /// Starts before the first key.
    public init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next key or value; a null value as an empty one; `nil` when the bytes are cut off.
    public mutating func next() -> UnsafeRawBufferPointer? {
        var encoded: UInt32 = 0
        var shift: UInt32 = 0
        while true {
            guard at < bytes.count, shift < 32 else { return nil }
            let byte = bytes[at]
            at += 1
            encoded |= UInt32(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        let length = Int(Int32(bitPattern: encoded >> 1) ^ -Int32(bitPattern: encoded & 1))
        guard length > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard length <= bytes.count - at else { return nil }
        defer { at += length }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<(at + length)])
    }

    /// The value of the first header with this key; `nil` when there is none.
    public static func value(
        of key: StaticString,
        in metadata: RecordMetadata
    ) -> UnsafeRawBufferPointer? {
        if metadata.headerCount == 0 { return nil }
        let name = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        var reader = HeaderReader(bytes: metadata.headers)
        for _ in 0..<metadata.headerCount {
            guard let key = reader.next(), let value = reader.next() else { return nil }
            if key.elementsEqual(name) { return value }
        }
        return nil
    }
}
