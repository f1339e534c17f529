internal import CBytes
package import ConnectorSDK

/// Compares numbers of all kinds by their exact value.
///
/// A `double` against a fraction is compared with the double nearest to the fraction, so that 0.1
/// is 0.1 in either form; against an integer it is compared exactly.
package enum ExactNumber {
    /// Less than, equal to or greater than 0, as `left` is to `right`.
    ///
    /// NaN is below all numbers.
    package static func compare(_ left: Cell, _ right: Cell) -> Int {
        switch (left.tag, right.tag) {
        case (.int, .int): order(left.int64, right.int64)
        case (.double, .double):
            order(Double(bitPattern: left.bits), Double(bitPattern: right.bits))
        case (.double, .int): compare(Double(bitPattern: left.bits), right.int64)
        case (.int, .double): -compare(Double(bitPattern: right.bits), left.int64)
        case (.double, _): order(Double(bitPattern: left.bits), double(right))
        case (_, .double): order(double(left), Double(bitPattern: right.bits))
        case (.number, _), (_, .number): compareDigits(left, right)
        default: compareScaled(left, right)
        }
    }

    /// The nearest double of a number.
    package static func double(_ cell: Cell) -> Double {
        switch cell.tag {
        case .double: return Double(bitPattern: cell.bits)
        case .int: return Double(cell.int64)
        case .decimal where cell.int64.magnitude <= 1 << 53 && cell.scale <= 18:
            // Both sides are exact, so the quotient is rounded once.
            return Double(cell.int64) / Double(powerOfTen(Int(cell.scale)))
        default:
            return withText(cell) { NumberText.nearest($0) }
        }
    }

    /// Calls `body` with the number's text in plain digits; not for doubles.
    package static func withText<R>(_ cell: Cell, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        guard cell.tag != .number else { return body(cell.slice) }
        // A sign, 20 digits, up to 255 decimal places and a point.
        return withUnsafeTemporaryAllocation(byteCount: 288, alignment: 1) { buffer in
            var start = buffer.count
            var rest = cell.int64.magnitude
            var places = cell.tag == .decimal ? Int(cell.scale) : 0
            if places > 0 {
                while places > 0 {
                    start -= 1
                    buffer[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                    places -= 1
                }
                start -= 1
                buffer[start] = UInt8(ascii: ".")
            }
            repeat {
                start -= 1
                buffer[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            if cell.int64 < 0 {
                start -= 1
                buffer[start] = UInt8(ascii: "-")
            }
            return body(UnsafeRawBufferPointer(rebasing: buffer[start...]))
        }
    }

    /// Ten to the power of a number from 0 to 18.
    @inline(__always)
    package static func powerOfTen(_ exponent: Int) -> Int64 {
        Int64(bitPattern: mr_power_of_ten(UInt32(truncatingIfNeeded: exponent)))
    }

    @inline(__always)
    private static func order<T: Comparable>(_ left: T, _ right: T) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    private static func order(_ left: Double, _ right: Double) -> Int {
        if left < right { return -1 }
        if left == right { return 0 }
        if left > right { return 1 }
        return (left.isNaN ? 0 : 1) - (right.isNaN ? 0 : 1)
    }

    private static func compare(_ left: Double, _ right: Int64) -> Int {
        // 2^63; below it a double converts exactly once its fraction is off.
        guard left < 0x1p63 else { return 1 }
        guard left >= -0x1p63 else { return -1 }
        let whole = left.rounded(.towardZero)
        let difference = order(Int64(whole), right)
        return difference != 0 ? difference : order(left, whole)
    }

    /// Compares a decimal with a decimal or integer, `nil` where that takes more than 64 bits.
    @inline(__always)
    package static func compareDecimal(_ left: Cell, _ right: Cell) -> Int? {
        guard right.tag == .decimal || right.tag == .int else { return nil }
        let rightScale = right.tag == .decimal ? right.scale : 0
        if left.scale == rightScale { return order(left.int64, right.int64) }
        guard left.scale > rightScale, left.scale <= 18 else { return nil }
        let unit = powerOfTen(Int(left.scale &- rightScale))
        let (scaled, overflow) = right.int64.multipliedReportingOverflow(by: unit)
        return overflow ? nil : order(left.int64, scaled)
    }

    /// Compares integers and decimals: 2^63 × 10^18 fits 128 bits.
    private static func compareScaled(_ left: Cell, _ right: Cell) -> Int {
        let leftScale = left.tag == .decimal ? Int(left.scale) : 0
        let rightScale = right.tag == .decimal ? Int(right.scale) : 0
        if leftScale == rightScale { return order(left.int64, right.int64) }
        guard leftScale <= 18, rightScale <= 18 else { return compareDigits(left, right) }
        let scale = max(leftScale, rightScale)
        return order(
            Int128(left.int64) * Int128(powerOfTen(scale - leftScale)),
            Int128(right.int64) * Int128(powerOfTen(scale - rightScale))
        )
    }

    private static func compareDigits(_ left: Cell, _ right: Cell) -> Int {
        withText(left) { left in
            withText(right) { right in
                DecimalDigits(left).compare(DecimalDigits(right))
            }
        }
    }
}

/// The digits of a number's text, wherever its point and exponent put them.
private struct DecimalDigits {
    private let text: UnsafeRawBufferPointer
    /// -1, 0 or 1.
    private var sign = 0
    /// Where the first digit that is not 0 stands.
    private var first = 0
    /// Where the exponent or the text ends the digits.
    private var end: Int
    /// The power of ten of the first digit.
    private var magnitude = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        end = text.count
        let isNegative = text.first == UInt8(ascii: "-")
        var point: Int?
        for index in (isNegative ? 1 : 0)..<max(text.count, isNegative ? 1 : 0) {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                point = index
            } else if byte | 0x20 == UInt8(ascii: "e") {
                end = index
                break
            } else if sign == 0, byte != UInt8(ascii: "0") {
                sign = isNegative ? -1 : 1
                first = index
            }
        }
        let unit = point ?? end
        magnitude = first < unit ? unit - first - 1 : unit - first
        magnitude = magnitude &+ exponent()
    }

    /// The exponent, cut off at a trillion: no text has as many digits.
    private func exponent() -> Int {
        guard end < text.count else { return 0 }
        var value = 0
        var isNegative = false
        for byte in text[(end + 1)...] {
            if byte == UInt8(ascii: "-") { isNegative = true }
            guard NumberText.isDigit(byte) else { continue }
            value = min(value * 10 + Int(byte & 0xf), 1_000_000_000_000)
        }
        return isNegative ? -value : value
    }

    func compare(_ other: DecimalDigits) -> Int {
        guard sign == other.sign, sign != 0 else { return (sign - other.sign).signum() }
        guard magnitude == other.magnitude else {
            return magnitude < other.magnitude ? -sign : sign
        }
        var (mine, theirs) = (first, other.first)
        while mine < end || theirs < other.end {
            let (left, right) = (next(&mine), other.next(&theirs))
            if left != right { return left < right ? -sign : sign }
        }
        return 0
    }

    /// The digit at `index`, 0 behind the end; moves on past a point.
    private func next(_ index: inout Int) -> UInt8 {
        if index < end, text[index] == UInt8(ascii: ".") { index += 1 }
        guard index < end else { return UInt8(ascii: "0") }
        defer { index += 1 }
        return text[index]
    }
}
