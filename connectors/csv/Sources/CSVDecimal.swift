import ConnectorSDK

/// A decimal of a declared column: sign, digits, and a point with digits on at least one side.
struct CSVDecimal {
    var isNegative: Bool
    /// The digits before the point, without leading zeros.
    var integer: Slice<UnsafeRawBufferPointer>
    /// The digits behind the point.
    var fraction: Slice<UnsafeRawBufferPointer>

    init?(_ text: UnsafeRawBufferPointer) {
        var rest = text[...]
        isNegative = rest.first == 0x2D
        if isNegative || rest.first == 0x2B { rest = rest.dropFirst() }
        let whole = rest.prefix { NumberText.isDigit($0) }
        rest = rest.dropFirst(whole.count)
        if rest.first == 0x2E { rest = rest.dropFirst() }
        fraction = rest.prefix { NumberText.isDigit($0) }
        guard fraction.count == rest.count, whole.count + fraction.count > 0 else {
            return nil
        }
        integer = whole.drop { $0 == 0x30 }
    }

    /// The value as an inline cell, or `nil` when it has more than 18 digits.
    var cell: Cell? {
        guard integer.count <= 18, fraction.count <= 18,
            integer.count + fraction.count <= 18
        else { return nil }
        var mantissa: Int64 = 0
        for byte in integer { mantissa = mantissa &* 10 &+ Int64(byte &- 0x30) }
        for byte in fraction { mantissa = mantissa &* 10 &+ Int64(byte &- 0x30) }
        return .decimal(isNegative ? 0 &- mantissa : mantissa, scale: UInt8(fraction.count))
    }

    /// Writes the value in JSON's number grammar to `target`, and returns the byte count.
    ///
    /// Needs at most as many bytes as the text had, and one.
    func write(to target: UnsafeMutableRawPointer) -> Int {
        var at = 0
        func put(_ byte: UInt8) {
            target.storeBytes(of: byte, toByteOffset: at, as: UInt8.self)
            at += 1
        }
        if isNegative { put(0x2D) }
        if integer.isEmpty { put(0x30) }
        for byte in integer { put(byte) }
        if !fraction.isEmpty { put(0x2E) }
        for byte in fraction { put(byte) }
        return at
    }
}
