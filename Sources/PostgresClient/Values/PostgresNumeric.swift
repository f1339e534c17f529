/// The binary form of `numeric`: groups of four decimal digits, their weight, a sign, and how many
/// digits behind the point are shown.
public enum PostgresNumeric {
    /// What a value is.
    @frozen
    public enum Value: Equatable, Sendable {
        /// `mantissa` / 10^`scale`, exactly; `scale` is at most 18.
        case decimal(mantissa: Int64, scale: UInt8)
        /// More digits than that; see ``PostgresNumeric/text(_:)``.
        case long
        /// Not a number.
        case nan
        /// Greater than every number.
        case infinity
        /// Less than every number.
        case negativeInfinity
    }

    @usableFromInline internal static let negative: UInt16 = 0x4000
    @usableFromInline internal static let nan: UInt16 = 0xC000
    @usableFromInline internal static let infinity: UInt16 = 0xD000
    @usableFromInline internal static let negativeInfinity: UInt16 = 0xF000
    /// Digits before the point that PostgreSQL takes at most.
    internal static let wholeDigitLimit = 131_072
    /// Digits behind the point that PostgreSQL takes at most.
    internal static let scaleLimit = 16_383

    @inlinable @inline(__always)
    internal static func word(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt16 {
        UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self))
    }

    /// Reads a value; `nil` when the bytes are none.
    @inlinable
    public static func decode(_ bytes: UnsafeRawBufferPointer) -> Value? {
        guard bytes.count >= 8 else { return nil }
        let count = Int(word(bytes, 0))
        guard bytes.count == 8 &+ 2 &* count else { return nil }
        let sign = word(bytes, 2)
        let scale = Int(word(bytes, 3))
        guard sign == 0 || sign == negative else { return special(sign) }
        guard count <= 5, scale <= 18 else { return .long }
        var mantissa: UInt64 = 0
        for group in 0..<count {
            let digits = UInt64(word(bytes, 4 &+ group))
            guard digits < 10_000 else { return nil }
            let (product, over) = mantissa.multipliedReportingOverflow(by: 10_000)
            let (sum, carry) = product.addingReportingOverflow(digits)
            guard !over, !carry else { return .long }
            mantissa = sum
        }
        // The groups are so many decimal digits behind the point.
        let weight = Int(Int16(bitPattern: word(bytes, 1)))
        let behind = count == 0 ? scale : 4 &* (count &- 1 &- weight)
        if behind > scale {
            guard behind &- scale <= 18 else { return .long }
            let (quotient, rest) = mantissa.quotientAndRemainder(
                dividingBy: powerOfTen(behind &- scale)
            )
            // More digits than are shown: no server sends that.
            guard rest == 0 else { return .long }
            mantissa = quotient
        } else if behind < scale {
            guard scale &- behind <= 18 else { return mantissa == 0 ? zero(scale) : .long }
            let (product, over) = mantissa.multipliedReportingOverflow(
                by: powerOfTen(scale &- behind)
            )
            guard !over else { return .long }
            mantissa = product
        }
        guard let value = Int64(exactly: mantissa) else { return .long }
        return .decimal(
            mantissa: sign == negative ? 0 &- value : value,
            scale: UInt8(truncatingIfNeeded: scale)
        )
    }

    @usableFromInline
    internal static func zero(_ scale: Int) -> Value {
        .decimal(mantissa: 0, scale: UInt8(truncatingIfNeeded: scale))
    }

    @usableFromInline
    internal static func special(_ sign: UInt16) -> Value? {
        switch sign {
        case nan: .nan
        case infinity: .infinity
        case negativeInfinity: .negativeInfinity
        default: nil
        }
    }

    /// 10^`exponent`, for exponents of 0 to 18.
    @inlinable @inline(__always)
    internal static func powerOfTen(_ exponent: Int) -> UInt64 {
        var result: UInt64 = 1
        for _ in 0..<exponent { result = result &* 10 }
        return result
    }

    /// A value of any length as the server would write it; `nil` when the bytes are none.
    public static func text(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard bytes.count >= 8, bytes.count == 8 + 2 * Int(word(bytes, 0)) else { return nil }
        let count = Int(word(bytes, 0))
        let sign = word(bytes, 2)
        let weight = Int(Int16(bitPattern: word(bytes, 1)))
        let scale = Int(word(bytes, 3))
        switch special(sign) {
        case .nan: return Array("NaN".utf8)
        case .infinity: return Array("Infinity".utf8)
        case .negativeInfinity: return Array("-Infinity".utf8)
        default: break
        }
        guard scale <= scaleLimit, sign == 0 || sign == negative else { return nil }
        func group(_ position: Int) -> Int {
            let index = weight - position
            return index >= 0 && index < count ? Int(word(bytes, 4 + index)) : 0
        }
        var result: [UInt8] = sign == negative ? [UInt8(ascii: "-")] : []
        if weight < 0 {
            result.append(UInt8(ascii: "0"))
        } else {
            result += Array(String(group(weight)).utf8)
            for position in stride(from: weight - 1, through: 0, by: -1) {
                append(group(position), 4, to: &result)
            }
        }
        guard scale > 0 else { return result }
        result.append(UInt8(ascii: "."))
        for place in 0..<(scale + 3) / 4 {
            append(group(-1 - place), min(4, scale - 4 * place), to: &result)
        }
        return result
    }

    /// Appends the first `count` of a group's four digits.
    private static func append(_ group: Int, _ count: Int, to result: inout [UInt8]) {
        var divisor = 1_000
        for _ in 0..<count {
            result.append(UInt8(truncatingIfNeeded: group / divisor % 10) &+ 0x30)
            divisor /= 10
        }
    }
}
