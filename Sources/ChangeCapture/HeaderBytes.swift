internal import ConnectorSDK

/// Headers in Kafka's record encoding: zig-zag varint length, key, zig-zag varint length, value.
internal enum HeaderBytes {
    static func encode(_ key: StaticString, _ value: String) -> Chunk {
        let output = OutputBuffer(capacity: 128)
        append(key, Array(value.utf8), to: output)
        return withExtendedLifetime(output) { Chunk(copying: output.bytes) }
    }

    static func append(_ key: StaticString, _ value: [UInt8], to output: OutputBuffer) {
        value.withUnsafeBytes { append(key, $0, to: output) }
    }

    static func append(
        _ key: StaticString,
        _ value: UnsafeRawBufferPointer,
        to output: OutputBuffer
    ) {
        appendLength(key.utf8CodeUnitCount, to: output)
        output.append(UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        appendLength(value.count, to: output)
        output.append(value)
    }

    private static func appendLength(_ length: Int, to output: OutputBuffer) {
        var rest = UInt64(length) << 1
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }
}
