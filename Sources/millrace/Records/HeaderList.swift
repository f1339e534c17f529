/// A record's headers, read from Kafka's encoding: varint length, key, varint length or -1, value.
struct HeaderList {
    /// The headers in order; a value is `nil` when it is null.
    private(set) var headers: [(key: String, value: UnsafeRawBufferPointer?)] = []

    /// Reads headers; stops at what is not well-formed.
    init(_ bytes: UnsafeRawBufferPointer, count: Int) {
        var index = 0
        while headers.count < count {
            guard let keyLength = Self.varint(bytes, &index), keyLength >= 0,
                keyLength <= bytes.count - index
            else { return }
            let key = String(decoding: bytes[index..<index + keyLength], as: UTF8.self)
            index += keyLength
            guard let length = Self.varint(bytes, &index), length <= bytes.count - index else {
                return
            }
            let value =
                length < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[index..<index + length])
            index += max(length, 0)
            headers.append((key, value))
        }
    }

    private static func varint(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Int? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(Int64(bitPattern: value >> 1) ^ -Int64(value & 1)) }
        }
        return nil
    }
}
