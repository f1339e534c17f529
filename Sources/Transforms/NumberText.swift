internal import ConnectorSDK

/// Numbers as people and files write them.
internal enum NumberText {
    /// Reads a number: a sign, digits, a fraction, an exponent, with blanks around.
    ///
    /// An integer that fits becomes `int`, a plain decimal of up to 18 digits `decimal`, and
    /// anything else `number`, a slice of `text` in JSON's grammar. Nothing is rounded.
    ///
    /// - Returns: `nil` when the text is no number, or could only be written in JSON by copying it.
    @inline(__always)
    static func parse(_ text: UnsafeRawBufferPointer) -> Cell? {
        parsePlain(text) ?? parseAny(text)
    }

    /// Reads the usual case: at most 18 characters of JSON's grammar without an exponent.
    ///
    /// - Returns: `nil` for anything else, be it a number or not.
    @inline(__always)
    private static func parsePlain(_ text: UnsafeRawBufferPointer) -> Cell? {
        guard let start = text.baseAddress, 1...18 ~= text.count else { return nil }
        let end = start + text.count
        var next = start
        let isNegative = next.load(as: UInt8.self) == UInt8(ascii: "-")
        if isNegative { next += 1 }
        let firstDigit = next
        var mantissa: Int64 = 0
        while next < end, isDigit(next.load(as: UInt8.self)) {
            mantissa = mantissa &* 10 &+ Int64(next.load(as: UInt8.self) & 0xf)
            next += 1
        }
        let digits = next - firstDigit
        guard digits > 0, digits == 1 || firstDigit.load(as: UInt8.self) != UInt8(ascii: "0")
        else { return nil }
        if next < end {
            guard next.load(as: UInt8.self) == UInt8(ascii: ".") else { return nil }
            next += 1
            let fraction = next
            while next < end, isDigit(next.load(as: UInt8.self)) {
                mantissa = mantissa &* 10 &+ Int64(next.load(as: UInt8.self) & 0xf)
                next += 1
            }
            guard next == end, next > fraction, mantissa != 0 || !isNegative else { return nil }
            return .decimal(
                isNegative ? 0 &- mantissa : mantissa,
                scale: UInt8(truncatingIfNeeded: next - fraction)
            )
        }
        guard mantissa != 0 || !isNegative else { return nil }
        return .int(isNegative ? 0 &- mantissa : mantissa)
    }

    private static func parseAny(_ text: UnsafeRawBufferPointer) -> Cell? {
        var index = 0
        var end = text.count
        while index < end, isBlank(text[index]) { index += 1 }
        while end > index, isBlank(text[end - 1]) { end -= 1 }
        var start = index
        var isNegative = false
        if index < end, text[index] == UInt8(ascii: "-") {
            isNegative = true
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
        let hasLeadingZeros = index > firstDigit
        let number = UnsafeRawBufferPointer(rebasing: text[index..<end])
        guard let parts = Parts(number) else { return nil }
        if let cell = parts.inlineCell(isNegative: isNegative) { return cell }
        if hasLeadingZeros {
            // `-007…` has no place for the sign without its zeros.
            guard !isNegative else { return nil }
            start = index
        }
        return .slice(.number, UnsafeRawBufferPointer(rebasing: text[start..<end]))
    }

    /// A number without sign and leading zeros, taken apart.
    private struct Parts {
        private var mantissa: UInt64 = 0
        /// Digits from the first that is not 0.
        private var digits = 0
        private var scale = 0
        private var hasExponent = false

        init?(_ text: UnsafeRawBufferPointer) {
            var index = 0
            while index < text.count, isDigit(text[index]) { take(text[index], &index) }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                index += 1
                let fraction = index
                while index < text.count, isDigit(text[index]) { take(text[index], &index) }
                scale = index - fraction
                guard scale > 0 else { return nil }
            }
            if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
                hasExponent = true
                index += 1
                let sign = UInt8(ascii: "-")
                if index < text.count, text[index] == sign || text[index] == UInt8(ascii: "+") {
                    index += 1
                }
                let exponent = index
                while index < text.count, isDigit(text[index]) { index += 1 }
                guard index > exponent else { return nil }
            }
            guard index == text.count else { return nil }
        }

        private mutating func take(_ digit: UInt8, _ index: inout Int) {
            index += 1
            if digits > 0 || digit != UInt8(ascii: "0") { digits += 1 }
            // 19 digits always fit; more are told by their number.
            if digits <= 19 { mantissa = mantissa &* 10 &+ UInt64(digit & 0xf) }
        }

        func inlineCell(isNegative: Bool) -> Cell? {
            guard !hasExponent else { return nil }
            if scale > 0 {
                guard digits <= 18, scale <= 18 else { return nil }
                // A negative zero has no place in a mantissa.
                guard mantissa > 0 || !isNegative else { return nil }
                let value = Int64(mantissa)
                return .decimal(isNegative ? -value : value, scale: UInt8(scale))
            }
            guard digits <= 19, mantissa > 0 || !isNegative else { return nil }
            if isNegative {
                guard mantissa <= Int64.min.magnitude else { return nil }
                return .int(Int64(truncatingIfNeeded: 0 &- mantissa))
            }
            return Int64(exactly: mantissa).map { .int($0) }
        }
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
