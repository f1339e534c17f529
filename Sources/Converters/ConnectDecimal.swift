internal import ConnectorSDK

/// A decimal of any length, between its text and the bytes of an unscaled integer.
internal struct ConnectDecimal {
    /// Longer numbers are no data; the conversions take time that grows with the square (D9).
    private static let maximumDigits = 2_000

    /// The digits of the unscaled value from 0 to 9, most significant first.
    private var digits: [UInt8]
    private var isNegative: Bool
    /// The value is the unscaled one / 10^`scale`.
    private(set) var scale: Int

    /// Whether the text was a zero with a minus sign, which a decimal is not.
    var isNegativeZero: Bool { isNegative && digits.allSatisfy { $0 == 0 } }

    /// Reads a number in JSON's grammar; `nil` when it is too long.
    init?(text: UnsafeRawBufferPointer) {
        digits = []
        isNegative = text.first == UInt8(ascii: "-")
        scale = 0
        var isFraction = false
        var exponent = 0
        for (index, byte) in text.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte - UInt8(ascii: "0"))
                if isFraction { scale += 1 }
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                let rest = String(decoding: text.dropFirst(index + 1), as: UTF8.self)
                guard let number = Int(rest), number.magnitude <= Self.maximumDigits else {
                    return nil
                }
                exponent = number
            default: break
            }
            guard digits.count <= Self.maximumDigits else { return nil }
            if byte | 0x20 == UInt8(ascii: "e") { break }
        }
        scale -= exponent
        rescale(to: max(scale, 0))
    }

    /// Makes a decimal of a mantissa.
    init(_ mantissa: Int64, scale: Int) {
        digits = String(mantissa.magnitude).utf8.map { $0 - UInt8(ascii: "0") }
        isNegative = mantissa < 0
        self.scale = scale
    }

    /// Adds zeros at the end until the scale is `wanted`, which is not less than it is.
    mutating func rescale(to wanted: Int) {
        guard wanted > scale else { return }
        digits += Array(repeating: 0, count: wanted - scale)
        scale = wanted
    }

    /// The unscaled value in two's complement, big-endian, as short as possible.
    var bytes: [UInt8] {
        var magnitude: [UInt8] = [0]
        for digit in digits {
            var carry = UInt32(digit)
            for index in magnitude.indices.reversed() {
                let product = UInt32(magnitude[index]) * 10 + carry
                magnitude[index] = UInt8(truncatingIfNeeded: product)
                carry = product >> 8
            }
            if carry > 0 { magnitude.insert(UInt8(carry), at: 0) }
        }
        guard isNegative else { return magnitude[0] < 0x80 ? magnitude : [0] + magnitude }
        var carry: UInt16 = 1
        for index in magnitude.indices.reversed() {
            let sum = UInt16(~magnitude[index]) + carry
            magnitude[index] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        // Minus zero is zero; other values need a sign bit.
        if carry > 0 { return [0] }
        return magnitude[0] >= 0x80 ? magnitude : [0xFF] + magnitude
    }

    /// The cell of an unscaled value; a text beyond 64 bits goes to the arena of `batch`.
    static func cell(_ bytes: UnsafeRawBufferPointer, scale: Int, in batch: RecordBatch) -> Cell? {
        guard !bytes.isEmpty, bytes.count <= 830, scale.magnitude <= maximumDigits else {
            return nil
        }
        if bytes.count <= 8, 0...18 ~= scale {
            var value: Int64 = bytes[0] >= 0x80 ? -1 : 0
            for byte in bytes { value = value << 8 | Int64(byte) }
            return scale == 0 ? .int(value) : .decimal(value, scale: UInt8(scale))
        }
        let text = text(Array(bytes), scale: scale)
        return text.withUnsafeBytes { .slice(.number, batch.arena.copy($0)) }
    }

    private static func text(_ bytes: [UInt8], scale: Int) -> [UInt8] {
        let isNegative = bytes[0] >= 0x80
        var rest = bytes
        if isNegative {
            var carry: UInt16 = 1
            for index in rest.indices.reversed() {
                let sum = UInt16(~rest[index]) + carry
                rest[index] = UInt8(truncatingIfNeeded: sum)
                carry = sum >> 8
            }
        }
        var digits: [UInt8] = []
        while rest.contains(where: { $0 != 0 }) {
            var remainder: UInt16 = 0
            for index in rest.indices {
                let part = remainder << 8 | UInt16(rest[index])
                rest[index] = UInt8(part / 10)
                remainder = part % 10
            }
            digits.append(UInt8(ascii: "0") + UInt8(remainder))
        }
        while digits.count <= max(scale, 0) { digits.append(UInt8(ascii: "0")) }
        digits.reverse()
        if scale > 0 { digits.insert(UInt8(ascii: "."), at: digits.count - scale) }
        if scale < 0 { digits += Array(repeating: UInt8(ascii: "0"), count: -scale) }
        return isNegative ? [UInt8(ascii: "-")] + digits : digits
    }
}
