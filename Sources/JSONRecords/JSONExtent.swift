internal import CBytes

/// Finds where a JSON value ends in a stream that comes in pieces.
///
/// It counts brackets outside of strings and checks nothing else, so that a value can be found or
/// skipped whatever its size; what is kept of it is parsed strictly afterwards.
public struct JSONExtent: Sendable {
    private var depth: Int
    private var inString = false
    private var isEscaped = false
    /// Whether the value is a number or literal, which ends before what follows or with the stream.
    public let isScalar: Bool

    /// Begins before a value whose first byte is `first`.
    public init(first: UInt8) {
        depth = 0
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): isScalar = false
        default: isScalar = true
        }
    }

    /// Begins between two values inside `depth` open objects or arrays, to find where all are shut.
    public init(depth: Int) {
        self.depth = depth
        isScalar = false
    }

    /// Whether what was seen last is inside a string.
    public var isInString: Bool { inString }

    /// Goes on with the next piece.
    ///
    /// - Returns: how many of its bytes belong to the value, when it ends in the piece.
    public mutating func advance(_ piece: UnsafeRawBufferPointer) -> Int? {
        guard let start = piece.baseAddress else { return nil }
        if isScalar { return piece.firstIndex(where: Self.endsScalar) }
        let count = piece.count
        var at = 0
        while at < count {
            if isEscaped {
                isEscaped = false
                at &+= 1
                continue
            }
            if count &- at >= 16 {
                let mask =
                    inString
                    ? mr_match2_16(start + at, UInt8(ascii: "\""), UInt8(ascii: "\\"))
                    : mr_json_brackets16(start + at)
                at &+= mask == 0 ? 16 : mask.trailingZeroBitCount
                if mask == 0 { continue }
            }
            let byte = piece[at]
            at &+= 1
            if step(byte) { return at }
        }
        return nil
    }

    /// Takes one byte; `true` when the value ends with it.
    @inline(__always)
    private mutating func step(_ byte: UInt8) -> Bool {
        if inString {
            if byte == UInt8(ascii: "\\") { isEscaped = true }
            guard byte == UInt8(ascii: "\"") else { return false }
            inString = false
            return depth == 0
        }
        switch byte {
        case UInt8(ascii: "\""): inString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth &-= 1
            return depth <= 0
        default: break
        }
        return false
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0D, 0x20, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\""):
            true
        default: false
        }
    }
}
