import ConnectorSDK
import Testing

@Suite("Dates and times as text")
struct TimeTextTests {
    private static func cell(_ text: String, _ type: FieldType) -> Cell? {
        Array(text.utf8).withUnsafeBytes { TimeText.cell($0, as: type) }
    }

    private static func instant(_ text: String) -> Cell? {
        Array(text.utf8).withUnsafeBytes { TimeText.instant($0) }
    }

    @Test(
        "writes what it reads",
        arguments: [
            (FieldType.date, "2026-11-04"), (.date, "0000-01-01"), (.date, "-0044-03-15"),
            (.date, "+12026-01-01"), (.date, "-123456789-12-31"), (.time, "01:25:34"),
            (.time, "23:59:59.999999"), (.time, "24:00:00"), (.time, "00:00:00.000001"),
            (.timestamp, "2026-11-04T01:25:34Z"), (.timestamp, "1969-12-31T23:59:59.999999Z"),
            (.timestamp, "2026-11-04T01:25:34.000100+05:30"),
            (.timestamp, "1883-11-18T12:03:58-07:52:58"),
            (.localTimestamp, "2026-11-04T01:25:34.500000"),
            (.localTimestamp, "-0044-03-15T12:00:00"),
        ]
    )
    func roundTrip(type: FieldType, text: String) throws {
        let cell = try #require(Self.cell(text, type))
        #expect(TimeText.text(cell) == text)
    }

    @Test(
        "reads shorter and longer forms of the same",
        arguments: [
            (FieldType.time, "01:25", "01:25:00"), (.time, "01:25:34.5", "01:25:34.500000"),
            (.time, "01:25:34.1234560000", "01:25:34.123456"), (.time, "24:00", "24:00:00"),
            (.timestamp, "2026-11-04 01:25:34z", "2026-11-04T01:25:34Z"),
            (.timestamp, "2026-11-04t01:25+02", "2026-11-04T01:25:00+02:00"),
            (.timestamp, "2026-11-04T01:25:34-0130", "2026-11-04T01:25:34-01:30"),
            (.timestamp, "2026-11-04T24:00:00Z", "2026-11-05T00:00:00Z"),
            (.localTimestamp, "2026-11-04 01:25", "2026-11-04T01:25:00"),
        ]
    )
    func readsForms(type: FieldType, text: String, canonical: String) throws {
        let cell = try #require(Self.cell(text, type))
        #expect(TimeText.text(cell) == canonical)
    }

    @Test(
        "refuses what is none",
        arguments: [
            (FieldType.date, "2026-02-29"), (.date, "2026-13-01"), (.date, "2026-1-01"),
            (.date, ""), (.date, "-"), (.date, "+026-01-01"), (.date, "+1234567890-01-01"),
            (.date, "2026-11-04T00:00:00"), (.date, "20261104"), (.time, "24:00:01"),
            (.time, "12:60:00"), (.time, "1:00:00"), (.time, "01:00:00."), (.time, "01:00:60"),
            (.time, "01:00:00.0000001"), (.time, "01"), (.timestamp, "2026-11-04T01:25:34"),
            (.timestamp, "2026-11-04"), (.timestamp, "2026-11-04T01:25:34+2"),
            (.timestamp, "2026-11-04T01:25:34+24:00"), (.timestamp, "2026-11-04T01:25:34Z "),
            (.timestamp, "+999999999-01-01T00:00:00Z"), (.timestamp, "2026-11-04X01:25:34Z"),
            (.localTimestamp, "2026-11-04T01:25:34Z"), (.localTimestamp, "2026-11-04"),
            (.string, "2026-11-04"), (.time, "০১:০০"),
        ]
    )
    func refuses(type: FieldType, text: String) {
        #expect(Self.cell(text, type) == nil)
    }

    @Test(
        "an instant without a zone is UTC, and without a time midnight",
        arguments: [
            ("2026-11-04", 1_793_750_400_000_000), ("2026-11-04 01:25", 1_793_755_500_000_000),
            ("2026-11-04T01:25:34+02:00", 1_793_748_334_000_000),
            ("1969-12-31T23:59:59.999999", -1), ("tomorrow", nil),
            ("+294247-01-10T04:00:54.775807Z", .max), ("+294247-01-10T04:00:54.775808Z", nil),
        ] as [(String, Int64?)]
    )
    func instants(text: String, microseconds: Int64?) {
        #expect(Self.instant(text)?.int64 == microseconds)
    }

    @Test("any bits of a time cell are written or refused, and what is written reads back")
    func everyBitPattern() throws {
        var random = SystemRandomNumberGenerator()
        let types: [(Cell.Tag, FieldType)] = [
            (.date, .date), (.time, .time), (.timestamp, .timestamp),
            (.localTimestamp, .localTimestamp),
        ]
        var bits: [UInt64] = [0, 1, .max, 1 << 63, 1 << 63 - 1, 0x00ff_ffff_ffff_ffff]
        for shift in 0..<64 { bits += [random.next() >> UInt64(shift), 0 &- 1 << UInt64(shift)] }
        for (tag, type) in types {
            for bits in bits {
                let offsets: [Int32] = [0, 3_600, -86_399, 86_400, Int32(truncatingIfNeeded: bits)]
                for offset in tag == .timestamp ? offsets : [0] {
                    let cell = Cell(tag: tag, bits: bits, length: UInt32(bitPattern: offset))
                    guard let text = TimeText.text(cell) else { continue }
                    #expect(text.utf8.count <= TimeText.capacity)
                    // What overflows 64 bits on its way through local time may be refused again.
                    guard let read = Self.cell(text, type) else {
                        #expect(tag != .time && cell.int64.magnitude > 1 << 62, "\(text)")
                        continue
                    }
                    #expect(read.bits == cell.bits && read.length == cell.length, "\(text)")
                }
            }
        }
    }

    @Test(
        "milliseconds always show",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (1_793_755_534_120, "2026-11-04T01:25:34.120Z"),
            (.max, "+292278994-08-17T07:12:55.807Z"), (.min, "-292275055-05-16T16:47:04.192Z"),
        ] as [(Int64, String)]
    )
    func milliseconds(milliseconds: Int64, text: String) {
        #expect(TimeText.text(milliseconds: milliseconds) == text)
    }
}
