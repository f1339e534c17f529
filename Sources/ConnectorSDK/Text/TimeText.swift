/// Dates and times in ISO 8601, as this product reads and writes them.
///
/// Read are a date `2026-11-04`, a time `01:25`, `01:25:34` or `01:25:34.123456`, both with `T` or
/// a space between them, and a zone `Z`, `+02`, `+0200`, `+02:00` or `-07:52:58`. A year has four
/// digits, or up to nine behind a sign; `24:00:00` is the end of a day; a fraction may have any
/// number of digits as long as it is a whole number of microseconds.
public enum TimeText {
    /// Days since 1970-01-01 of a date.
    public static func date(_ text: UnsafeRawBufferPointer) -> Int64? {
        var reader = TimeReader(text)
        guard let days = reader.date(), reader.isAtEnd else { return nil }
        return days
    }

    /// Microseconds since midnight of a time.
    public static func time(_ text: UnsafeRawBufferPointer) -> Int64? {
        var reader = TimeReader(text)
        guard let microseconds = reader.time(), reader.isAtEnd else { return nil }
        return microseconds
    }

    /// The instant of a date and time as a `timestamp` cell.
    ///
    /// Without a zone the time is taken for UTC; a date alone for its midnight, UTC.
    public static func instant(_ text: UnsafeRawBufferPointer) -> Cell? {
        var reader = TimeReader(text)
        guard let time = reader.dateAndTime(allowsDateAlone: true), reader.isAtEnd else {
            return nil
        }
        return .timestamp(microseconds: time.microseconds, offsetSeconds: time.offset ?? 0)
    }

    /// The cell of a text as a column of `type` has it, which is one of the four times.
    ///
    /// A `timestamp` names its zone, a `localTimestamp` has none, and both have a time.
    public static func cell(_ text: UnsafeRawBufferPointer, as type: FieldType) -> Cell? {
        switch type {
        case .date: return date(text).map { Cell(tag: .date, bits: UInt64(bitPattern: $0)) }
        case .time: return time(text).map { Cell(tag: .time, bits: UInt64(bitPattern: $0)) }
        case .timestamp, .localTimestamp:
            var reader = TimeReader(text)
            guard let time = reader.dateAndTime(allowsDateAlone: false), reader.isAtEnd,
                (time.offset != nil) == (type == .timestamp)
            else { return nil }
            if let offset = time.offset {
                return .timestamp(microseconds: time.microseconds, offsetSeconds: offset)
            }
            return Cell(tag: .localTimestamp, bits: UInt64(bitPattern: time.microseconds))
        default: return nil
        }
    }
}

/// Reads the parts of a date and time from left to right.
private struct TimeReader {
    private let text: UnsafeRawBufferPointer
    private var index = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { index == text.count }

    /// Days since 1970-01-01.
    @inline(__always)
    mutating func date() -> Int64? {
        guard let year = year(), take("-"), let month = twoDigits(), take("-"),
            let day = twoDigits()
        else { return nil }
        return CivilDate(year: year, month: month, day: day).days
    }

    private mutating func year() -> Int64? {
        if let century = twoDigits() {
            guard let year = twoDigits() else { return nil }
            return century &* 100 &+ year
        }
        let isNegative = take("-")
        guard isNegative || take("+") else { return nil }
        var value: Int64 = 0
        var count = 0
        while count < 9, let digit = digit() {
            value = value &* 10 &+ digit
            count += 1
        }
        guard count >= 4 else { return nil }
        return isNegative ? 0 &- value : value
    }

    /// Microseconds since midnight.
    @inline(__always)
    mutating func time() -> Int64? {
        guard let hour = twoDigits(), hour <= 24, take(":"), let minute = twoDigits(),
            minute < 60
        else { return nil }
        var microseconds = (hour &* 60 &+ minute) &* 60_000_000
        if take(":") {
            guard let second = twoDigits(), second < 60 else { return nil }
            microseconds &+= second &* 1_000_000
            if take(".") {
                guard let fraction = fraction() else { return nil }
                microseconds &+= fraction
            }
        }
        return microseconds <= CivilDate.microsecondsPerDay ? microseconds : nil
    }

    /// Microseconds since the epoch, in UTC when there is a zone.
    @inline(__always)
    mutating func dateAndTime(
        allowsDateAlone: Bool
    ) -> (microseconds: Int64, offset: Int32?)? {
        guard let days = date() else { return nil }
        let (midnight, tooFar) = days.multipliedReportingOverflow(
            by: CivilDate.microsecondsPerDay
        )
        guard !tooFar else { return nil }
        if isAtEnd { return allowsDateAlone ? (midnight, nil) : nil }
        guard take("T") || take(" ") || take("t"), let time = time() else { return nil }
        let (local, tooLate) = midnight.addingReportingOverflow(time)
        guard !tooLate else { return nil }
        if isAtEnd { return (local, nil) }
        guard let offset = zone() else { return nil }
        let (instant, overflow) = local.subtractingReportingOverflow(offset &* 1_000_000)
        return overflow ? nil : (instant, Int32(truncatingIfNeeded: offset))
    }

    /// Seconds east of UTC.
    private mutating func zone() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let isNegative = take("-")
        guard isNegative || take("+"), let hours = twoDigits(), hours < 24 else { return nil }
        var seconds = hours &* 3_600
        if !isAtEnd {
            _ = take(":")
            guard let minutes = twoDigits(), minutes < 60 else { return nil }
            seconds &+= minutes &* 60
            // Zones before 1900 have seconds.
            if take(":") {
                guard let rest = twoDigits(), rest < 60 else { return nil }
                seconds &+= rest
            }
        }
        return isNegative ? 0 &- seconds : seconds
    }

    /// Microseconds; digits beyond the sixth must be 0, since they would be lost.
    private mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var unit: Int64 = 100_000
        let start = index
        while let digit = digit() {
            guard unit > 0 || digit == 0 else { return nil }
            value &+= digit &* unit
            unit /= 10
        }
        return index > start ? value : nil
    }

    @inline(__always)
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
        index &+= 1
        return true
    }

    @inline(__always)
    private mutating func digit() -> Int64? {
        guard index < text.count, case let digit = text[index] &- 0x30, digit <= 9 else {
            return nil
        }
        index &+= 1
        return Int64(digit)
    }

    /// Exactly two digits, or none is taken.
    @inline(__always)
    private mutating func twoDigits() -> Int64? {
        guard text.count &- index >= 2 else { return nil }
        let tens = text[index] &- 0x30
        let units = text[index &+ 1] &- 0x30
        guard tens <= 9, units <= 9 else { return nil }
        index &+= 2
        return Int64(tens &* 10 &+ units)
    }
}
