internal import ConnectorSDK

/// Headers in Kafka's record encoding: varint length, key, varint length or -1, value.
enum RecordHeaders {
    /// Appends one header; a `nil` value is a null.
    static func append(_ key: String, _ value: [UInt8]?, to bytes: inout [UInt8]) {
        appendVarint(key.utf8.count, to: &bytes)
        bytes += key.utf8
        appendVarint(value?.count ?? -1, to: &bytes)
        if let value { bytes += value }
    }

    /// Appends one header whose value is text.
    static func append(_ key: String, _ value: String, to bytes: inout [UInt8]) {
        append(key, Array(value.utf8), to: &bytes)
    }

    /// Reads headers; stops at what is not well-formed.
    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        count: Int
    ) -> [(key: String, value: [UInt8]?)] {
        var headers: [(key: String, value: [UInt8]?)] = []
        var index = 0
        while headers.count < count {
            guard let keyLength = readVarint(bytes, &index), keyLength >= 0,
                keyLength <= bytes.count - index
            else { break }
            let key = String(decoding: bytes[index..<index + keyLength], as: UTF8.self)
            index += keyLength
            guard let valueLength = readVarint(bytes, &index), valueLength <= bytes.count - index
            else { break }
            let value = valueLength < 0 ? nil : Array(bytes[index..<index + valueLength])
            index += max(valueLength, 0)
            headers.append((key, value))
        }
        return headers
    }

    /// Zig-zag, seven bits in each byte.
    private static func appendVarint(_ value: Int, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: Int64((value << 1) ^ (value >> 63)))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func readVarint(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Int? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int(Int64(bitPattern: value >> 1) ^ -Int64(value & 1)) }
        }
        return nil
    }
}
