internal import ConnectorSDK

/// Reads `10/Oct/2000:13:55:36 -0700`; lines that follow each other mostly have the same.
internal struct AccessLogTime {
    static let length = 26
    private var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    /// The time that these words are, once one was read.
    private var cell: Cell?

    /// The cell of the time that begins here, or `nil`.
    @inline(__always)
    mutating func read(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>
    ) -> Cell? {
        guard end - start >= Self.length else { return nil }
        let raw = UnsafeRawPointer(start)
        let text = (
            raw.loadUnaligned(as: UInt64.self), (raw + 8).loadUnaligned(as: UInt64.self),
            (raw + 16).loadUnaligned(as: UInt64.self), (raw + 18).loadUnaligned(as: UInt64.self)
        )
        if text == words, let cell { return cell }
        guard let read = Self.parse(start) else { return nil }
        words = text
        cell = read
        return read
    }

    private static func parse(_ start: UnsafePointer<UInt8>) -> Cell? {
        var isValid = true
        func digits(_ at: Int, _ count: Int) -> Int64 {
            var value: Int64 = 0
            for index in at..<(at + count) {
                let digit = start[index] &- 0x30
                if digit > 9 { isValid = false }
                value = value &* 10 &+ Int64(digit)
            }
            return value
        }
        let slash = UInt8(ascii: "/"), colon = UInt8(ascii: ":")
        guard start[2] == slash, start[6] == slash, start[11] == colon, start[14] == colon,
            start[17] == colon, start[20] == 0x20, start[21] == 0x2B || start[21] == 0x2D,
            let month = MonthName.number(start + 3)
        else { return nil }
        let date = CivilDate(year: digits(7, 4), month: month, day: digits(0, 2))
        let hour = digits(12, 2), minute = digits(15, 2), second = digits(18, 2)
        let zone = (digits(22, 2) &* 60 &+ digits(24, 2)) &* (start[21] == 0x2D ? -60 : 60)
        // A leap second, which Apache writes as it is, is the first of the next minute.
        guard isValid, hour < 24, minute < 60, second <= 60, digits(24, 2) < 60,
            zone.magnitude < 86_400, let days = date.days
        else { return nil }
        let seconds = days &* 86_400 &+ hour &* 3_600 &+ minute &* 60 &+ second
        return .timestamp(
            microseconds: (seconds &- zone) &* 1_000_000,
            offsetSeconds: Int32(truncatingIfNeeded: zone)
        )
    }
}
