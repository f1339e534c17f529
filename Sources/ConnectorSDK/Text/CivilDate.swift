/// A day of the proleptic Gregorian calendar, with a year 0 as ISO 8601 has it.
@frozen
public struct CivilDate: Hashable, Sendable {
    /// The length of a day without leap seconds, as databases and Unix count.
    public static let microsecondsPerDay: Int64 = 86_400_000_000

    /// The year; 0 is 1 BC.
    public var year: Int64
    /// The month, from 1.
    public var month: Int64
    /// The day of the month, from 1.
    public var day: Int64

    /// Makes a date from its parts, which need not be one (see ``days``).
    @inlinable
    public init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date `days` after 1970-01-01; `nil` when its year has more than nine digits.
    ///
    /// Counts in 400-year eras of 146 097 days that begin on a 1 March, so that the leap day is
    /// the last of its year.
    public init?(days: Int64) {
        guard days.magnitude < 365_000_000_000 else { return nil }
        let shifted = days &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        // In 32 bits from here on: divisions are twice as fast.
        let dayOfEra = UInt32(truncatingIfNeeded: shifted &- era &* 146_097)
        let yearOfEra =
            (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let shiftedMonth = (5 &* dayOfYear &+ 2) / 153
        day = Int64(dayOfYear &- (153 &* shiftedMonth &+ 2) / 5 &+ 1)
        month = Int64(shiftedMonth < 10 ? shiftedMonth &+ 3 : shiftedMonth &- 9)
        year = Int64(yearOfEra) &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    }

    /// The date of an instant in UTC, and the microseconds since its midnight.
    public static func split(
        microseconds: Int64
    ) -> (date: CivilDate, microsecondsOfDay: Int64) {
        let days = floor(microseconds, microsecondsPerDay)
        // 2^63 microseconds are 107 million days: always a date.
        let date = CivilDate(days: days) ?? CivilDate(year: 1_970, month: 1, day: 1)
        return (date, microseconds &- days &* microsecondsPerDay)
    }

    /// Days since 1970-01-01; `nil` when there is no such date, or its year has more than nine
    /// digits.
    public var days: Int64? {
        guard year.magnitude <= 999_999_999, 1...12 ~= month, day >= 1 else { return nil }
        guard day <= 28 || day <= Self.length(ofMonth: month, in: year) else { return nil }
        let shiftedYear = month <= 2 ? year &- 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear &- 399) / 400
        let yearOfEra = shiftedYear &- era &* 400
        let shiftedMonth = month > 2 ? month &- 3 : month &+ 9
        let dayOfYear = (153 &* shiftedMonth &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    /// The day of the year, from 1.
    public var dayOfYear: Int64 {
        var count = day
        for earlier in 1..<max(1, min(month, 12)) {
            count += Self.length(ofMonth: earlier, in: year)
        }
        return count
    }

    /// Whether a year has a 29 February.
    public static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The number of days in a month from 1 to 12.
    public static func length(ofMonth month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: isLeap(year) ? 29 : 28
        default: 31
        }
    }

    /// The quotient, rounded down also below zero; `divisor` is positive.
    @inlinable
    public static func floor(_ number: Int64, _ divisor: Int64) -> Int64 {
        let quotient = number / divisor
        return number % divisor < 0 ? quotient &- 1 : quotient
    }
}
