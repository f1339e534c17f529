internal import ConnectorSDK

/// Dates and times in ISO 8601, as a cell of the kind that the text names.
internal enum TemporalText {
    /// Reads `2026-11-04`.
    static func date(_ text: UnsafeRawBufferPointer) -> Cell? {
        var reader = Reader(text)
        guard let days = reader.date(), reader.isAtEnd else { return nil }
        return Cell(tag: .date, bits: UInt64(bitPattern: days))
    }

    /// Reads `01:25`, `01:25:34` or `01:25:34.123456`.
    static func time(_ text: UnsafeRawBufferPointer) -> Cell? {
        var reader = Reader(text)
        guard let microseconds = reader.time(), reader.isAtEnd else { return nil }
        return Cell(tag: .time, bits: UInt64(bitPattern: microseconds))
    }

    /// Reads a date and time with `T` or a blank between them, and a zone: `Z`, `+02`, `+02:00`.
    ///
    /// Without a zone the time is taken for UTC; a date alone for its midnight, UTC.
    static func timestamp(_ text: UnsafeRawBufferPointer) -> Cell? {
        var reader = Reader(text)
        guard let days = reader.date() else { return nil }
        let (midnight, overflow) = days.multipliedReportingOverflow(by: microsecondsPerDay)
        guard !overflow else { return nil }
        if reader.isAtEnd { return .timestamp(microseconds: midnight) }
        guard reader.take("T") || reader.take("t") || reader.take(" "),
            let time = reader.time(), let zone = reader.zone(), reader.isAtEnd
        else { return nil }
        let (local, localOverflow) = midnight.addingReportingOverflow(time)
        let (instant, overflowed) = local.subtractingReportingOverflow(zone * 1_000_000)
        guard !localOverflow, !overflowed else { return nil }
        return .timestamp(microseconds: instant, offsetSeconds: Int32(zone))
    }

    static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Reads the parts of a date and time from left to right.
    private struct Reader {
        private let text: UnsafeRawBufferPointer
        private var index = 0

        init(_ text: UnsafeRawBufferPointer) { self.text = text }

        var isAtEnd: Bool { index == text.count }

        @inline(__always)
        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard index < text.count, text[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        /// Exactly two digits.
        @inline(__always)
        private mutating func twoDigits() -> Int64? {
            guard text.count &- index >= 2 else { return nil }
            let tens = text[index] &- UInt8(ascii: "0")
            let units = text[index &+ 1] &- UInt8(ascii: "0")
            guard tens < 10, units < 10 else { return nil }
            index &+= 2
            return Int64(tens &* 10 &+ units)
        }

        mutating func date() -> Int64? {
            guard let century = twoDigits(), let year = twoDigits(), take("-"),
                let month = twoDigits(), take("-"), let day = twoDigits()
            else { return nil }
            return TemporalText.days(year: century * 100 + year, month: month, day: day)
        }

        mutating func time() -> Int64? {
            guard let hour = twoDigits(), hour < 24, take(":"), let minute = twoDigits(),
                minute < 60
            else { return nil }
            var microseconds = (hour * 60 + minute) * 60_000_000
            guard take(":") else { return microseconds }
            guard let second = twoDigits(), second < 60 else { return nil }
            microseconds += second * 1_000_000
            guard take(".") else { return microseconds }
            guard let fraction = fraction() else { return nil }
            return microseconds + fraction
        }

        /// Microseconds; digits beyond the sixth must be 0, since they would be lost.
        private mutating func fraction() -> Int64? {
            var value: Int64 = 0
            var unit: Int64 = 100_000
            let start = index
            while index < text.count, NumberText.isDigit(text[index]) {
                let digit = Int64(text[index] & 0xf)
                guard unit > 0 || digit == 0 else { return nil }
                value += digit * unit
                unit /= 10
                index += 1
            }
            return index > start ? value : nil
        }

        /// Seconds east of UTC.
        mutating func zone() -> Int64? {
            if isAtEnd || take("Z") || take("z") { return 0 }
            let sign: Int64
            if take("+") {
                sign = 1
            } else if take("-") {
                sign = -1
            } else {
                return nil
            }
            guard let hours = twoDigits(), hours < 24 else { return nil }
            if isAtEnd { return sign * hours * 3_600 }
            _ = take(":")
            guard let minutes = twoDigits(), minutes < 60 else { return nil }
            return sign * (hours * 3_600 + minutes * 60)
        }
    }

    /// Days since 1970-01-01 of the proleptic Gregorian calendar, `nil` for a day that is none.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard 1...12 ~= month else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length: Int64 =
            switch month {
            case 4, 6, 9, 11: 30
            case 2: isLeap ? 29 : 28
            default: 31
            }
        guard day >= 1, day <= length else { return nil }
        // Years begin in March, so that the leap day is the last; month lengths follow 153/5.
        let shifted = month > 2 ? year : year - 1
        let sinceMarch = month > 2 ? month - 3 : month + 9
        let leapDays =
            floorDivide(shifted, 4) - floorDivide(shifted, 100)
            + floorDivide(shifted, 400)
        return shifted * 365 + leapDays + (153 * sinceMarch + 2) / 5 + day - 1 - 719_468
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }
}
