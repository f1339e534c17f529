/// A place in a text that is read byte by byte.
struct ByteCursor {
    private let text: UnsafeRawBufferPointer
    private var at = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    /// The byte at the place, or `nil` at the end.
    var peek: UInt8? { at < text.count ? text[at] : nil }

    /// The byte `distance` behind the place.
    func peek(_ distance: Int) -> UInt8? {
        at + distance < text.count ? text[at + distance] : nil
    }

    /// What was not read.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: text[at...]) }

    mutating func skip(_ count: Int) { at += count }

    /// Reads a byte if it is the one.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        at += 1
        return true
    }

    /// Reads a number of so many digits.
    mutating func number(digits: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < digits.upperBound, let byte = peek(count), byte.isDigit {
            value = value * 10 + Int64(byte - 0x30)
            count += 1
        }
        guard digits.contains(count) else { return nil }
        at += count
        return value
    }

    /// Reads up to the next space, and the space if there is one; a word has at least one byte.
    mutating func word() -> UnsafeRawBufferPointer? {
        var end = at
        while end < text.count, text[end] != .space { end += 1 }
        guard end > at else { return nil }
        let word = UnsafeRawBufferPointer(rebasing: text[at..<end])
        at = min(end + 1, text.count)
        return word
    }

    mutating func skipByteOrderMark() {
        if peek == 0xEF, peek(1) == 0xBB, peek(2) == 0xBF { at += 3 }
    }
}

extension UInt8 {
    static let space = UInt8(ascii: " ")
    var isDigit: Bool { self &- 0x30 < 10 }
}
