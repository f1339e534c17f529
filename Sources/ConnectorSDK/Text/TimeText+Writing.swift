extension TimeText {
    /// The most bytes that one date or time takes.
    public static let capacity = 48

    /// Writes `2026-11-04`; a year before 0 or after 9999 has a sign.
    ///
    /// - Parameters:
    ///   - days: days since 1970-01-01.
    ///   - target: memory with room for ``capacity`` bytes, as for all of these.
    /// - Returns: the number of bytes, or `nil` when the year has more than nine digits.
    public static func write(date days: Int64, to target: UnsafeMutableRawPointer) -> Int? {
        guard let date = CivilDate(days: days) else { return nil }
        var writer = TimeWriter(target)
        writer.date(date)
        return writer.next - target
    }

    /// Writes `01:25:34`, or `01:25:34.123456` when there is a fraction.
    ///
    /// - Returns: the number of bytes, or `nil` for what is no time of a day; 24:00:00, its end, is.
    public static func write(time microseconds: Int64, to target: UnsafeMutableRawPointer) -> Int? {
        guard 0...CivilDate.microsecondsPerDay ~= microseconds else { return nil }
        var writer = TimeWriter(target)
        writer.time(microseconds)
        return writer.next - target
    }

    /// Writes an instant in its own zone: `2026-11-04T01:25:34Z`, `2026-11-04T03:25:34+02:00`.
    ///
    /// - Returns: the number of bytes, or `nil` when the zone is a day off or the time too far.
    public static func write(
        timestamp microseconds: Int64,
        offsetSeconds: Int32,
        to target: UnsafeMutableRawPointer
    ) -> Int? {
        let offset = Int64(offsetSeconds)
        guard offset.magnitude < 86_400 else { return nil }
        let (local, overflow) = microseconds.addingReportingOverflow(offset &* 1_000_000)
        guard !overflow else { return nil }
        var writer = TimeWriter(target)
        writer.dateAndTime(local)
        writer.zone(offset)
        return writer.next - target
    }

    /// Writes `2026-11-04T01:25:34`, without a zone, and returns the number of bytes.
    public static func write(
        localTimestamp microseconds: Int64,
        to target: UnsafeMutableRawPointer
    ) -> Int {
        var writer = TimeWriter(target)
        writer.dateAndTime(microseconds)
        return writer.next - target
    }

    /// Writes an instant as `2026-11-04T01:25:34.123Z`, always with milliseconds.
    public static func text(milliseconds: Int64) -> String {
        text { target in
            let days = CivilDate.floor(milliseconds, 86_400_000)
            guard let date = CivilDate(days: days) else { return nil }
            var writer = TimeWriter(target)
            writer.date(date)
            writer.put("T")
            let ofDay = milliseconds &- days &* 86_400_000
            writer.clock(seconds: ofDay / 1_000)
            writer.put(".")
            writer.digits(UInt64(bitPattern: ofDay % 1_000), count: 3)
            writer.put("Z")
            return writer.next - target
        } ?? String(milliseconds)
    }

    /// The text of one of the four times, as the writers above have it; `nil` when they refuse it or
    /// the cell is no time.
    public static func text(_ cell: Cell) -> String? {
        text { target in
            switch cell.tag {
            case .date: write(date: cell.int64, to: target)
            case .time: write(time: cell.int64, to: target)
            case .localTimestamp: write(localTimestamp: cell.int64, to: target)
            case .timestamp:
                write(
                    timestamp: cell.int64,
                    offsetSeconds: Int32(bitPattern: cell.length),
                    to: target
                )
            default: nil
            }
        }
    }

    private static func text(_ write: (UnsafeMutableRawPointer) -> Int?) -> String? {
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { buffer in
            guard let start = buffer.baseAddress, let count = write(start) else { return nil }
            return String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }
}

/// Writes the parts of a date and time from left to right, into memory with room for them.
private struct TimeWriter {
    var next: UnsafeMutableRawPointer

    init(_ target: UnsafeMutableRawPointer) { next = target }

    @inline(__always)
    mutating func put(_ character: Unicode.Scalar) {
        next.storeBytes(of: UInt8(ascii: character), as: UInt8.self)
        next += 1
    }

    /// Writes a number below 100.
    @inline(__always)
    private mutating func two(_ value: Int64) {
        let value = UInt32(truncatingIfNeeded: value)
        let tens = value / 10
        let pair = (0x30 &+ tens) | (0x30 &+ value &- tens &* 10) << 8
        next.storeBytes(of: UInt16(truncatingIfNeeded: pair).littleEndian, as: UInt16.self)
        next += 2
    }

    /// Writes exactly `count` digits, zeros in front.
    mutating func digits(_ value: UInt64, count: Int) {
        var rest = value
        for place in stride(from: count - 1, through: 0, by: -1) {
            (next + place).storeBytes(of: UInt8(rest % 10) &+ 0x30, as: UInt8.self)
            rest /= 10
        }
        next += count
    }

    mutating func date(_ date: CivilDate) {
        if 0...9_999 ~= date.year {
            two(date.year / 100)
            two(date.year % 100)
        } else {
            put(date.year < 0 ? "-" : "+")
            var limit: UInt64 = 10_000
            var count = 4
            while limit <= date.year.magnitude {
                limit *= 10
                count += 1
            }
            digits(date.year.magnitude, count: count)
        }
        put("-")
        two(date.month)
        put("-")
        two(date.day)
    }

    mutating func clock(seconds: Int64) {
        let seconds = UInt32(truncatingIfNeeded: seconds)
        let minutes = seconds / 60
        two(Int64(minutes / 60))
        put(":")
        two(Int64(minutes % 60))
        put(":")
        two(Int64(seconds % 60))
    }

    mutating func time(_ microseconds: Int64) {
        let seconds = microseconds / 1_000_000
        let fraction = microseconds &- seconds &* 1_000_000
        clock(seconds: seconds)
        guard fraction != 0 else { return }
        put(".")
        two(fraction / 10_000)
        two(fraction / 100 % 100)
        two(fraction % 100)
    }

    mutating func dateAndTime(_ microseconds: Int64) {
        let parts = CivilDate.split(microseconds: microseconds)
        date(parts.date)
        put("T")
        time(parts.microsecondsOfDay)
    }

    mutating func zone(_ offset: Int64) {
        guard offset != 0 else { return put("Z") }
        put(offset < 0 ? "-" : "+")
        let seconds = Int64(offset.magnitude)
        two(seconds / 3_600)
        put(":")
        two(seconds / 60 % 60)
        // ISO 8601 has no seconds here, but zones before 1900 do, and dropping them changes time.
        guard seconds % 60 != 0 else { return }
        put(":")
        two(seconds % 60)
    }
}
