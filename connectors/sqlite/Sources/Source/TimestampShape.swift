internal import ConnectorSDK
internal import TableMapping

/// How a column writes instants, so that a bound can be written in the same way.
internal enum TimestampShape: Equatable {
    /// A number of units since 1970, each so many microseconds.
    case integer(unit: Int64)
    /// Seconds since 1970, or days since noon of 24 November 4714 BC.
    case real(isJulian: Bool)
    /// ISO 8601 text.
    case text(Text)

    internal struct Text: Equatable {
        /// Between date and time; `nil` for dates alone.
        var separator: Character?
        var hasSeconds = true
        /// The decimal places of a second.
        var places = 0
        /// What stands behind, such as `Z` or `+01:00`.
        var suffix = ""
        /// The zone's distance from UTC in minutes.
        var offset: Int64 = 0
    }

    /// Recognises the shape of a value; `nil` when no instant is written so.
    internal init?(_ sample: OrderValue) {
        switch sample {
        case .integer(let value):
            let magnitude = value.magnitude
            self = .integer(
                unit: magnitude < 100_000_000_000
                    ? 1_000_000 : magnitude < 100_000_000_000_000 ? 1_000 : 1
            )
        case .real(let value): self = .real(isJulian: value > 1_000_000 && value < 10_000_000)
        case .text(let bytes):
            guard let text = Self.parse(Array(bytes.raw)) else { return nil }
            self = .text(text)
        case .blob: return nil
        }
    }

    /// The value for an instant in microseconds since 1970, rounded down.
    internal func value(of micros: Int64) -> OrderValue {
        switch self {
        case .integer(let unit): .integer(Self.floor(micros, unit).quotient)
        case .real(let isJulian):
            .real(
                isJulian
                    ? Double(micros) / 86_400_000_000 + 2_440_587.5 : Double(micros) / 1_000_000
            )
        case .text(let text): .text(OrderValue.Bytes(text.format(micros).utf8))
        }
    }

    private static func parse(_ bytes: [UInt8]) -> Text? {
        guard matches(bytes.prefix(10), "0000-00-00") else { return nil }
        var text = Text(separator: nil)
        guard bytes.count > 10 else { return text }
        guard bytes[10] == 0x20 || bytes[10] == 0x54 else { return nil }
        text.separator = Character(UnicodeScalar(bytes[10]))
        guard bytes.count >= 16, matches(bytes[11..<16], "00:00") else { return nil }
        var rest = bytes[16...]
        text.hasSeconds = rest.count >= 3 && matches(rest.prefix(3), ":00")
        if text.hasSeconds { rest = rest.dropFirst(3) }
        if text.hasSeconds, rest.first == 0x2e {
            text.places = rest.dropFirst().prefix { (48...57).contains($0) }.count
            guard (1...9).contains(text.places) else { return nil }
            rest = rest.dropFirst(text.places + 1)
        }
        guard let offset = zone(Array(rest)) else { return nil }
        text.offset = offset
        text.suffix = String(decoding: rest, as: UTF8.self)
        return text
    }

    /// Whether digits stand where the pattern has 0, and all else is as in the pattern.
    private static func matches(_ bytes: some Collection<UInt8>, _ pattern: String) -> Bool {
        bytes.count == pattern.utf8.count
            && zip(bytes, pattern.utf8).allSatisfy { byte, wanted in
                wanted == 48 ? (48...57).contains(byte) : byte == wanted
            }
    }

    private static func zone(_ bytes: [UInt8]) -> Int64? {
        if bytes.isEmpty || bytes == [0x5a] || bytes == [0x7a] { return 0 }
        guard bytes[0] == 0x2b || bytes[0] == 0x2d else { return nil }
        let digits = bytes.dropFirst().filter { $0 != 0x3a }
        guard matches(digits, "0000") || matches(digits, "00") else { return nil }
        let numbers = digits.map { Int64($0) - 48 }
        let minutes = numbers.count == 4 ? numbers[2] * 10 + numbers[3] : 0
        let distance = (numbers[0] * 10 + numbers[1]) * 60 + minutes
        return bytes[0] == 0x2d ? -distance : distance
    }

    internal static func floor(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
        return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
    }
}

extension TimestampShape.Text {
    /// The text for an instant in microseconds since 1970, rounded down.
    internal func format(_ micros: Int64) -> String {
        let local = micros &+ offset &* 60_000_000
        let (days, ofDay) = TimestampShape.floor(local, 86_400_000_000)
        var text = Self.date(days)
        guard let separator else { return text }
        text.append(separator)
        let seconds = ofDay / 1_000_000
        text += Self.digits(seconds / 3_600, 2) + ":" + Self.digits(seconds / 60 % 60, 2)
        if hasSeconds { text += ":" + Self.digits(seconds % 60, 2) }
        if places > 0 {
            let nanos = Self.digits(ofDay % 1_000_000 * 1_000, 9)
            text += "." + nanos.prefix(places)
        }
        return text + suffix
    }

    /// A day of the proleptic Gregorian calendar, from days since 1970.
    private static func date(_ days: Int64) -> String {
        guard let date = CivilDate(days: days) else { return "" }
        return digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2)
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(max(number, 0))
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
