/// Intervals as the server writes them with `IntervalStyle = iso_8601`: `P1Y2M3DT4H5M6.78S`.
internal enum IntervalText {
    /// Microseconds of a day, and of a month of 30.4375 days, as Debezium has it.
    private static let day: Int64 = 86_400_000_000
    private static let month: Int64 = 2_629_800_000_000

    /// The interval in microseconds; `nil` when it is none, or too long.
    internal static func microseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        var rest = text[...]
        guard rest.popFirst() == UInt8(ascii: "P"), !rest.isEmpty else { return nil }
        var sum: Int64 = 0
        var isTime = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "T") {
                isTime = true
                rest = rest.dropFirst()
                continue
            }
            guard let (value, fraction) = number(&rest), let unit = rest.popFirst(),
                let factor = factor(unit, isTime: isTime)
            else { return nil }
            // Only seconds have a fraction.
            guard fraction == 0 || factor == 1_000_000 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: factor)
            let (part, carry) = product.addingReportingOverflow(fraction)
            let (total, excess) = sum.addingReportingOverflow(part)
            if overflow || carry || excess { return nil }
            sum = total
        }
        return sum
    }

    private static func factor(_ unit: UInt8, isTime: Bool) -> Int64? {
        switch (unit, isTime) {
        case (UInt8(ascii: "Y"), false): 12 * month
        case (UInt8(ascii: "M"), false): month
        case (UInt8(ascii: "D"), false): day
        case (UInt8(ascii: "H"), true): 3_600_000_000
        case (UInt8(ascii: "M"), true): 60_000_000
        case (UInt8(ascii: "S"), true): 1_000_000
        default: nil
        }
    }

    /// A number with its sign, and its fraction in millionths with the same sign.
    private static func number(_ rest: inout Slice<UnsafeRawBufferPointer>) -> (Int64, Int64)? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        var value: Int64 = 0
        var digits = 0
        while let byte = rest.first, byte &- 0x30 <= 9 {
            guard digits < 18 else { return nil }
            value = value * 10 + Int64(byte &- 0x30)
            digits += 1
            rest = rest.dropFirst()
        }
        guard digits > 0 else { return nil }
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            var place: Int64 = 100_000
            while let byte = rest.first, byte &- 0x30 <= 9 {
                fraction += Int64(byte &- 0x30) * place
                place /= 10
                rest = rest.dropFirst()
            }
        }
        return isNegative ? (-value, -fraction) : (value, fraction)
    }
}
