internal import Glibc

/// Times as cron has them: minute, hour, day of the month, month, day of the week.
struct CronSchedule: Hashable, Sendable {
    private var minutes: Set<Int>
    private var hours: Set<Int>
    private var days: Set<Int>
    private var months: Set<Int>
    private var weekdays: Set<Int>
    /// Cron takes either of both days when both are restricted.
    private var takesEitherDay: Bool

    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let shorthands = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
    ]

    /// Reads five fields or a shorthand; `nil` when it is none.
    init?(_ text: String) {
        let fields = (Self.shorthands[text] ?? text).lowercased()
            .split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 5, let minutes = Self.set(fields[0], 0...59),
            let hours = Self.set(fields[1], 0...23), let days = Self.set(fields[2], 1...31),
            let months = Self.set(fields[3], 1...12, Self.monthNames, from: 1),
            let weekdays = Self.set(fields[4], 0...7, Self.dayNames, from: 0)
        else { return nil }
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        // Sunday is 0 and 7.
        self.weekdays = Set(weekdays.map { $0 % 7 })
        takesEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    }

    /// The first such minute behind a time, both in seconds since the epoch; `nil` when none comes
    /// within five years, as of a 30th of February.
    ///
    /// `local` gives the parts of a time, by default in the zone of the machine.
    func next(after time: Int64, local: (Int64) -> tm = Self.local) -> Int64? {
        var candidate = (time / 60 + 1) * 60
        let end = time + 5 * 366 * 86_400
        while candidate < end {
            let parts = local(candidate)
            guard matchesDay(parts) else {
                // On to the next midnight; an hour less, where a day has one less.
                let rest = (23 - Int64(parts.tm_hour)) * 3_600 + (60 - Int64(parts.tm_min)) * 60
                candidate += max(60, rest > 7_200 ? rest - 3_600 : 60)
                continue
            }
            guard hours.contains(Int(parts.tm_hour)) else {
                candidate += (60 - Int64(parts.tm_min)) * 60
                continue
            }
            if minutes.contains(Int(parts.tm_min)) { return candidate }
            candidate += 60
        }
        return nil
    }

    private static func local(_ time: Int64) -> tm {
        var clock = Int(time)
        var parts = tm()
        localtime_r(&clock, &parts)
        return parts
    }

    private func matchesDay(_ parts: tm) -> Bool {
        guard months.contains(Int(parts.tm_mon) + 1) else { return false }
        let day = days.contains(Int(parts.tm_mday))
        let weekday = weekdays.contains(Int(parts.tm_wday))
        return takesEitherDay ? day || weekday : day && weekday
    }

    private static func set(
        _ field: String,
        _ range: ClosedRange<Int>,
        _ names: [String] = [],
        from first: Int = 0
    ) -> Set<Int>? {
        var values: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count <= 2 else { return nil }
            let step = halves.count == 2 ? Int(halves[1]) : 1
            guard let step, step > 0 else { return nil }
            let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
                .map { Int($0) ?? names.firstIndex(of: String($0)).map { $0 + first } }
            var span = range
            if halves[0] != "*" {
                guard let low = ends[0], range.contains(low), ends.count <= 2 else { return nil }
                let high = ends.count == 2 ? ends[1] : halves.count == 2 ? range.upperBound : low
                guard let high, range.contains(high), low <= high else { return nil }
                span = low...high
            }
            values.formUnion(stride(from: span.lowerBound, through: span.upperBound, by: step))
        }
        return values
    }
}
