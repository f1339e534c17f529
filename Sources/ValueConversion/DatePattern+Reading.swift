internal import ConnectorSDK
internal import Glibc

extension DatePattern {
    /// The time that a text means, in microseconds since 1970-01-01T00:00:00Z; `nil` when it is not
    /// written as the pattern has it.
    package func read(_ text: UnsafeRawBufferPointer) -> Int64? {
        var reading = DateReading(text)
        for element in elements {
            switch element {
            case .text(let expected): guard reading.skip(expected) else { return nil }
            case .field(let field, let count, let isFixed):
                guard reading.field(field, count, isFixed: isFixed) else { return nil }
            }
        }
        return reading.isAtEnd ? reading.microseconds : nil
    }
}

/// A text that is being read as a date and time, and what was found in it.
private struct DateReading {
    private let text: UnsafeRawBufferPointer
    private var at = 0
    private var year: Int64 = 1_970
    private var isBeforeChrist = false
    private var month: Int64 = 1
    private var day: Int64 = 1
    private var dayOfYear: Int64?
    private var hour: Int64 = 0
    private var halfHour: Int64?
    private var isAfternoon = false
    private var minute: Int64 = 0
    private var second: Int64 = 0
    private var fraction: Int64 = 0
    private var offset: Int64 = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    /// The time found; `nil` when there is no such date.
    var microseconds: Int64? {
        let year = isBeforeChrist ? 1 - year : year
        var days = CivilDate(year: year, month: dayOfYear == nil ? month : 1, day: 1).days
        if let dayOfYear {
            guard 1...(CivilDate.isLeap(year) ? 366 : 365) ~= dayOfYear else { return nil }
            days = days.map { $0 + dayOfYear - 1 }
        } else {
            days = CivilDate(year: year, month: month, day: day).days
        }
        guard let days, abs(days) < 100_000_000 else { return nil }
        let hour = halfHour.map { $0 + (isAfternoon ? 12 : 0) } ?? hour
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return seconds * 1_000_000 + fraction
    }

    mutating func skip(_ expected: [UInt8]) -> Bool {
        guard text.count - at >= expected.count else { return false }
        for (index, byte) in expected.enumerated() where text[at + index] != byte { return false }
        at += expected.count
        return true
    }

    mutating func field(_ field: DatePattern.Field, _ count: Int, isFixed: Bool) -> Bool {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 { at += 1 }
        if field.isNumber(count: count) { return number(field, count, isFixed) }
        switch field {
        case .era:
            guard let index = name(["BC", "AD"]) else { return false }
            isBeforeChrist = index == 0
        case .dayHalf:
            guard let index = name(["AM", "PM"]) else { return false }
            isAfternoon = index == 1
        case .dayName: return name(DateNames.days, shortLength: 3) != nil
        case .zoneName, .zoneOffset, .isoZone: return zone(field)
        default:
            guard let index = name(DateNames.months, shortLength: 3) else { return false }
            month = Int64(index + 1)
        }
        return true
    }

    private mutating func number(
        _ field: DatePattern.Field,
        _ count: Int,
        _ isFixed: Bool
    ) -> Bool {
        let start = at
        guard let value = digits(atMost: isFixed ? count : 18) else { return false }
        let length = at - start
        guard !isFixed || length == count else { return false }
        switch field {
        case .year: year = count == 2 && length == 2 ? Self.fullYear(value) : value
        case .month, .standaloneMonth: month = value
        case .day: day = value
        case .dayOfYear: dayOfYear = value
        case .dayNumber: return 1...7 ~= value
        case .hour: return Self.keep(value, in: &hour, below: 24)
        case .hourFrom1:
            hour = value % 24
            return 1...24 ~= value
        case .halfHour:
            halfHour = value
            return value < 12
        case .halfHourFrom1:
            halfHour = value % 12
            return 1...12 ~= value
        case .minute: return Self.keep(value, in: &minute, below: 60)
        case .second: return Self.keep(value, in: &second, below: 60)
        default: return fraction(value, length)
        }
        return true
    }

    /// Takes a number that is counted from 0; `false` when it is too large.
    private static func keep(_ value: Int64, in part: inout Int64, below end: Int64) -> Bool {
        part = value
        return value < end
    }

    /// Takes digits as those of a fraction; what is finer than a microsecond must be nothing.
    private mutating func fraction(_ value: Int64, _ length: Int) -> Bool {
        fraction = value
        for _ in length..<max(6, length) { fraction *= 10 }
        for _ in 6..<max(6, length) {
            guard fraction % 10 == 0 else { return false }
            fraction /= 10
        }
        return true
    }

    private mutating func digits(atMost limit: Int) -> Int64? {
        let start = at
        var value: Int64 = 0
        while at < text.count, at - start < limit, text[at] &- 0x30 <= 9 {
            value = value * 10 + Int64(text[at] & 0xf)
            at += 1
        }
        return at > start ? value : nil
    }

    /// The year of two digits: of the hundred years that begin 80 before this one.
    private static func fullYear(_ value: Int64) -> Int64 {
        let start = DateReading.thisYear - 80
        let century = start / 100 * 100 + value
        return century < start ? century + 100 : century
    }

    private static let thisYear = CivilDate.split(
        microseconds: Int64(time(nil)) * 1_000_000
    ).date.year

    // MARK: - Names and zones

    /// The index of the name that stands here, whole or its beginning, in any case.
    private mutating func name(_ names: [String], shortLength: Int? = nil) -> Int? {
        for (index, name) in names.enumerated() {
            for length in [name.utf8.count, shortLength ?? 0] where length > 0 {
                guard stands(name.utf8.prefix(length)) else { continue }
                at += length
                return index
            }
        }
        return nil
    }

    private func stands(_ name: some Collection<UInt8>) -> Bool {
        guard text.count - at >= name.count else { return false }
        for (index, byte) in name.enumerated() where text[at + index] | 0x20 != byte | 0x20 {
            return false
        }
        return true
    }

    /// Reads `Z`, `UTC`, `GMT`, `+02`, `+0200`, `+02:00` and `GMT+2:00`.
    private mutating func zone(_ field: DatePattern.Field) -> Bool {
        if at < text.count, text[at] == UInt8(ascii: "Z") {
            at += 1
            return field != .zoneOffset
        }
        if field != .isoZone, name(["GMT", "UTC"]) != nil {
            guard at < text.count, Self.isSign(text[at]) else { return true }
        }
        guard at < text.count, Self.isSign(text[at]) else { return false }
        let isWest = text[at] == UInt8(ascii: "-")
        at += 1
        let start = at
        guard var hours = digits(atMost: 4) else { return false }
        var minutes: Int64 = 0
        if at - start > 2 {
            minutes = hours % 100
            hours /= 100
        } else if at < text.count, text[at] == UInt8(ascii: ":") {
            at += 1
            guard let found = digits(atMost: 2) else { return false }
            minutes = found
        }
        offset = (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
        return hours < 24 && minutes < 60
    }

    private static func isSign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
    }
}
