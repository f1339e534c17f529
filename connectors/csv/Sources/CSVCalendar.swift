/// Reads dates and times as ISO 8601 and SQL write them.
struct CSVCalendar {
    private var rest: Slice<UnsafeRawBufferPointer>

    private init(_ text: UnsafeRawBufferPointer) { rest = text[...] }

    /// Days since 1970-01-01 of `2026-11-21`.
    static func date(_ text: UnsafeRawBufferPointer) -> Int64? {
        var reader = Self(text)
        guard let days = reader.days(), reader.rest.isEmpty else { return nil }
        return days
    }

    /// Microseconds since midnight of `13:20`, `13:20:00` or `13:20:00.123456`.
    static func time(_ text: UnsafeRawBufferPointer) -> Int64? {
        var reader = Self(text)
        guard let micros = reader.clock(), reader.rest.isEmpty else { return nil }
        return micros
    }

    /// Microseconds since 1970-01-01T00:00:00, and the zone's offset in seconds if there is one.
    static func timestamp(
        _ text: UnsafeRawBufferPointer
    ) -> (microseconds: Int64, offset: Int32?)? {
        var reader = Self(text)
        guard let days = reader.days(), let separator = reader.rest.popFirst(),
            separator == 0x54 || separator == 0x20 || separator == 0x74,
            let clock = reader.clock()
        else { return nil }
        let local = days &* 86_400_000_000 &+ clock
        if reader.rest.isEmpty { return (local, nil) }
        guard let offset = reader.zone(), reader.rest.isEmpty else { return nil }
        return (local &- Int64(offset) &* 1_000_000, offset)
    }

    private mutating func days() -> Int64? {
        guard let year = number(digits: 4), take(0x2D), let month = number(digits: 2),
            take(0x2D), let day = number(digits: 2),
            (1...12).contains(month), day >= 1, day <= Self.length(ofMonth: month, in: year)
        else { return nil }
        // Days from civil: years begin in March, so that the leap day comes last.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func length(ofMonth month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private mutating func clock() -> Int64? {
        guard let hour = number(digits: 2), take(0x3A), let minute = number(digits: 2),
            hour < 24, minute < 60
        else { return nil }
        guard take(0x3A) else { return (hour * 60 + minute) * 60_000_000 }
        guard let second = number(digits: 2), second < 60 else { return nil }
        let whole = ((hour * 60 + minute) * 60 + second) * 1_000_000
        guard take(0x2E) else { return whole }
        return fraction().map { whole + $0 }
    }

    /// Digits behind the point as microseconds; more than six only if the rest are zeros.
    private mutating func fraction() -> Int64? {
        var micros: Int64 = 0
        var unit: Int64 = 100_000
        var count = 0
        while let byte = rest.first, byte &- 0x30 <= 9 {
            rest = rest.dropFirst()
            count += 1
            if unit == 0, byte != 0x30 { return nil }
            micros += Int64(byte &- 0x30) * unit
            unit /= 10
        }
        return count > 0 ? micros : nil
    }

    private mutating func zone() -> Int32? {
        if take(0x5A) || take(0x7A) { return 0 }
        let isNegative = rest.first == 0x2D
        guard take(0x2D) || take(0x2B), let hours = number(digits: 2), hours < 24 else {
            return nil
        }
        var seconds = hours * 3_600
        if !rest.isEmpty {
            _ = take(0x3A)
            guard let minutes = number(digits: 2), minutes < 60 else { return nil }
            seconds += minutes * 60
        }
        return Int32(truncatingIfNeeded: isNegative ? -seconds : seconds)
    }

    private mutating func number(digits: Int) -> Int64? {
        guard rest.count >= digits else { return nil }
        var value: Int64 = 0
        for byte in rest.prefix(digits) {
            guard byte &- 0x30 <= 9 else { return nil }
            value = value * 10 + Int64(byte &- 0x30)
        }
        rest = rest.dropFirst(digits)
        return value
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        return true
    }
}
