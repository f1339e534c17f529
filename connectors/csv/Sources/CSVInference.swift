import ConnectorSDK

/// Decides what an unquoted cell is, and never loses a digit.
enum CSVInference {
    /// The cell as an integer, an exact decimal, a truth value or null, else as it is.
    ///
    /// A number becomes one only where writing it gives the same text again: no leading zeros or
    /// plus sign, no exponent, no bare point. Integers beyond 64 bits stay text.
    @inline(__always)
    static func infer(_ cell: Cell) -> Cell {
        let count = Int(cell.length)
        guard count > 0, let text = UnsafePointer<UInt8>(bitPattern: UInt(cell.bits)) else {
            return .null
        }
        let first = text.pointee
        if first &- 0x30 <= 9 || first == 0x2D { return number(cell, text, count) }
        if first == 0x74 || first == 0x66 { return word(cell, text, count) }
        return cell
    }

    private static func word(
        _ cell: Cell,
        _ text: UnsafePointer<UInt8>,
        _ count: Int
    ) -> Cell {
        guard count == 4 || count == 5 else { return cell }
        let start = UnsafeRawPointer(text).loadUnaligned(as: UInt32.self)
        if count == 4, UInt32(littleEndian: start) == 0x6575_7274 { return .bool(true) }
        if count == 5, UInt32(littleEndian: start) == 0x736C_6166, text[4] == 0x65 {
            return .bool(false)
        }
        return cell
    }

    @inline(__always)
    private static func number(
        _ cell: Cell,
        _ text: UnsafePointer<UInt8>,
        _ count: Int
    ) -> Cell {
        let isNegative = text.pointee == 0x2D
        let start = isNegative ? 1 : 0
        var at = start
        var mantissa: UInt64 = 0
        // Digits wrap past 19 places; `exact` looks at their number before it trusts the value.
        while at < count {
            let digit = text[at] &- 0x30
            guard digit <= 9 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            at &+= 1
        }
        let digits = at &- start
        guard digits > 0, digits == 1 || text[start] != 0x30 else { return cell }
        if at == count {
            guard digits <= 18 else { return longInteger(cell, text, count) }
            if isNegative, mantissa == 0 { return cell }
            let value = Int64(bitPattern: mantissa)
            return .int(isNegative ? 0 &- value : value)
        }
        guard text[at] == 0x2E else { return cell }
        return decimal(cell, text, count, point: at, mantissa: mantissa, isNegative: isNegative)
    }

    @inline(__always)
    private static func decimal(
        _ cell: Cell,
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        point: Int,
        mantissa integer: UInt64,
        isNegative: Bool
    ) -> Cell {
        var mantissa = integer
        var at = point &+ 1
        while at < count {
            let digit = text[at] &- 0x30
            guard digit <= 9 else { return cell }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            at &+= 1
        }
        let scale = count &- point &- 1
        guard scale > 0 else { return cell }
        let digits = count &- 1 &- (isNegative ? 1 : 0)
        if digits > 18 || (isNegative && mantissa == 0) {
            // Exact, but too long for a mantissa, or a negative zero: kept as written.
            var long = cell
            long.tag = .number
            return long
        }
        let value = Int64(bitPattern: mantissa)
        return .decimal(isNegative ? 0 &- value : value, scale: UInt8(truncatingIfNeeded: scale))
    }

    private static func longInteger(
        _ cell: Cell,
        _ text: UnsafePointer<UInt8>,
        _ count: Int
    ) -> Cell {
        guard let value = CSVNumber.integer(UnsafeRawBufferPointer(start: text, count: count))
        else { return cell }
        return .int(value)
    }
}

/// Reads numbers of declared types.
enum CSVNumber {
    /// The value of an optional sign and decimal digits; `nil` when it is none or too large.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        var digits = text[...]
        let isNegative = digits.first == 0x2D
        if isNegative || digits.first == 0x2B { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            let digit = byte &- 0x30
            guard digit <= 9 else { return nil }
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, overToo) =
                isNegative
                ? product.subtractingReportingOverflow(Int64(digit))
                : product.addingReportingOverflow(Int64(digit))
            guard !over, !overToo else { return nil }
            value = sum
        }
        return value
    }

    /// A plain decimal: sign, digits, and a point with digits on at least one side.
    struct Decimal {
        var isNegative: Bool
        /// The digits before the point, without leading zeros.
        var integer: Slice<UnsafeRawBufferPointer>
        /// The digits behind the point.
        var fraction: Slice<UnsafeRawBufferPointer>

        init?(_ text: UnsafeRawBufferPointer) {
            var rest = text[...]
            isNegative = rest.first == 0x2D
            if isNegative || rest.first == 0x2B { rest = rest.dropFirst() }
            let whole = rest.prefix { $0 &- 0x30 <= 9 }
            rest = rest.dropFirst(whole.count)
            if rest.first == 0x2E { rest = rest.dropFirst() }
            fraction = rest.prefix { $0 &- 0x30 <= 9 }
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
}
