import ConnectorSDK

/// A time in UTC, taken apart; days by the proleptic Gregorian calendar.
struct CalendarTime {
    var year: Int
    var month: Int
    var day: Int
    var dayOfYear: Int
    var hour: Int
    var minute: Int
    var second: Int
    var millisecond: Int

    /// Takes milliseconds since the epoch apart.
    init(milliseconds: Int64) {
        let days = CivilDate.floor(milliseconds, 86_400_000)
        let rest = Int(milliseconds - days * 86_400_000)
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1_000 % 60
        millisecond = rest % 1_000
        let date = CivilDate(days: days) ?? CivilDate(year: 1_970, month: 1, day: 1)
        (year, month, day) = (Int(date.year), Int(date.month), Int(date.day))
        dayOfYear = Int(date.dayOfYear)
    }

    /// A number with zeros before it, at least so wide.
    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number.magnitude)
        let zeros = String(repeating: "0", count: max(0, width - digits.count))
        return (number < 0 ? "-" : "") + zeros + digits
    }
}
