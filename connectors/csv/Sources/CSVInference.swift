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
        guard let number = PlainNumber(text, count: count) else { return cell }
        if let value = number.cell { return value }
        guard number.scale > 0 else { return cell }
        // Exact, but too long for a mantissa, or a negative zero: kept as written.
        var long = cell
        long.tag = .number
        return long
    }
}
