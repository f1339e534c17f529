/// Appends headers in the form of ``RecordMetadata/headers``: for each a zig-zag varint length and
/// the key, a zig-zag varint length and the value.
public enum HeaderWriter {
    /// Appends one header; `nil` is a null value.
    public static func append(
        _ key: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer?,
        to output: OutputBuffer
    ) {
        appendLength(key.count, to: output)
        output.append(key)
        guard let value else { return output.append(UInt8(1)) }
        appendLength(value.count, to: output)
        output.append(value)
    }

    /// Appends one header whose value is text.
    public static func append(_ key: String, _ value: String, to output: OutputBuffer) {
        var key = key
        var value = value
        key.withUTF8 { key in
            value.withUTF8 { value in
                append(UnsafeRawBufferPointer(key), UnsafeRawBufferPointer(value), to: output)
            }
        }
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
