import CBytes

/// Tells whether bytes are UTF-8.
///
/// Passes over ASCII 16 bytes at a time, and looks at other characters one by one.
enum UTF8Check {
    /// Whether all of `bytes` is UTF-8; reads up to 16 bytes behind them.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        var place = base.assumingMemoryBound(to: UInt8.self)
        let end = place + bytes.count
        while place < end {
            let mask = mr_nonascii16(place)
            guard mask != 0 else {
                place += 16
                continue
            }
            place += mask.trailingZeroBitCount
            guard place < end else { break }
            let length = sequenceLength(place, end - place)
            guard length > 0 else { return false }
            place += length
        }
        return true
    }

    /// The bytes of the well-formed sequence that begins with a byte beyond ASCII, or 0.
    @inline(__always)
    private static func sequenceLength(_ place: UnsafePointer<UInt8>, _ left: Int) -> Int {
        let first = place[0]
        // The range of the second byte excludes overlong forms, surrogates and what follows
        // U+10FFFF.
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard length <= left, second.contains(place[1]) else { return 0 }
        if length > 2, place[2] & 0xC0 != 0x80 { return 0 }
        if length > 3, place[3] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
