internal import ConnectorSDK

/// What the parts of a time that were read so far say.
internal struct TimestampParts {
    var year: Int64?
    var month: Int64 = 1
    var day: Int64 = 1
    var dayOfYear: Int64?
    var hour: Int64 = 0
    var isAfternoon: Bool?
    var minute: Int64 = 0
    var second: Int64 = 0
    var micros: Int64 = 0
    var offset: Int32
    var epoch: Int64?
    let received: Int64

    init(offset: Int32, received: Int64) {
        self.offset = offset
        self.received = received
    }

    /// The time; `nil` when there is no such day or hour.
    var cell: Cell? {
        if let epoch {
            let (whole, overflow) = epoch.multipliedReportingOverflow(by: 1_000_000)
            return overflow
                ? nil : .timestamp(microseconds: whole &+ micros, offsetSeconds: offset)
        }
        var hour = hour
        if let isAfternoon {
            guard 1...12 ~= hour else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        let time = ((hour &* 60 &+ minute) &* 60 &+ second &- Int64(offset)) &* 1_000_000 &+ micros
        if let year { return instant(year, time) }
        // Without a year it is the one that brings the time nearest to when it was received.
        let near = CivilDate.split(microseconds: received).date.year
        var best: Cell?
        for candidate in [near, near - 1, near + 1, near - 2, near - 3, near - 4] {
            guard let cell = instant(candidate, time) else { continue }
            if let best,
                (best.int64 &- received).magnitude <= (cell.int64 &- received).magnitude
            {
                continue
            }
            best = cell
        }
        return best
    }

    private func instant(_ year: Int64, _ time: Int64) -> Cell? {
        let days: Int64?
        if let dayOfYear {
            guard dayOfYear >= 1, dayOfYear <= (CivilDate.isLeap(year) ? 366 : 365) else {
                return nil
            }
            days = CivilDate(year: year, month: 1, day: 1).days.map { $0 + dayOfYear - 1 }
        } else {
            days = CivilDate(year: year, month: month, day: day).days
        }
        guard let days, days.magnitude < 100_000_000 else { return nil }
        return .timestamp(
            microseconds: days &* CivilDate.microsecondsPerDay &+ time,
            offsetSeconds: offset
        )
    }
}

extension TimestampDirective {
    /// Reads the part that the cursor is at; `false` when it is another one.
    func read(_ cursor: inout LineCursor, _ parts: inout TimestampParts) -> Bool {
        switch self {
        case .year: return Self.set(&parts.year, Self.digits(&cursor, 1...4))
        case .shortYear:
            guard let short = Self.digits(&cursor, 2...2) else { return false }
            // As POSIX has it.
            parts.year = short + (short < 69 ? 2_000 : 1_900)
            return true
        case .month: return Self.set(&parts.month, Self.digits(&cursor, 1...2))
        case .monthName: return Self.set(&parts.month, Self.monthName(&cursor))
        case .day:
            _ = cursor.take(0x20)
            return Self.set(&parts.day, Self.digits(&cursor, 1...2))
        case .dayOfYear: return Self.set(&parts.dayOfYear, Self.digits(&cursor, 1...3))
        case .dayName: return Self.letters(&cursor) >= 3
        case .hour, .halfDayHour:
            _ = cursor.take(0x20)
            return Self.set(&parts.hour, Self.digits(&cursor, 1...2))
        case .halfDay: return Self.halfDay(&cursor, &parts)
        case .minute: return Self.set(&parts.minute, Self.digits(&cursor, 2...2))
        case .second: return Self.set(&parts.second, Self.digits(&cursor, 2...2))
        case .fraction(let hasPoint):
            if hasPoint, !cursor.take(UInt8(ascii: ".")) { return true }
            return Self.fraction(&cursor, &parts)
        case .zone: return Self.zone(&cursor, &parts)
        case .zoneName:
            let from = cursor.at
            guard Self.letters(&cursor) > 0 else { return false }
            // Only names of UTC mean one zone the world over.
            let name = String(decoding: LineCursor.bytes(from, cursor.at), as: UTF8.self)
            guard ["UTC", "GMT", "Z"].contains(name) else { return false }
            parts.offset = 0
            return true
        case .epoch: return Self.set(&parts.epoch, Self.digits(&cursor, 1...12))
        case .blanks:
            guard cursor.byte == 0x20 || cursor.byte == 0x09 else { return false }
            while cursor.byte == 0x20 || cursor.byte == 0x09 { cursor.at += 1 }
            return true
        case .literal(let byte): return cursor.take(byte)
        }
    }

    private static func set(_ part: inout Int64, _ value: Int64?) -> Bool {
        guard let value else { return false }
        part = value
        return true
    }

    private static func set(_ part: inout Int64?, _ value: Int64?) -> Bool {
        part = value
        return value != nil
    }

    private static func digits(_ cursor: inout LineCursor, _ count: ClosedRange<Int>) -> Int64? {
        let from = cursor.at
        var value: Int64 = 0
        while cursor.at - from < count.upperBound, case let digit = cursor.byte &- 0x30, digit <= 9
        {
            value = value * 10 + Int64(digit)
            cursor.at += 1
        }
        return cursor.at - from >= count.lowerBound ? value : nil
    }

    private static func letters(_ cursor: inout LineCursor) -> Int {
        let from = cursor.at
        while (cursor.byte | 0x20) &- 0x61 < 26 { cursor.at += 1 }
        return cursor.at - from
    }

    private static func monthName(_ cursor: inout LineCursor) -> Int64? {
        let from = cursor.at
        guard letters(&cursor) >= 3 else { return nil }
        return MonthName.number(from)
    }

    private static func halfDay(_ cursor: inout LineCursor, _ parts: inout TimestampParts) -> Bool {
        switch cursor.byte | 0x20 {
        case UInt8(ascii: "a"): parts.isAfternoon = false
        case UInt8(ascii: "p"): parts.isAfternoon = true
        default: return false
        }
        cursor.at += 1
        guard cursor.byte | 0x20 == UInt8(ascii: "m") else { return false }
        cursor.at += 1
        return true
    }

    private static func fraction(
        _ cursor: inout LineCursor,
        _ parts: inout TimestampParts
    ) -> Bool {
        var unit: Int64 = 100_000
        let from = cursor.at
        while case let digit = cursor.byte &- 0x30, digit <= 9 {
            parts.micros += Int64(digit) * unit
            unit /= 10
            cursor.at += 1
        }
        return cursor.at > from
    }

    private static func zone(_ cursor: inout LineCursor, _ parts: inout TimestampParts) -> Bool {
        if cursor.take(UInt8(ascii: "Z")) || cursor.take(UInt8(ascii: "z")) {
            parts.offset = 0
            return true
        }
        let isNegative = cursor.byte == UInt8(ascii: "-")
        guard cursor.take(UInt8(ascii: "-")) || cursor.take(UInt8(ascii: "+")),
            let hours = digits(&cursor, 2...2), hours < 24
        else { return false }
        _ = cursor.take(UInt8(ascii: ":"))
        let minutes = digits(&cursor, 2...2) ?? 0
        guard minutes < 60 else { return false }
        let seconds = Int32(hours * 3_600 + minutes * 60)
        parts.offset = isNegative ? -seconds : seconds
        return true
    }
}
