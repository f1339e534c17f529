internal import CBytes
internal import ConnectorSDK

/// Reads one object whose keys are mostly the expected ones, at full speed.
///
/// Says no at whatever is out of the ordinary, errors included; then the record is parsed anew,
/// slowly. Whatever it accepts is valid. The place in the text is a local variable that no function
/// out of line has the address of, so that it stays in a register.
internal struct RecordReading {
    typealias Text = UnsafePointer<UInt8>

    private let end: Text
    private unowned(unsafe) let batch: RecordBatch
    private unowned(unsafe) let shape: RecordShape

    @inline(__always)
    init(to end: Text, batch: RecordBatch, shape: RecordShape) {
        self.end = end
        self.batch = batch
        self.shape = shape
    }

    /// What is known of a record that was read.
    enum Result {
        /// Nothing: it must be parsed slowly.
        case refused
        /// Its cells; there is no line break outside of strings.
        case read
        /// Its cells; there may be a line break between tokens.
        case readWithSpace
    }

    /// Reads the object at `start` into `cells`, which are all missing.
    @inline(__always)
    func object(at start: Text, into cells: UnsafeMutablePointer<Cell>) -> Result {
        guard start < end, start[0] == UInt8(ascii: "{") else { return .refused }
        let keys = shape.isSpaced ? shape.spacedKeys : shape.compactKeys
        let count = shape.count
        var result = Result.read
        guard let first = firstKey(after: start + 1, &result) else { return .refused }
        var at = first.next
        var column = first.column
        while true {
            guard value(&at, into: cells + column, &result), at < end else { return .refused }
            column &+= 1
            // Most of the time the next column's key follows.
            if column < count, end - at >= keys[column].count, keys[column].stands(at: at) {
                at += keys[column].count
                continue
            }
            if at[0] == UInt8(ascii: "}") {
                at += 1
                if at == end { return result }
                return space(at) == end ? .readWithSpace : .refused
            }
            guard let found = key(behind: at, from: column) else {
                return isShut(at) ? .readWithSpace : .refused
            }
            column = found.column
            at = found.next
            result = .readWithSpace
        }
    }

    /// Whether nothing but the closing brace is left, with white space around it.
    @inline(never)
    private func isShut(_ start: Text) -> Bool {
        let brace = space(start)
        return brace < end && brace[0] == UInt8(ascii: "}") && space(brace + 1) == end
    }

    /// Reads the first key, which has no comma before it.
    @inline(__always)
    private func firstKey(after at: Text, _ result: inout Result) -> (column: Int, next: Text)? {
        if shape.count > 0 {
            let key = shape.compactKeys[0]
            if end - at >= key.count, key.stands(behindCommaAt: at) {
                return (0, at + key.count - 1)
            }
        }
        result = .readWithSpace
        return name(at: at, from: 0)
    }

    /// Reads a comma and a key that is not the expected one; `nil` unless it is a later column's.
    @inline(never)
    private func key(behind start: Text, from column: Int) -> (column: Int, next: Text)? {
        let comma = space(start)
        guard comma < end, comma[0] == UInt8(ascii: ",") else { return nil }
        let found = name(at: comma + 1, from: column)
        shape.isSpaced = comma[1] == 0x20
        return found
    }

    @inline(never)
    private func name(at start: Text, from column: Int) -> (column: Int, next: Text)? {
        let quote = space(start)
        guard quote < end, quote[0] == UInt8(ascii: "\"") else { return nil }
        let name = quote + 1
        var at = name
        while at < end {
            let mask = mr_special16(at)
            at += mask == 0 ? 16 : mask.trailingZeroBitCount
            if mask != 0 { break }
        }
        guard at < end, at[0] == UInt8(ascii: "\"") else { return nil }
        guard let found = shape.column(name, count: at - name), found >= column else { return nil }
        at = space(at + 1)
        guard at < end, at[0] == UInt8(ascii: ":") else { return nil }
        return (found, at + 1)
    }

    @inline(never)
    private func space(_ start: Text) -> Text {
        var at = start
        while at < end, at[0] == 0x20 || at[0] == 0x0A || at[0] == 0x0D || at[0] == 0x09 {
            at += 1
        }
        return at
    }

    @inline(__always)
    private func value(
        _ at: inout Text,
        into cell: UnsafeMutablePointer<Cell>,
        _ result: inout Result
    ) -> Bool {
        guard at < end else { return false }
        if at[0] <= 0x20 {
            if at[0] == 0x20, at[1] > 0x20 {
                at += 1
            } else {
                at = space(at)
                result = .readWithSpace
            }
            guard at < end else { return false }
        }
        let first = at[0]
        if first == UInt8(ascii: "\"") { return string(&at, into: cell) }
        if first &- 0x30 <= 9 || first == UInt8(ascii: "-") { return number(&at, into: cell) }
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
        default:
            guard let next = nested(at, into: cell) else { return false }
            at = next
            result = .readWithSpace
        }
        return true
    }

    @inline(never)
    private func nested(_ at: Text, into cell: UnsafeMutablePointer<Cell>) -> Text? {
        guard at[0] == UInt8(ascii: "{") || at[0] == UInt8(ascii: "[") else { return nil }
        var scanner = JSONScanner(from: at, to: end)
        guard scanner.value(depth: 1) else { return nil }
        cell.pointee = .slice(.json, UnsafeRawBufferPointer(start: at, count: scanner.at - at))
        return scanner.at
    }

    @inline(__always)
    private func string(_ at: inout Text, into cell: UnsafeMutablePointer<Cell>) -> Bool {
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
                guard let next = escapedString(start, firstSpecial: next, into: cell) else {
                    return false
                }
                at = next
                return true
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
    private func escapedString(
        _ start: Text,
        firstSpecial: Text,
        into cell: UnsafeMutablePointer<Cell>
    ) -> Text? {
        var scanner = JSONScanner(from: start, to: end)
        scanner.at = firstSpecial
        guard scanner.string() else { return nil }
        cell.pointee = batch.unescape(start, to: scanner.at - 1)
        return scanner.at
    }

    // MARK: - Numbers

    /// Reads integers and plain decimals of at most 18 digits; `longNumber` has the others.
    @inline(__always)
    private func number(_ at: inout Text, into cell: UnsafeMutablePointer<Cell>) -> Bool {
        let isNegative = at[0] == UInt8(ascii: "-")
        let start = isNegative ? at + 1 : at
        var next = start
        var mantissa: UInt64 = 0
        Self.digits(&next, onto: &mantissa)
        let whole = next - start
        guard whole > 0, next < end, start[0] != 0x30 || whole == 1 else { return false }
        var scale = 0
        if next[0] == UInt8(ascii: ".") {
            next += 1
            let fraction = next
            Self.digits(&next, onto: &mantissa)
            scale = next - fraction
            guard scale > 0, next < end else { return false }
        }
        if whole &+ scale > 18 || next[0] | 0x20 == UInt8(ascii: "e")
            || isNegative && mantissa == 0
        {
            guard let next = longNumber(at, into: cell) else { return false }
            at = next
            return true
        }
        let value = Int64(bitPattern: isNegative ? 0 &- mantissa : mantissa)
        cell.pointee =
            scale == 0
            ? .int(value) : .decimal(value, scale: UInt8(truncatingIfNeeded: scale))
        at = next
        return true
    }

    /// Appends the digits at `at` to `mantissa`, eight at a time, up to 24 of them.
    ///
    /// Reads up to 32 bytes, whatever they are; the caller checks where the digits end.
    @inline(__always)
    private static func digits(_ at: inout Text, onto mantissa: inout UInt64) {
        var groups = 0
        while groups < 3 {
            let word = UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
            // Digits become 0 ... 9, and adding 0x76 sets the high bit of whatever is more.
            let values = word ^ 0x3030_3030_3030_3030
            let others = (values &+ 0x7676_7676_7676_7676 | values) & 0x8080_8080_8080_8080
            let count = others.trailingZeroBitCount >> 3
            guard count > 0 else { return }
            // The digits at the top, zeros below: then pairs, fours and eights are joined.
            var sum = values << UInt64(64 &- count &* 8)
            sum = (sum &* 10 &+ sum >> 8) & 0x00FF_00FF_00FF_00FF
            sum = (sum &* 100 &+ sum >> 16) & 0x0000_FFFF_0000_FFFF
            sum = (sum &* 10_000 &+ sum >> 32) & 0xFFFF_FFFF
            mantissa = mantissa &* mr_power_of_ten(UInt32(truncatingIfNeeded: count)) &+ sum
            at += count
            guard count == 8 else { return }
            groups &+= 1
        }
    }

    @inline(never)
    private func longNumber(_ at: Text, into cell: UnsafeMutablePointer<Cell>) -> Text? {
        var scanner = JSONScanner(from: at, to: end)
        guard scanner.number() else { return nil }
        cell.pointee = JSONNumber.cell(at, to: scanner.at)
        return scanner.at
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
