import Glibc

/// Instants in milliseconds since the epoch, and how they are written.
enum Timestamp {
    /// RFC 3339, UTC: `2026-01-31T23:59:59.123Z`.
    static func text(milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds.floorDivided(by: 1_000))
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return String(milliseconds) }
        func digits(_ number: Int32, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let fraction = Int32(milliseconds - milliseconds.floorDivided(by: 1_000) * 1_000)
        return "\(digits(parts.tm_year + 1_900, 4))-\(digits(parts.tm_mon + 1, 2))-"
            + "\(digits(parts.tm_mday, 2))T\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):"
            + "\(digits(parts.tm_sec, 2)).\(digits(fraction, 3))Z"
    }

    /// Reads a date, or a date and time, of a named zone offset or UTC: `2026-01-31`,
    /// `2026-01-31T12:00`, `2026-01-31T12:00:00.5+02:00`; `nil` if it is none.
    static func milliseconds(_ text: String) -> Int64? {
        var scanner = Scanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2),
            scanner.skip("-"), let day = scanner.number(2), isDate(year, month, day)
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1_900
        parts.tm_mon = month - 1
        parts.tm_mday = day
        var fraction: Int64 = 0
        var offset: Int64 = 0
        if !scanner.isAtEnd {
            guard scanner.skip("T") || scanner.skip(" "), let hour = scanner.number(2), hour < 24,
                scanner.skip(":"), let minute = scanner.number(2), minute < 60
            else { return nil }
            parts.tm_hour = hour
            parts.tm_min = minute
            if scanner.skip(":") {
                guard let second = scanner.number(2), second < 61 else { return nil }
                parts.tm_sec = second
                if scanner.skip(".") {
                    guard let milliseconds = scanner.fraction() else { return nil }
                    fraction = milliseconds
                }
            }
            guard let zone = scanner.zone(), scanner.isAtEnd else { return nil }
            offset = zone
        }
        return (Int64(timegm(&parts)) - offset) * 1_000 + fraction
    }

    private static func isDate(_ year: Int32, _ month: Int32, _ day: Int32) -> Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days: [Int32] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= days[Int(month) - 1]
    }

    /// Reads fixed fields from the front of a text.
    private struct Scanner {
        private var rest: Substring.UTF8View

        init(_ text: String) { rest = text[...].utf8 }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func skip(_ character: Character) -> Bool {
            guard rest.first == character.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func number(_ digits: Int) -> Int32? {
            let text = rest.prefix(digits)
            guard text.count == digits, text.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            rest = rest.dropFirst(digits)
            return Int32(String(Substring(text)))
        }

        /// Any number of digits behind the point, as milliseconds.
        mutating func fraction() -> Int64? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count)
            let text = (String(Substring(digits)) + "00").prefix(3)
            return Int64(text)
        }

        /// Nothing and `Z` are UTC.
        mutating func zone() -> Int64? {
            if isAtEnd || skip("Z") { return 0 }
            let sign: Int64 = skip("+") ? 1 : -1
            guard sign == 1 || skip("-"), let hours = number(2) else { return nil }
            _ = skip(":")
            guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
            return sign * (Int64(hours) * 3_600 + Int64(minutes) * 60)
        }
    }
}

extension Int64 {
    /// The quotient, rounded down also below zero.
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
