extension PostgresNumeric {
    /// The bytes that ``write(mantissa:scale:to:)`` needs at most.
    public static let capacity = 32

    @inlinable @inline(__always)
    internal static func put(_ word: UInt16, _ index: Int, _ target: UnsafeMutableRawPointer) {
        target.storeBytes(of: word.bigEndian, toByteOffset: 2 &* index, as: UInt16.self)
    }

    /// Writes `mantissa` / 10^`scale`, `scale` being at most 18, and returns the bytes written.
    @inlinable
    public static func write(
        mantissa: Int64,
        scale: Int,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        let power = powerOfTen(scale)
        var (whole, rest) = mantissa.magnitude.quotientAndRemainder(dividingBy: power)
        // Behind the point, groups begin at the point; before it, they end there.
        var count = 0
        var weight = -1
        if whole > 0 {
            var divisor: UInt64 = 1
            weight = 0
            while whole / divisor >= 10_000 {
                divisor = divisor &* 10_000
                weight &+= 1
            }
            while divisor > 0 {
                let (group, left) = whole.quotientAndRemainder(dividingBy: divisor)
                put(UInt16(truncatingIfNeeded: group), 4 &+ count, target)
                count &+= 1
                whole = left
                divisor /= 10_000
            }
        }
        var left = scale
        while left > 0, rest > 0 {
            let group: UInt64
            if left >= 4 {
                (group, rest) = rest.quotientAndRemainder(dividingBy: powerOfTen(left &- 4))
            } else {
                group = rest &* powerOfTen(4 &- left)
                rest = 0
            }
            left &-= 4
            if count == 0, group == 0 {
                weight &-= 1
                continue
            }
            put(UInt16(truncatingIfNeeded: group), 4 &+ count, target)
            count &+= 1
        }
        while count > 0,
            target.loadUnaligned(fromByteOffset: 2 &* (3 &+ count), as: UInt16.self) == 0
        {
            count &-= 1
        }
        put(UInt16(truncatingIfNeeded: count), 0, target)
        put(UInt16(bitPattern: Int16(truncatingIfNeeded: count == 0 ? 0 : weight)), 1, target)
        put(mantissa < 0 ? negative : 0, 2, target)
        put(UInt16(truncatingIfNeeded: scale), 3, target)
        return 8 &+ 2 &* count
    }

    /// Writes a value that is no number, and returns the bytes written.
    public static func write(_ value: Value, to target: UnsafeMutableRawPointer) -> Int? {
        let sign: UInt16
        switch value {
        case .nan: sign = nan
        case .infinity: sign = infinity
        case .negativeInfinity: sign = negativeInfinity
        case .decimal, .long: return nil
        }
        for (index, word) in [0, 0, sign, 0].enumerated() { put(word, index, target) }
        return 8
    }

    /// The binary form of a number's text, of any length: a sign, digits, a fraction, an exponent;
    /// or `NaN`, `Infinity`, `-Infinity`.
    ///
    /// - Returns: `nil` when the text is something else, or has more digits than the type takes.
    public static func encode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        if let special = specialValue(text) {
            return [UInt8](unsafeUninitializedCapacity: 8) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                count = write(special, to: UnsafeMutableRawPointer(base)) ?? 0
            }
        }
        return DecimalDigits(text)?.binary
    }

    /// The value that one of three words stands for.
    internal static func specialValue(_ text: UnsafeRawBufferPointer) -> Value? {
        switch text.count {
        case 3 where text.elementsEqual("NaN".utf8): .nan
        case 8 where text.elementsEqual("Infinity".utf8): .infinity
        case 9 where text.elementsEqual("-Infinity".utf8): .negativeInfinity
        default: nil
        }
    }
}

/// The digits of a number's text, and where the point is among them.
private struct DecimalDigits {
    private var isNegative = false
    private var digits: [UInt8] = []
    /// Digits before the point; may be negative or beyond the digits.
    private var point = 0
    /// Digits behind the point that are to be shown.
    private var scale = 0

    init?(_ text: UnsafeRawBufferPointer) {
        var index = 0
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        var fraction: Int?
        while index < text.count {
            let byte = text[index]
            if byte &- 0x30 <= 9 {
                digits.append(byte &- 0x30)
                if let count = fraction { fraction = count + 1 }
            } else if byte == UInt8(ascii: "."), fraction == nil {
                fraction = 0
            } else {
                break
            }
            index += 1
        }
        guard !digits.isEmpty else { return nil }
        var exponent = 0
        if index < text.count {
            guard text[index] | 0x20 == UInt8(ascii: "e"),
                let value = Self.exponent(text.dropFirst(index + 1))
            else { return nil }
            exponent = value
        }
        point = digits.count - (fraction ?? 0) + exponent
        scale = max(0, (fraction ?? 0) - exponent)
        guard scale <= PostgresNumeric.scaleLimit, point <= PostgresNumeric.wholeDigitLimit else {
            return nil
        }
    }

    private static func exponent(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        var digits = text[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value = 0
        for byte in digits {
            guard byte &- 0x30 <= 9 else { return nil }
            // Far beyond what the type takes, and far from an overflow.
            value = min(value * 10 + Int(byte &- 0x30), 1_000_000)
        }
        return isNegative ? -value : value
    }

    /// The digit at a place, 0 being the last before the point.
    private func digit(_ place: Int) -> Int {
        let index = point - 1 - place
        return index >= 0 && index < digits.count ? Int(digits[index]) : 0
    }

    var binary: [UInt8] {
        var groups: [Int] = []
        let highest = (max(point, 0) + 3) / 4 - 1
        let lowest = -((scale + 3) / 4)
        for group in stride(from: highest, through: lowest, by: -1) {
            groups.append(
                (0..<4).reduce(0) { $0 * 10 + digit(4 * group + 3 - $1) }
            )
        }
        let leading = groups.prefix { $0 == 0 }.count
        groups.removeFirst(leading)
        while groups.last == 0 { groups.removeLast() }
        let weight = groups.isEmpty ? 0 : highest - leading
        let isZero = groups.isEmpty
        let words = [
            UInt16(truncatingIfNeeded: groups.count),
            UInt16(bitPattern: Int16(truncatingIfNeeded: weight)),
            isNegative && !isZero ? PostgresNumeric.negative : 0,
            UInt16(truncatingIfNeeded: scale),
        ]
        return (words + groups.map { UInt16(truncatingIfNeeded: $0) }).flatMap { word in
            [UInt8(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word)]
        }
    }
}
