internal import ConnectorSDK

extension OutputCursor {
    /// What any value that lives inside its cell needs at most.
    static let inlineBytes = 64

    /// Writes a value; a missing one as `null`.
    ///
    /// ``inlineBytes`` are ensured.
    ///
    /// - Returns: `false` when JSON cannot express the value; some of it may then be written.
    @inline(__always)
    mutating func cell(_ cell: Cell) -> Bool {
        switch cell.tag {
        case .string:
            guard let start = UnsafeRawPointer(bitPattern: UInt(cell.bits)) else {
                return word(0x2222, count: 2)
            }
            string(start, count: Int(cell.length))
            return true
        case .int:
            integer(cell.int64)
            return true
        case .decimal:
            decimal(cell.int64, scale: cell.scale)
            return true
        case .missing, .null: return word(0x6C6C_756E, count: 4)
        case .bool:
            return cell.bits != 0
                ? word(0x6575_7274, count: 4) : word(0x65_736C_6166, count: 5)
        default: return rareCell(cell)
        }
    }

    @inline(__always)
    private mutating func word(_ text: UInt64, count: Int) -> Bool {
        put(word: UInt64(littleEndian: text), count: count)
        return true
    }

    @inline(never)
    private mutating func rareCell(_ cell: Cell) -> Bool {
        switch cell.tag {
        case .double: return double(Double(bitPattern: cell.bits))
        case .date, .time, .timestamp, .localTimestamp: return temporal(cell)
        case .number: copy(cell.slice)
        case .bytes: base64(cell.slice)
        default: nested(cell.slice)
        }
        return true
    }
}
