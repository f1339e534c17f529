internal import Glibc

/// Numbers as files and people write them, read without losing a digit.
public enum NumberText {
    /// Whether a byte is one of `0` to `9`.
    @inlinable @inline(__always)
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }

    /// Reads a number: a sign, digits, a fraction, an exponent, with blanks around.
    ///
    /// An integer that fits becomes `int`, a plain decimal of up to 18 digits `decimal`, and
    /// anything else `number`, a slice of `text` in JSON's grammar. Nothing is rounded.
    ///
    /// - Returns: `nil` when the text is no number, or could only be written in JSON by copying it.
    @inlinable @inline(__always)
    public static func parse(_ text: UnsafeRawBufferPointer) -> Cell? {
        PlainNumber(text)?.cell ?? parseLenient(text)
    }

    /// The value of an optional sign and decimal digits; `nil` when it is none or too large.
    public static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        let isSigned = isNegative || text.first == UInt8(ascii: "+")
        guard text.count > (isSigned ? 1 : 0) else { return nil }
        var value: Int64 = 0
        for index in (isSigned ? 1 : 0)..<text.count {
            guard isDigit(text[index]) else { return nil }
            let digit = Int64(text[index] & 0xf)
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, overToo) =
                isNegative
                ? product.subtractingReportingOverflow(digit)
                : product.addingReportingOverflow(digit)
            guard !over, !overToo else { return nil }
            value = sum
        }
        return value
    }

    /// The nearest binary number to `-1.5e3`, which may begin or end with its point; `nil` when the
    /// text is none or beyond the largest.
    public static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        // Longer texts are no numbers that a person or program writes.
        guard text.count <= 400, isFloatingPoint(text) else { return nil }
        let value = nearest(text)
        return value.isFinite ? value : nil
    }

    /// The nearest double of a text that is a number, infinite when it is beyond the largest.
    public static func nearest(_ number: UnsafeRawBufferPointer) -> Double {
        withUnsafeTemporaryAllocation(byteCount: number.count + 1, alignment: 1) { buffer in
            buffer.copyMemory(from: number)
            buffer[number.count] = 0
            guard let start = buffer.baseAddress else { return 0 }
            return strtod(start.assumingMemoryBound(to: CChar.self), nil)
        }
    }

    private static func isFloatingPoint(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        func skipDigits() -> Int {
            let start = index
            while index < text.count, isDigit(text[index]) { index += 1 }
            return index - start
        }
        func skip(_ one: Unicode.Scalar, _ other: Unicode.Scalar) -> Bool {
            guard index < text.count,
                text[index] == UInt8(ascii: one) || text[index] == UInt8(ascii: other)
            else { return false }
            index += 1
            return true
        }
        _ = skip("-", "+")
        var digits = skipDigits()
        if skip(".", ".") { digits += skipDigits() }
        guard digits > 0 else { return false }
        if skip("e", "E") {
            _ = skip("-", "+")
            guard skipDigits() > 0 else { return false }
        }
        return index == text.count
    }

    /// Reads what ``PlainNumber`` does not: blanks, a plus sign, leading zeros, an exponent, length.
    @usableFromInline
    internal static func parseLenient(_ text: UnsafeRawBufferPointer) -> Cell? {
        var index = 0
        var end = text.count
        while index < end, isBlank(text[index]) { index += 1 }
        while end > index, isBlank(text[end - 1]) { end -= 1 }
        var start = index
        let isNegative = index < end && text[index] == UInt8(ascii: "-")
        if isNegative {
            index += 1
        } else if index < end, text[index] == UInt8(ascii: "+") {
            index += 1
            start += 1
        }
        let firstDigit = index
        guard index < end, isDigit(text[index]) else { return nil }
        while index + 1 < end, text[index] == UInt8(ascii: "0"), isDigit(text[index + 1]) {
            index += 1
        }
        let number = UnsafeRawBufferPointer(rebasing: text[index..<end])
        if var plain = PlainNumber(number) {
            plain.isNegative = isNegative
            if let cell = plain.cell { return cell }
        } else if !isFloatingPoint(number) || !hasFractionDigits(number) {
            return nil
        }
        if index > firstDigit {
            // `-007…` has no place for the sign without its zeros.
            guard !isNegative else { return nil }
            start = index
        }
        return .slice(.number, UnsafeRawBufferPointer(rebasing: text[start..<end]))
    }

    /// Whether a point has a digit behind it, as JSON wants it.
    private static func hasFractionDigits(_ number: UnsafeRawBufferPointer) -> Bool {
        guard let point = number.firstIndex(of: UInt8(ascii: ".")) else { return true }
        return point + 1 < number.count && isDigit(number[point + 1])
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

/// A number of JSON's grammar without an exponent, taken apart.
@frozen
public struct PlainNumber {
    /// Whether a minus sign stands before it.
    public var isNegative: Bool
    /// The number of digits, without a zero before the point.
    public let digits: Int
    /// The decimal places; 0 for an integer.
    public let scale: Int
    @usableFromInline internal let magnitude: UInt64

    /// Takes a text apart; `nil` when it is no such number.
    @inlinable @inline(__always)
    public init?(_ text: UnsafeRawBufferPointer) {
        guard let start = text.baseAddress else { return nil }
        self.init(start, count: text.count)
    }

    /// Takes the text of `count` bytes from `start` apart; `nil` when it is no such number.
    @inlinable @inline(__always)
    public init?(_ start: UnsafeRawPointer, count: Int) {
        let end = start + count
        var next = start
        isNegative = next < end && next.load(as: UInt8.self) == UInt8(ascii: "-")
        if isNegative { next += 1 }
        let first = next
        // Wraps beyond 19 digits; ``cell`` looks at their number before it trusts the value.
        var value: UInt64 = 0
        while next < end, case let digit = next.load(as: UInt8.self) &- 0x30, digit <= 9 {
            value = value &* 10 &+ UInt64(digit)
            next += 1
        }
        let whole = next - first
        let hasZero = whole > 0 && first.load(as: UInt8.self) == UInt8(ascii: "0")
        guard whole > 0, whole == 1 || !hasZero else { return nil }
        guard next < end else {
            digits = whole
            scale = 0
            magnitude = value
            return
        }
        guard next.load(as: UInt8.self) == UInt8(ascii: ".") else { return nil }
        next += 1
        let point = next
        while next < end {
            let digit = next.load(as: UInt8.self) &- 0x30
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ UInt64(digit)
            next += 1
        }
        guard next > point else { return nil }
        scale = next - point
        digits = next - point + (hasZero ? 0 : whole)
        magnitude = value
    }

    /// The value as an `int` or `decimal`; `nil` when it has more digits than fit, or is a negative
    /// zero, for which neither has a place.
    @inlinable @inline(__always)
    public var cell: Cell? {
        guard magnitude != 0 || !isNegative else { return nil }
        if digits <= 18 {
            let value = Int64(bitPattern: isNegative ? 0 &- magnitude : magnitude)
            return scale == 0
                ? .int(value) : .decimal(value, scale: UInt8(truncatingIfNeeded: scale))
        }
        // 19 digits always fit 64 bits without a sign.
        guard scale == 0, digits == 19 else { return nil }
        let limit = UInt64(Int64.max) + (isNegative ? 1 : 0)
        guard magnitude <= limit else { return nil }
        return .int(Int64(bitPattern: isNegative ? 0 &- magnitude : magnitude))
    }
}
