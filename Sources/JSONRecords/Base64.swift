internal import ConnectorSDK

/// Base64 as RFC 4648 section 4 has it.
public enum Base64 {
    @inline(__always)
    internal static func digit(_ value: UInt32) -> UInt8 {
        let six = UInt8(truncatingIfNeeded: value & 63)
        switch six {
        case 0..<26: return six &+ UInt8(ascii: "A")
        case 26..<52: return six &- 26 &+ UInt8(ascii: "a")
        case 52..<62: return six &- 52 &+ UInt8(ascii: "0")
        case 62: return UInt8(ascii: "+")
        default: return UInt8(ascii: "/")
        }
    }

    @inline(__always)
    private static func value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit &- UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit &- UInt8(ascii: "a")) &+ 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit &- UInt8(ascii: "0")) &+ 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// Decodes padded base64 to `target`, which has room for three bytes for each four of `text`.
    ///
    /// - Returns: the number of bytes, or `nil` when `text` is no base64.
    public static func decode(
        _ text: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawPointer
    ) -> Int? {
        guard text.count % 4 == 0 else { return nil }
        guard !text.isEmpty else { return 0 }
        let padding =
            text[text.count &- 1] != UInt8(ascii: "=")
            ? 0
            : text[text.count &- 2] != UInt8(ascii: "=") ? 1 : 2
        var written = 0
        var index = 0
        while index < text.count {
            var group: UInt32 = 0
            let isLast = index &+ 4 == text.count
            for place in 0..<4 {
                let isPadding = isLast && place >= 4 &- padding
                guard let six = isPadding ? 0 : value(text[index &+ place]) else { return nil }
                group = group << 6 | six
            }
            // Bits that no byte takes must be zero, or two texts would mean the same bytes.
            if isLast, padding > 0, group & (padding == 1 ? 0xFF : 0xFFFF) != 0 { return nil }
            for place in 0..<(isLast ? 3 &- padding : 3) {
                let byte = UInt8(truncatingIfNeeded: group >> UInt32(16 &- 8 &* place))
                target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                written &+= 1
            }
            index &+= 4
        }
        return written
    }
}
