internal import CBytes
internal import ConnectorSDK
internal import Glibc

extension OutputCursor {
    /// Writes a JSON string of UTF-8 behind which 16 bytes may be read.
    ///
    /// Copies 16 bytes at a time and looks at the same time whether one needs an escape.
    @inline(__always)
    mutating func string(_ start: UnsafeRawPointer, count: Int) {
        ensure(count &+ 2)
        put(UInt8(ascii: "\""))
        var from = start
        var left = count
        while left >= 16 {
            guard mr_copy_special16(next, from) == 0 else { return escaped(from, count: left) }
            next += 16
            from += 16
            left &-= 16
        }
        if left > 0 {
            let mask = mr_copy_special16(next, from) & ((1 << UInt32(left)) &- 1)
            guard mask == 0 else { return escaped(from, count: left) }
            next += left
        }
        put(UInt8(ascii: "\""))
    }

    /// Writes the rest of a string, escaping what must be, and the closing quote.
    @inline(never)
    mutating func escaped(_ start: UnsafeRawPointer, count: Int) {
        var from = start
        var left = count
        while left > 0 {
            // Six bytes out for one in at worst: ensured piecewise, as 16 MiB of text are rare
            // enough without asking for 96.
            let piece = min(left, 512)
            ensure(piece &* 6 &+ 2)
            escapePiece(from, count: piece)
            from += piece
            left &-= piece
        }
        ensure(1)
        put(UInt8(ascii: "\""))
    }

    /// Reads nothing behind the piece.
    private mutating func escapePiece(_ start: UnsafeRawPointer, count: Int) {
        var from = start
        var left = count
        while left > 0 {
            if left >= 16 {
                let mask = mr_copy_special16(next, from)
                let plain = mask == 0 ? 16 : mask.trailingZeroBitCount
                next += plain
                from += plain
                left &-= plain
                if mask == 0 { continue }
            }
            let byte = from.load(as: UInt8.self)
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                escape(byte)
            } else {
                put(byte)
            }
            from += 1
            left &-= 1
        }
    }

    /// Writes the escape of one byte; 6 bytes are ensured.
    mutating func escape(_ byte: UInt8) {
        put(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte)
        case 0x08: put(UInt8(ascii: "b"))
        case 0x09: put(UInt8(ascii: "t"))
        case 0x0A: put(UInt8(ascii: "n"))
        case 0x0C: put(UInt8(ascii: "f"))
        case 0x0D: put(UInt8(ascii: "r"))
        default:
            put(UInt8(ascii: "u"))
            put(UInt8(ascii: "0"))
            put(UInt8(ascii: "0"))
            put(Self.hexDigit(byte >> 4))
            put(Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value &+ UInt8(ascii: "0") : value &+ (UInt8(ascii: "a") &- 10)
    }

    /// Writes bytes as a JSON string of base64, RFC 4648 section 4, padded.
    @inline(never)
    mutating func base64(_ bytes: UnsafeRawBufferPointer) {
        ensure((bytes.count &+ 2) / 3 &* 4 &+ 2)
        put(UInt8(ascii: "\""))
        var index = 0
        while index &+ 2 < bytes.count {
            let group =
                UInt32(bytes[index]) << 16 | UInt32(bytes[index &+ 1]) << 8
                | UInt32(bytes[index &+ 2])
            put(Base64.digit(group >> 18))
            put(Base64.digit(group >> 12))
            put(Base64.digit(group >> 6))
            put(Base64.digit(group))
            index &+= 3
        }
        let left = bytes.count &- index
        if left > 0 {
            let second = left == 2 ? UInt32(bytes[index &+ 1]) << 8 : 0
            let group = UInt32(bytes[index]) << 16 | second
            put(Base64.digit(group >> 18))
            put(Base64.digit(group >> 12))
            put(left == 2 ? Base64.digit(group >> 6) : UInt8(ascii: "="))
            put(UInt8(ascii: "="))
        }
        put(UInt8(ascii: "\""))
    }

    /// Writes an object or array on one line.
    ///
    /// The white space between tokens goes when a line break is in it; strings cannot hold one.
    @inline(__always)
    mutating func nested(_ text: UnsafeRawBufferPointer) {
        guard text.hasLineBreak else { return copy(text) }
        compact(text)
    }

    @inline(never)
    private mutating func compact(_ text: UnsafeRawBufferPointer) {
        ensure(text.count)
        var inString = false
        var isEscaped = false
        for byte in text {
            if inString {
                put(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else if byte > 0x20 {
                put(byte)
                inString = byte == UInt8(ascii: "\"")
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether a line feed or carriage return is among the bytes.
    internal var hasLineBreak: Bool {
        guard let baseAddress else { return false }
        return memchr(baseAddress, 0x0A, count) != nil || memchr(baseAddress, 0x0D, count) != nil
    }
}
