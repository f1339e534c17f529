internal import CBytes

/// Undoes the escapes of JSON strings.
internal enum EscapedText {
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }

    /// Writes what a string means to `target`, which has room for its length.
    ///
    /// The string has been scanned: its escapes are complete and its surrogates paired.
    ///
    /// - Returns: the number of bytes written, never more than the string has.
    static func decode(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var from = start
        var to = target
        while from < end {
            if from[0] != UInt8(ascii: "\\") {
                to[0] = from[0]
                to += 1
                from += 1
                continue
            }
            if from[1] != UInt8(ascii: "u") {
                to[0] = plainEscape(from[1])
                to += 1
                from += 2
                continue
            }
            var scalar = codeUnit(from)
            from += 6
            if scalar & 0xFC00 == 0xD800 {
                scalar = 0x10000 &+ (scalar & 0x3FF) << 10 &+ (codeUnit(from) & 0x3FF)
                from += 6
            }
            to += encode(scalar, to)
        }
        return to - target
    }

    private static func plainEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: byte
        }
    }

    private static func codeUnit(_ start: UnsafePointer<UInt8>) -> UInt32 {
        var unit: UInt32 = 0
        for index in 2..<6 { unit = unit << 4 | (hexValue(start[index]) ?? 0) }
        return unit
    }

    private static func encode(_ scalar: UInt32, _ to: UnsafeMutablePointer<UInt8>) -> Int {
        func continuation(_ shift: UInt32) -> UInt8 {
            0x80 | UInt8(truncatingIfNeeded: scalar >> shift & 0x3F)
        }
        switch scalar {
        case 0..<0x80:
            to[0] = UInt8(truncatingIfNeeded: scalar)
            return 1
        case 0x80..<0x800:
            to[0] = 0xC0 | UInt8(truncatingIfNeeded: scalar >> 6)
            to[1] = continuation(0)
            return 2
        case 0x800..<0x10000:
            to[0] = 0xE0 | UInt8(truncatingIfNeeded: scalar >> 12)
            to[1] = continuation(6)
            to[2] = continuation(0)
            return 3
        default:
            to[0] = 0xF0 | UInt8(truncatingIfNeeded: scalar >> 18)
            to[1] = continuation(12)
            to[2] = continuation(6)
            to[3] = continuation(0)
            return 4
        }
    }
}
