extension PostgresTime {
    // MARK: - Reading

    /// Reads the text of a `date` in ISO style, such as `2026-11-04` or `0044-03-15 BC`.
    @inlinable
    public static func date(text: UnsafeRawBufferPointer) -> Value? {
        if let days = plainDate(text), text.count == 10 { return .finite(days) }
        return otherText(text, hasTime: false)
    }

    /// Reads the text of a `timestamp` or `timestamptz` in ISO style: microseconds, in UTC when the
    /// text has an offset.
    @inlinable
    public static func timestamp(text: UnsafeRawBufferPointer) -> Value? {
        if text.count >= 19, let days = plainDate(text), text[10] == 0x20 {
            let (time, end) = clock(text, from: 11)
            if time >= 0, let zone = zone(text, from: end) {
                return .finite(days &* microsecondsPerDay &+ time &- zone &* 1_000_000)
            }
        }
        return otherText(text, hasTime: true)
    }

    /// Whether a text is a `timestamp` or `timestamptz` in ISO style, also one so late that
    /// microseconds since 1970 cannot say it.
    public static func isTimestamp(text: UnsafeRawBufferPointer) -> Bool {
        if timestamp(text: text) != nil { return true }
        // Any other year of that length has the same days in it.
        guard text.starts(with: "294".utf8) else { return false }
        var earlier = Array(text)
        earlier[0] = UInt8(ascii: "1")
        return earlier.withUnsafeBytes { timestamp(text: $0) != nil }
    }

    /// Reads the text of a `time`: microseconds since midnight, 24:00:00 among them.
    @inlinable
    public static func time(text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 8 else { return nil }
        let (time, end) = clock(text, from: 0)
        return time >= 0 && end == text.count ? time : nil
    }

    /// A date of four digits for the year, at the beginning of a text.
    @inlinable @inline(__always)
    internal static func plainDate(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 10, text[4] == 0x2D, text[7] == 0x2D else { return nil }
        let century = two(text, 0)
        let year = two(text, 2)
        let month = two(text, 5)
        let day = two(text, 8)
        guard century | year | month | day >= 0, month &- 1 < 12, day &- 1 < 31, month > 0, day > 0
        else { return nil }
        return days(year: century &* 100 &+ year, month: month, day: day)
    }

    /// Two digits, or a negative number.
    @inlinable @inline(__always)
    internal static func two(_ text: UnsafeRawBufferPointer, _ index: Int) -> Int64 {
        let tens = text[index] &- 0x30
        let units = text[index &+ 1] &- 0x30
        return tens <= 9 && units <= 9 ? Int64(tens) &* 10 &+ Int64(units) : -1
    }

    /// `hh:mm:ss` and a fraction: microseconds, or a negative number, and where the text goes on.
    @inlinable @inline(__always)
    internal static func clock(_ text: UnsafeRawBufferPointer, from start: Int) -> (Int64, Int) {
        guard text.count &- start >= 8, text[start &+ 2] == 0x3A, text[start &+ 5] == 0x3A else {
            return (-1, start)
        }
        let hours = two(text, start)
        let minutes = two(text, start &+ 3)
        let seconds = two(text, start &+ 6)
        guard hours | minutes | seconds >= 0 else { return (-1, start) }
        var result = ((hours &* 60 &+ minutes) &* 60 &+ seconds) &* 1_000_000
        var index = start &+ 8
        if index < text.count, text[index] == 0x2E {
            index &+= 1
            var unit: Int64 = 100_000
            while index < text.count, text[index] &- 0x30 <= 9, unit > 0 {
                result &+= Int64(text[index] &- 0x30) &* unit
                unit /= 10
                index &+= 1
            }
        }
        return (result, index)
    }

    /// Seconds east of UTC at the end of a text; 0 when there is nothing.
    @inlinable @inline(__always)
    internal static func zone(_ text: UnsafeRawBufferPointer, from start: Int) -> Int64? {
        if start == text.count { return 0 }
        let sign = text[start]
        guard sign == 0x2B || sign == 0x2D else { return nil }
        var seconds: Int64 = 0
        var unit: Int64 = 3_600
        var index = start &+ 1
        while text.count &- index >= 2, unit > 0 {
            let part = two(text, index)
            guard part >= 0 else { return nil }
            seconds &+= part &* unit
            unit /= 60
            index &+= 2
            guard index < text.count else { break }
            guard text[index] == 0x3A else { return nil }
            index &+= 1
        }
        return index == text.count ? (sign == 0x2D ? 0 &- seconds : seconds) : nil
    }

    /// Infinities, years before Christ and after 9999.
    @usableFromInline
    internal static func otherText(_ text: UnsafeRawBufferPointer, hasTime: Bool) -> Value? {
        if text.elementsEqual("infinity".utf8) { return .infinity }
        if text.elementsEqual("-infinity".utf8) { return .negativeInfinity }
        let isBC = text.suffix(3).elementsEqual(" BC".utf8)
        let rest = UnsafeRawBufferPointer(rebasing: text.dropLast(isBC ? 3 : 0))
        guard let dash = rest.firstIndex(of: 0x2D), dash >= 4, dash <= 7, rest.count >= dash + 6
        else { return nil }
        var year: Int64 = 0
        for byte in rest[..<dash] {
            guard byte &- 0x30 <= 9 else { return nil }
            year = year * 10 + Int64(byte &- 0x30)
        }
        let month = two(rest, dash + 1)
        let day = two(rest, dash + 4)
        guard rest[dash + 3] == 0x2D, (1...12).contains(month), (1...31).contains(day) else {
            return nil
        }
        let days = days(year: isBC ? 1 - year : year, month: month, day: day)
        let end = dash + 6
        guard hasTime else { return rest.count == end ? .finite(days) : nil }
        guard rest.count > end, rest[end] == 0x20 else { return nil }
        let (time, next) = clock(rest, from: end + 1)
        guard time >= 0, let zone = zone(rest, from: next) else { return nil }
        let (midnight, overflow) = days.multipliedReportingOverflow(by: microsecondsPerDay)
        let (value, carry) = midnight.addingReportingOverflow(time &- zone &* 1_000_000)
        return overflow || carry ? nil : .finite(value)
    }

    // MARK: - Writing

    /// Bytes that a text needs at most.
    public static let textCapacity = 64

    /// Writes a date as PostgreSQL reads it, and returns the bytes written.
    public static func write(date days: Int64, to target: UnsafeMutableRawPointer) -> Int {
        var writer = TimeWriter(target)
        let isBC = writer.date(days)
        if isBC { writer.put(" BC") }
        return writer.count
    }

    /// Writes a time of day, and returns the bytes written.
    public static func write(
        time microseconds: Int64,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        var writer = TimeWriter(target)
        writer.time(microseconds)
        return writer.count
    }

    /// Writes a date and time, in UTC if `isInstant`, and returns the bytes written.
    public static func write(
        timestamp microseconds: Int64,
        isInstant: Bool,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        write(microseconds, since: 0, isInstant: isInstant, to: target)
    }

    /// Writes a date and time in its binary form, which may be later than microseconds since 1970
    /// can say.
    public static func write(
        binaryTimestamp microseconds: Int64,
        isInstant: Bool,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        write(microseconds, since: epochDays, isInstant: isInstant, to: target)
    }

    private static func write(
        _ microseconds: Int64,
        since firstDay: Int64,
        isInstant: Bool,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        var writer = TimeWriter(target)
        var (days, rest) = microseconds.quotientAndRemainder(dividingBy: microsecondsPerDay)
        if rest < 0 {
            days -= 1
            rest += microsecondsPerDay
        }
        let isBC = writer.date(days + firstDay)
        writer.put(" ")
        writer.time(rest)
        if isInstant { writer.put("+00") }
        if isBC { writer.put(" BC") }
        return writer.count
    }
}

private struct TimeWriter {
    private let target: UnsafeMutableRawPointer
    private(set) var count = 0

    init(_ target: UnsafeMutableRawPointer) { self.target = target }

    mutating func put(_ text: StaticString) {
        (target + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    private mutating func number(_ value: Int64, digits: Int) {
        var divisor: Int64 = 1
        var width = 1
        while width < digits || value / divisor >= 10 {
            divisor *= 10
            width += 1
        }
        while divisor > 0 {
            target.storeBytes(
                of: UInt8(truncatingIfNeeded: value / divisor % 10) &+ 0x30,
                toByteOffset: count,
                as: UInt8.self
            )
            count += 1
            divisor /= 10
        }
    }

    /// Returns whether the year is before Christ.
    mutating func date(_ days: Int64) -> Bool {
        let (year, month, day) = PostgresTime.civil(days)
        let isBC = year <= 0
        number(isBC ? 1 &- year : year, digits: 4)
        put("-")
        number(month, digits: 2)
        put("-")
        number(day, digits: 2)
        return isBC
    }

    mutating func time(_ microseconds: Int64) {
        let seconds = microseconds / 1_000_000
        number(seconds / 3_600, digits: 2)
        put(":")
        number(seconds / 60 % 60, digits: 2)
        put(":")
        number(seconds % 60, digits: 2)
        guard microseconds % 1_000_000 != 0 else { return }
        put(".")
        number(microseconds % 1_000_000, digits: 6)
    }
}
