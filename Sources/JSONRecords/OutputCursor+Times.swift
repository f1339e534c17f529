internal import ConnectorSDK

extension OutputCursor {
    /// Writes `2026-11-04` in quotes; `false` when the year has more than nine digits.
    mutating func date(_ days: Int64) -> Bool {
        ensure(32)
        put(UInt8(ascii: "\""))
        guard calendarDate(days) else { return false }
        put(UInt8(ascii: "\""))
        return true
    }

    /// Writes `HH:MM:SS` or `HH:MM:SS.ffffff` in quotes; `false` when it is no time of a day.
    ///
    /// 24:00:00, the end of a day, is one: PostgreSQL has it.
    mutating func time(_ microseconds: Int64) -> Bool {
        guard microseconds >= 0, microseconds <= CivilDate.microsecondsPerDay else { return false }
        ensure(32)
        put(UInt8(ascii: "\""))
        timeOfDay(microseconds)
        put(UInt8(ascii: "\""))
        return true
    }

    /// Writes an instant in its own zone, `2026-11-04T01:25:34Z` or `…+02:00`, in quotes.
    mutating func timestamp(_ microseconds: Int64, offsetSeconds: Int32) -> Bool {
        let offset = Int64(offsetSeconds)
        guard offset.magnitude < 86_400 else { return false }
        let (local, overflow) = microseconds.addingReportingOverflow(offset &* 1_000_000)
        guard !overflow else { return false }
        ensure(64)
        put(UInt8(ascii: "\""))
        dateAndTime(local)
        if offset == 0 {
            put(UInt8(ascii: "Z"))
        } else {
            zone(offset)
        }
        put(UInt8(ascii: "\""))
        return true
    }

    /// Writes `2026-11-04T01:25:34`, without a zone, in quotes.
    mutating func localTimestamp(_ microseconds: Int64) {
        ensure(48)
        put(UInt8(ascii: "\""))
        dateAndTime(microseconds)
        put(UInt8(ascii: "\""))
    }

    private mutating func dateAndTime(_ microseconds: Int64) {
        var days = microseconds / CivilDate.microsecondsPerDay
        var rest = microseconds % CivilDate.microsecondsPerDay
        if rest < 0 {
            rest &+= CivilDate.microsecondsPerDay
            days &-= 1
        }
        _ = calendarDate(days)
        put(UInt8(ascii: "T"))
        timeOfDay(rest)
    }

    private mutating func calendarDate(_ days: Int64) -> Bool {
        guard let date = CivilDate(days: days) else { return false }
        if date.year < 0 {
            put(UInt8(ascii: "-"))
        } else if date.year > 9_999 {
            put(UInt8(ascii: "+"))
        }
        let year = date.year.magnitude
        if year < 10_000 {
            padded(year, count: 4)
        } else {
            unsigned(year)
        }
        put(UInt8(ascii: "-"))
        padded(UInt64(date.month), count: 2)
        put(UInt8(ascii: "-"))
        padded(UInt64(date.day), count: 2)
        return true
    }

    private mutating func timeOfDay(_ microseconds: Int64) {
        let seconds = microseconds / 1_000_000
        let fraction = microseconds % 1_000_000
        padded(UInt64(bitPattern: seconds / 3_600), count: 2)
        put(UInt8(ascii: ":"))
        padded(UInt64(bitPattern: seconds / 60 % 60), count: 2)
        put(UInt8(ascii: ":"))
        padded(UInt64(bitPattern: seconds % 60), count: 2)
        guard fraction != 0 else { return }
        put(UInt8(ascii: "."))
        padded(UInt64(bitPattern: fraction), count: 6)
    }

    private mutating func zone(_ offset: Int64) {
        put(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let seconds = offset.magnitude
        padded(seconds / 3_600, count: 2)
        put(UInt8(ascii: ":"))
        padded(seconds / 60 % 60, count: 2)
        // ISO 8601 has no seconds here, but zones before 1900 do, and dropping them changes time.
        guard seconds % 60 != 0 else { return }
        put(UInt8(ascii: ":"))
        padded(seconds % 60, count: 2)
    }
}
