/// Dates and times: days and microseconds since 1970, to and from the texts and numbers of
/// PostgreSQL, which counts from 2000.
public enum PostgresTime {
    /// Days from 1970-01-01 to 2000-01-01.
    public static let epochDays: Int64 = 10_957
    /// Microseconds from 1970-01-01 to 2000-01-01.
    public static let epochMicroseconds: Int64 = 946_684_800_000_000
    @usableFromInline internal static let microsecondsPerDay: Int64 = 86_400_000_000

    /// A date or time that PostgreSQL has.
    @frozen
    public enum Value: Equatable, Sendable {
        /// Days, or microseconds.
        case finite(Int64)
        /// After every other.
        case infinity
        /// Before every other.
        case negativeInfinity
    }

    // MARK: - Binary

    /// Reads the binary form of a `date`.
    @inlinable @inline(__always)
    public static func date(binary days: Int32) -> Value {
        if days == .max { return .infinity }
        if days == .min { return .negativeInfinity }
        return .finite(Int64(days) &+ epochDays)
    }

    /// Reads the binary form of a `timestamp` or `timestamptz`.
    @inlinable @inline(__always)
    public static func timestamp(binary microseconds: Int64) -> Value? {
        if microseconds == .max { return .infinity }
        if microseconds == .min { return .negativeInfinity }
        let (value, overflow) = microseconds.addingReportingOverflow(epochMicroseconds)
        return overflow ? nil : .finite(value)
    }

    /// The binary form of a `date`; `nil` when PostgreSQL has no such day.
    @inlinable @inline(__always)
    public static func binary(date days: Int64) -> Int32? {
        let (value, overflow) = days.subtractingReportingOverflow(epochDays)
        guard !overflow, value > Int64(Int32.min), value < Int64(Int32.max) else { return nil }
        return Int32(truncatingIfNeeded: value)
    }

    /// The binary form of a `timestamp`; `nil` when PostgreSQL has no such time.
    @inlinable @inline(__always)
    public static func binary(timestamp microseconds: Int64) -> Int64? {
        let (value, overflow) = microseconds.subtractingReportingOverflow(epochMicroseconds)
        return overflow || value == .min ? nil : value
    }

    // MARK: - Calendar

    /// Days since 1970-01-01 of a day of the proleptic Gregorian calendar; year 0 is 1 BC.
    @inlinable @inline(__always)
    internal static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years that begin in March have their leap day last.
        let year = month <= 2 ? year &- 1 : year
        let era = (year >= 0 ? year : year &- 399) / 400
        let yearOfEra = year &- era &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    /// The year, month and day of days since 1970-01-01.
    internal static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = shifted &- era &* 146_097
        let leaps = dayOfEra / 1_460 &- dayOfEra / 36_524 &+ dayOfEra / 146_096
        let yearOfEra = (dayOfEra &- leaps) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let shiftedMonth = (5 &* dayOfYear &+ 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth &+ 3 : shiftedMonth &- 9
        return (
            yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0), month,
            dayOfYear &- (153 &* shiftedMonth &+ 2) / 5 &+ 1
        )
    }
}
