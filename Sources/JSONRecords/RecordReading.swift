internal import CBytes
internal import ConnectorSDK

/// Reads one object whose keys are mostly the expected ones, at full speed.
///
/// Says `false` at whatever is out of the ordinary, errors included; then the record is parsed
/// anew, slowly. Whatever it accepts is valid.
internal struct RecordReading {
    private let end: UnsafePointer<UInt8>
    private var at: UnsafePointer<UInt8>
    private unowned(unsafe) let batch: RecordBatch
    /// Whether there was more white space than single spaces, outside of strings.
    private(set) var mayHaveLineBreak = false

    @inline(__always)
    init(from start: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>, batch: RecordBatch) {
        at = start
        self.end = end
        self.batch = batch
    }

    /// Reads the object into `cells`, which are all missing.
    @inline(__always)
    mutating func object(of shape: RecordShape, into cells: UnsafeMutablePointer<Cell>) -> Bool {
        guard at < end, at[0] == UInt8(ascii: "{") else { return false }
        at += 1
        let keys = shape.keys
        let count = shape.count
        var column = 0
        while true {
            // Most of the time the next key is the next column's.
            if column < count, end - at >= keys[column].count,
                Bytes.equal(at, keys[column].start, count: keys[column].count)
            {
                at += keys[column].count
            } else {
                guard let found = key(of: shape, from: column) else { return false }
                column = found
            }
            guard value(into: cells + column) else { return false }
            column &+= 1
            guard at < end else { return false }
            if at[0] != UInt8(ascii: ","), at[0] != UInt8(ascii: "}") {
                skipSpace()
                guard at < end else { return false }
            }
            if at[0] == UInt8(ascii: ",") {
                at += 1
                if at < end, at[0] == 0x20 { at += 1 }
                continue
            }
            guard at[0] == UInt8(ascii: "}") else { return false }
            at += 1
            if at == end { return true }
            skipSpace()
            return at == end
        }
    }

    /// Reads a key that is not the expected one; `nil` unless it is a later column's.
    @inline(never)
    private mutating func key(of shape: RecordShape, from column: Int) -> Int? {
        skipSpace()
        guard at < end, at[0] == UInt8(ascii: "\"") else { return nil }
        let name = at + 1
        var scanner = JSONScanner(from: name, to: end)
        while scanner.at < end {
            let mask = mr_special16(scanner.at)
            scanner.at += mask == 0 ? 16 : mask.trailingZeroBitCount
            if mask != 0 { break }
        }
        guard scanner.at < end, scanner.at[0] == UInt8(ascii: "\"") else { return nil }
        guard let found = shape.column(name, count: scanner.at - name), found >= column else {
            return nil
        }
        at = scanner.at + 1
        skipSpace()
        guard at < end, at[0] == UInt8(ascii: ":") else { return nil }
        at += 1
        return found
    }

    @inline(never)
    private mutating func skipSpace() {
        mayHaveLineBreak = true
        while at < end, at[0] == 0x20 || at[0] == 0x0A || at[0] == 0x0D || at[0] == 0x09 {
            at += 1
        }
    }

    @inline(__always)
    private mutating func value(into cell: UnsafeMutablePointer<Cell>) -> Bool {
        guard at < end else { return false }
        if at[0] == 0x20 {
            at += 1
            guard at < end else { return false }
        }
        if at[0] <= 0x20 {
            skipSpace()
            guard at < end else { return false }
        }
        let first = at[0]
        if first == UInt8(ascii: "\"") { return string(into: cell) }
        if first &- 0x30 <= 9 || first == UInt8(ascii: "-") { return number(into: cell) }
        // At most 5 bytes are read, and what is accepted must end before `end`.
        let word = UInt32(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
        switch word {
        case 0x6C6C_756E:
            cell.pointee = .null
            at += 4
        case 0x6575_7274:
            cell.pointee = .bool(true)
            at += 4
        case 0x736C_6166 where at[4] == UInt8(ascii: "e"):
            cell.pointee = .bool(false)
            at += 5
        default: return nested(into: cell)
        }
        return true
    }

    @inline(never)
    private mutating func nested(into cell: UnsafeMutablePointer<Cell>) -> Bool {
        guard at[0] == UInt8(ascii: "{") || at[0] == UInt8(ascii: "[") else { return false }
        var scanner = JSONScanner(from: at, to: end)
        guard scanner.value(depth: 1) else { return false }
        let text = UnsafeRawBufferPointer(start: at, count: scanner.at - at)
        cell.pointee = .slice(.json, text)
        mayHaveLineBreak = true
        at = scanner.at
        return true
    }

    @inline(__always)
    private mutating func string(into cell: UnsafeMutablePointer<Cell>) -> Bool {
        let start = at + 1
        var next = start
        while next < end {
            let mask = mr_special16(next)
            guard mask != 0 else {
                next += 16
                continue
            }
            next += mask.trailingZeroBitCount
            guard next < end else { return false }
            guard next[0] == UInt8(ascii: "\"") else {
                return escapedString(from: start, firstSpecial: next, into: cell)
            }
            cell.pointee = .slice(
                .string,
                UnsafeRawBufferPointer(start: start, count: next - start)
            )
            at = next + 1
            return true
        }
        return false
    }

    @inline(never)
    private mutating func escapedString(
        from start: UnsafePointer<UInt8>,
        firstSpecial: UnsafePointer<UInt8>,
        into cell: UnsafeMutablePointer<Cell>
    ) -> Bool {
        var scanner = JSONScanner(from: start, to: end)
        scanner.at = firstSpecial
        guard scanner.string() else { return false }
        cell.pointee = batch.unescape(start, to: scanner.at - 1)
        at = scanner.at
        return true
    }

    /// Reads integers and plain decimals of at most 18 digits; the others are left to `longNumber`.
    @inline(__always)
    private mutating func number(into cell: UnsafeMutablePointer<Cell>) -> Bool {
        let isNegative = at[0] == UInt8(ascii: "-")
        let start = isNegative ? at + 1 : at
        guard start < end else { return false }
        var next = start
        var mantissa: UInt64 = 0
        while next < end, next[0] &- 0x30 <= 9 {
            mantissa = mantissa &* 10 &+ UInt64(next[0] &- 0x30)
            next += 1
        }
        let whole = next - start
        guard whole > 0, next < end, start[0] != 0x30 || whole == 1 else { return false }
        var scale = 0
        if next[0] == UInt8(ascii: ".") {
            next += 1
            let fraction = next
            while next < end, next[0] &- 0x30 <= 9 {
                mantissa = mantissa &* 10 &+ UInt64(next[0] &- 0x30)
                next += 1
            }
            scale = next - fraction
            guard scale > 0, next < end else { return false }
        }
        if whole &+ scale > 18 || next[0] | 0x20 == UInt8(ascii: "e")
            || isNegative && mantissa == 0
        {
            return longNumber(into: cell)
        }
        let value = Int64(bitPattern: isNegative ? 0 &- mantissa : mantissa)
        cell.pointee =
            scale == 0
            ? .int(value) : .decimal(value, scale: UInt8(truncatingIfNeeded: scale))
        at = next
        return true
    }

    @inline(never)
    private mutating func longNumber(into cell: UnsafeMutablePointer<Cell>) -> Bool {
        var scanner = JSONScanner(from: at, to: end)
        guard scanner.number() else { return false }
        cell.pointee = JSONNumber.cell(at, to: scanner.at)
        at = scanner.at
        return true
    }
}

extension RecordBatch {
    /// The cell of a scanned string with escapes, in the arena.
    internal func unescape(_ start: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) -> Cell {
        let room = arena.allocate(end - start)
        let target = room.bindMemory(to: UInt8.self, capacity: end - start)
        let count = EscapedText.decode(start, to: end, into: target)
        arena.giveBack(end - start - count)
        return .slice(.string, UnsafeRawBufferPointer(start: room, count: count))
    }
}
