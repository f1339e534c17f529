package import ConnectorSDK
internal import Expressions
internal import Glibc
internal import JSONRecords

/// Turns values into values of another type, or says that they are none.
///
/// Integers and decimals must come out exact. Only `float32` and `float64` round, to the nearest.
package struct CastConversion {
    /// Where text is written before it goes into a batch.
    private let scratch = OutputBuffer(capacity: 256)

    package init() {}

    /// The value as `type`; `nil` when it is no such value.
    ///
    /// Null and absence stay as they are.
    package func convert(_ cell: Cell, to type: CastType, in batch: RecordBatch) -> Cell? {
        if cell.isNil { return cell }
        switch type {
        case .int8, .int16, .int32, .int64: return integer(cell, in: type.range)
        case .float64: return double(cell)
        case .float32: return float(cell)
        case .boolean: return boolean(cell)
        case .decimal: return decimal(cell, in: batch)
        case .string: return string(cell, in: batch)
        case .date: return date(cell)
        case .time: return time(cell)
        case .timestamp: return timestamp(cell)
        case .bytes: return bytes(cell)
        }
    }

    /// A whole number: of numbers, of texts that are numbers, true and false as 1 and 0, days of a
    /// date, milliseconds of a time or timestamp.
    private func integer(_ cell: Cell, in range: ClosedRange<Int64>) -> Cell? {
        let value: Int64
        switch cell.tag {
        case .int, .bool, .date: value = cell.int64
        case .decimal:
            guard cell.scale <= 18 else { return nil }
            let unit = ExactNumber.powerOfTen(Int(cell.scale))
            guard cell.int64 % unit == 0 else { return nil }
            value = cell.int64 / unit
        case .double:
            guard let exact = Int64(exactly: Double(bitPattern: cell.bits)) else { return nil }
            value = exact
        case .string:
            guard let number = NumberText.parse(cell.slice) else { return nil }
            return integer(number, in: range)
        case .number:
            // Such as 1e3: exact if the nearest double is the same number.
            let nearest = ExactNumber.double(cell)
            guard let exact = Int64(exactly: nearest),
                ExactNumber.compare(cell, .int(exact)) == 0
            else { return nil }
            value = exact
        case .time, .timestamp, .localTimestamp:
            guard cell.int64 % 1_000 == 0 else { return nil }
            value = cell.int64 / 1_000
        case .missing, .null, .bytes, .json: return nil
        }
        return range.contains(value) ? .int(value) : nil
    }

    /// The nearest double; infinities and NaN are none, since nothing could be done with them.
    private func double(_ cell: Cell) -> Cell? {
        let value: Double
        switch cell.tag {
        case .double, .int, .decimal, .number: value = ExactNumber.double(cell)
        case .bool: value = cell.bits == 0 ? 0 : 1
        case .date: value = Double(cell.int64)
        case .time, .timestamp, .localTimestamp: value = Double(cell.int64) / 1_000
        case .string:
            guard let number = NumberText.parse(cell.slice) else { return nil }
            value = ExactNumber.double(number)
        default: return nil
        }
        return value.isFinite ? .double(value) : nil
    }

    /// The nearest float, as the double that reads the same: 0.1 stays 0.1.
    private func float(_ cell: Cell) -> Cell? {
        guard let wide = double(cell) else { return nil }
        let value = Float(Double(bitPattern: wide.bits))
        guard value.isFinite else { return nil }
        return Double(value.description).map { .double($0) }
    }

    /// True and false; numbers but 0 are true; texts are `true` or `false` in any case.
    private func boolean(_ cell: Cell) -> Cell? {
        switch cell.tag {
        case .bool: return cell
        case .int, .decimal: return .bool(cell.int64 != 0)
        case .double:
            let value = Double(bitPattern: cell.bits)
            return value.isNaN ? nil : .bool(value != 0)
        case .number: return .bool(ExactNumber.compare(cell, .int(0)) != 0)
        case .string:
            if Self.equals(cell.slice, "true") { return .bool(true) }
            return Self.equals(cell.slice, "false") ? .bool(false) : nil
        default: return nil
        }
    }

    /// Whether text is `word`, which has only small letters, in any case.
    private static func equals(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count where text[index] | 0x20 != word.utf8Start[index] {
            return false
        }
        return true
    }

    /// An exact number; a double counts as the shortest decimal that reads as the same double.
    private func decimal(_ cell: Cell, in batch: RecordBatch) -> Cell? {
        switch cell.tag {
        case .decimal, .number: return cell
        case .int: return .decimal(cell.int64, scale: 0)
        case .bool: return .decimal(cell.int64, scale: 0)
        case .double:
            guard Double(bitPattern: cell.bits).isFinite,
                let text = jsonText(cell, in: batch), let number = NumberText.parse(text)
            else { return nil }
            return decimal(number, in: batch)
        case .string:
            guard let number = NumberText.parse(cell.slice) else { return nil }
            return number.tag == .int ? .decimal(number.int64, scale: 0) : number
        default: return nil
        }
    }
}

extension CastConversion {
    /// Text as JSON shows the value, without quotes; bytes as base64, nested values as JSON.
    private func string(_ cell: Cell, in batch: RecordBatch) -> Cell? {
        switch cell.tag {
        case .string: return cell
        case .number, .json:
            var text = cell
            text.tag = .string
            return text
        case .int: return .slice(.string, digits(cell.int64, in: batch))
        default: return jsonText(cell, in: batch).map { .slice(.string, $0) }
        }
    }

    /// An integer's digits, written from the last to the first at the end of a piece of arena.
    private func digits(_ value: Int64, in batch: RecordBatch) -> UnsafeRawBufferPointer {
        // A sign and 19 digits, rounded up.
        let room = 24
        let base = batch.arena.allocate(room)
        var start = room
        var rest = value.magnitude
        repeat {
            start &-= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            base.storeBytes(
                of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit),
                toByteOffset: start,
                as: UInt8.self
            )
            rest = quotient
        } while rest > 0
        if value < 0 {
            start &-= 1
            base.storeBytes(of: UInt8(ascii: "-"), toByteOffset: start, as: UInt8.self)
        }
        return UnsafeRawBufferPointer(start: base + start, count: room &- start)
    }

    /// The value's JSON text without quotes, in the batch's arena.
    private func jsonText(_ cell: Cell, in batch: RecordBatch) -> UnsafeRawBufferPointer? {
        scratch.count = 0
        guard JSONText.appendCell(cell, to: scratch) else { return nil }
        var text = scratch.bytes
        if text.first == UInt8(ascii: "\""), text.count >= 2 {
            text = UnsafeRawBufferPointer(rebasing: text.dropFirst().dropLast())
        }
        return batch.arena.copy(text)
    }

    /// A day: an ISO 8601 date, the day of a timestamp in its own zone, days since 1970-01-01.
    private func date(_ cell: Cell) -> Cell? {
        let microseconds: Int64
        switch cell.tag {
        case .date: return cell
        case .int: return Cell(tag: .date, bits: cell.bits)
        case .string: return TimeText.cell(Self.trim(cell.slice), as: .date)
        case .localTimestamp: microseconds = cell.int64
        case .timestamp:
            let offset = Int64(Int32(bitPattern: cell.length)) * 1_000_000
            let (local, overflow) = cell.int64.addingReportingOverflow(offset)
            guard !overflow else { return nil }
            microseconds = local
        default: return nil
        }
        let days = CivilDate.floor(microseconds, CivilDate.microsecondsPerDay)
        return Cell(tag: .date, bits: UInt64(bitPattern: days))
    }

    /// A time of day: ISO 8601, or milliseconds since midnight.
    private func time(_ cell: Cell) -> Cell? {
        switch cell.tag {
        case .time: return cell
        case .string: return TimeText.cell(Self.trim(cell.slice), as: .time)
        case .int:
            guard 0..<86_400_000 ~= cell.int64 else { return nil }
            return Cell(tag: .time, bits: UInt64(bitPattern: cell.int64 * 1_000))
        default: return nil
        }
    }

    /// An instant: ISO 8601, milliseconds since the epoch, or a day's midnight.
    ///
    /// What names no zone is taken for UTC.
    private func timestamp(_ cell: Cell) -> Cell? {
        let product: (partialValue: Int64, overflow: Bool)
        switch cell.tag {
        case .timestamp: return cell
        case .localTimestamp: return .timestamp(microseconds: cell.int64)
        case .string: return TimeText.instant(Self.trim(cell.slice))
        case .int: product = cell.int64.multipliedReportingOverflow(by: 1_000)
        case .date:
            product = cell.int64.multipliedReportingOverflow(by: CivilDate.microsecondsPerDay)
        default: return nil
        }
        return product.overflow ? nil : .timestamp(microseconds: product.partialValue)
    }

    /// The UTF-8 of a text.
    private func bytes(_ cell: Cell) -> Cell? {
        switch cell.tag {
        case .bytes: return cell
        case .string, .json, .number:
            var bytes = cell
            bytes.tag = .bytes
            return bytes
        default: return nil
        }
    }

    private static func trim(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var (start, end) = (0, text.count)
        while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
        while end > start, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: text[start..<end])
    }
}
