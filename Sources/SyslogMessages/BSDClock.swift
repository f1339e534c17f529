internal import ConnectorSDK
internal import Glibc

/// The zone of times that do not say theirs.
public enum SyslogZone: Hashable, Sendable {
    /// Coordinated universal time.
    case utc
    /// The zone of this machine.
    case local
    /// So many seconds east of UTC.
    case offset(Int32)

    /// Reads `UTC`, `local` or an offset such as `+02:00`; `nil` if it is none.
    public init?(_ text: String) {
        switch text.lowercased() {
        case "utc", "z": self = .utc
        case "local": self = .local
        default:
            var text = text
            let seconds = text.withUTF8 { Self.offset(ByteCursor(UnsafeRawBufferPointer($0))) }
            guard let seconds else { return nil }
            self = .offset(seconds)
        }
    }

    private static func offset(_ cursor: ByteCursor) -> Int32? {
        var cursor = cursor
        let isWest = cursor.take(UInt8(ascii: "-"))
        guard isWest || cursor.take(UInt8(ascii: "+")), let hours = cursor.number(digits: 2...2),
            cursor.take(UInt8(ascii: ":")), let minutes = cursor.number(digits: 2...2),
            cursor.isAtEnd, hours <= 18, minutes < 60
        else { return nil }
        let seconds = Int32(hours * 3_600 + minutes * 60)
        return isWest ? -seconds : seconds
    }
}

/// Reads times as RFC 3164 has them, `Nov  2 08:05:09`, and as programs write them in their place:
/// with a year, with fractions, or as RFC 3339.
struct BSDClock {
    private let zone: SyslogZone
    // The year and month of the day on which messages come, computed once a day.
    private var today: Int64 = .min
    private var date = CivilDate(year: 1_970, month: 1, day: 1)
    // The offset of the zone in the hour asked for last.
    private var hour: Int64 = .min
    private var offset: Int32 = 0

    init(zone: SyslogZone) { self.zone = zone }

    /// Takes a time off, and the space behind it; a missing cell when there is none.
    mutating func takeTime(_ cursor: inout ByteCursor, _ received: Int64) -> Cell {
        var next = cursor
        let cell = next.peek?.isDigit == true ? takeISO(&next) : takeNamed(&next, received)
        guard cell.tag == .timestamp else { return .missing }
        cursor = next
        return cell
    }

    private mutating func takeISO(_ cursor: inout ByteCursor) -> Cell {
        guard cursor.peek(4) == UInt8(ascii: "-"), var word = cursor.word() else { return .missing }
        if word.last == UInt8(ascii: ":") {
            word = UnsafeRawBufferPointer(rebasing: word.dropLast())
        }
        if let cell = Timestamp.read(word) { return cell }
        guard let cell = TimeText.cell(word, as: .localTimestamp) else { return .missing }
        return instant(cell.int64)
    }

    private mutating func takeNamed(_ cursor: inout ByteCursor, _ received: Int64) -> Cell {
        guard let month = Self.month(cursor) else { return .missing }
        cursor.skip(4)
        _ = cursor.take(.space)
        guard let day = cursor.number(digits: 1...2), cursor.take(.space) else { return .missing }
        var year: Int64?
        if cursor.peek(2) != UInt8(ascii: ":") {
            year = cursor.number(digits: 4...4)
            guard year != nil, cursor.take(.space) else { return .missing }
        }
        guard let micros = Self.timeOfDay(&cursor) else { return .missing }
        // Cisco's devices put a colon behind the time.
        _ = cursor.take(UInt8(ascii: ":"))
        guard cursor.isAtEnd || cursor.take(.space) else { return .missing }
        let date = CivilDate(year: year ?? nearestYear(month, received), month: month, day: day)
        guard let days = date.days else { return .missing }
        return instant(days * CivilDate.microsecondsPerDay + micros)
    }

    private static func timeOfDay(_ cursor: inout ByteCursor) -> Int64? {
        guard let hour = cursor.number(digits: 2...2), hour < 24, cursor.take(UInt8(ascii: ":")),
            let minute = cursor.number(digits: 2...2), minute < 60, cursor.take(UInt8(ascii: ":")),
            let second = cursor.number(digits: 2...2), second < 60
        else { return nil }
        var micros: Int64 = 0
        if cursor.peek == UInt8(ascii: "."), cursor.peek(1)?.isDigit == true {
            cursor.skip(1)
            var unit: Int64 = 100_000
            while let byte = cursor.peek, byte.isDigit {
                micros += Int64(byte - 0x30) * unit
                unit /= 10
                cursor.skip(1)
            }
        }
        return (hour * 3_600 + minute * 60 + second) * 1_000_000 + micros
    }

    /// The month that a name such as `Nov ` says.
    private static func month(_ cursor: ByteCursor) -> Int64? {
        guard let first = cursor.peek, let second = cursor.peek(1), let third = cursor.peek(2),
            cursor.peek(3) == .space
        else { return nil }
        switch (first, second, third) {
        case (0x4A, 0x61, 0x6E): return 1
        case (0x46, 0x65, 0x62): return 2
        case (0x4D, 0x61, 0x72): return 3
        case (0x41, 0x70, 0x72): return 4
        case (0x4D, 0x61, 0x79): return 5
        case (0x4A, 0x75, 0x6E): return 6
        case (0x4A, 0x75, 0x6C): return 7
        case (0x41, 0x75, 0x67): return 8
        case (0x53, 0x65, 0x70): return 9
        case (0x4F, 0x63, 0x74): return 10
        case (0x4E, 0x6F, 0x76): return 11
        case (0x44, 0x65, 0x63): return 12
        default: return nil
        }
    }

    /// The year that brings a month nearest to today: in January, December is of last year.
    private mutating func nearestYear(_ month: Int64, _ received: Int64) -> Int64 {
        let day = CivilDate.floor(received, 86_400)
        if day != today {
            today = day
            date = CivilDate(days: day) ?? date
        }
        if month - date.month > 6 { return date.year - 1 }
        return date.month - month > 6 ? date.year + 1 : date.year
    }

    /// The instant of a time of the zone.
    private mutating func instant(_ micros: Int64) -> Cell {
        switch zone {
        case .utc: return .timestamp(microseconds: micros)
        case .offset(let seconds):
            return .timestamp(
                microseconds: micros - Int64(seconds) * 1_000_000,
                offsetSeconds: seconds
            )
        case .local:
            let hour = CivilDate.floor(micros, 3_600_000_000)
            if hour != self.hour {
                self.hour = hour
                offset = Self.localOffset(hour * 3_600)
            }
            return .timestamp(
                microseconds: micros - Int64(offset) * 1_000_000,
                offsetSeconds: offset
            )
        }
    }

    /// How far the machine's clocks are ahead of UTC when they show so many seconds.
    private static func localOffset(_ seconds: Int64) -> Int32 {
        var shown = time_t(seconds)
        var parts = tm()
        gmtime_r(&shown, &parts)
        parts.tm_isdst = -1
        let instant = mktime(&parts)
        return Int32(truncatingIfNeeded: seconds - Int64(instant))
    }
}
