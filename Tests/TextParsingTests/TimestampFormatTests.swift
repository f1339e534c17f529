import ConnectorSDK
import Testing
import TextParsing

@Suite("Formats of times")
struct TimestampFormatTests {
    /// 2024-03-01T12:00:00Z.
    private static let now: Int64 = 1_709_294_400_000_000

    private func read(_ format: String, _ cell: Cell, zone: Int32 = 0) throws -> Int64? {
        try TimestampFormat(format, offsetSeconds: zone).read(cell, near: Self.now)?.int64
    }

    private func read(_ format: String, _ text: String, zone: Int32 = 0) throws -> Int64? {
        let chunk = Chunk(copying: text.utf8)
        return try withExtendedLifetime(chunk) {
            try read(format, .slice(.string, UnsafeRawBufferPointer(chunk.bytes)), zone: zone)
        }
    }

    @Test(
        "texts are read to the microsecond",
        arguments: [
            ("iso8601", "2024-03-01T12:00:00Z", 0), ("iso8601", "2024-03-01 14:00:00+02:00", 0),
            ("iso8601", "2024-03-01T12:00:00.123456789Z", 123_456),
            ("iso8601", "2024-03-01T12:00:00.1234567", 123_456), ("iso8601", "2024-03-01T12:00", 0),
            ("iso8601", "2024-03-01", -43_200_000_000), ("iso8601", "2024-13-01", nil),
            ("iso8601", "2024-03-01T12:00:00.", nil), ("iso8601", "", nil),
            ("epoch_s", "1709294400", 0), ("epoch", "1709294400.25", 250_000),
            ("epoch_ms", "1709294400123", 123_000), ("epoch_us", "1709294400123456", 123_456),
            ("epoch_ns", "1709294400123456789", 123_456), ("epoch_s", "x", nil),
            ("epoch_s", "1.7092944e9", 0), ("epoch_s", "99999999999999999", nil),
            ("rfc3164", "Mar  1 12:00:00", 0), ("rfc3164", "Feb 29 12:00:00", -86_400_000_000),
            ("rfc3164", "Dec 31 12:00:00", -61 * 86_400_000_000),
            ("rfc3164", "Mar 32 12:00:00", nil),
            ("%d/%b/%Y:%H:%M:%S %z", "01/Mar/2024:14:00:00 +0200", 0),
            ("%Y-%m-%d %H:%M:%S,%f", "2024-03-01 12:00:00,5", 500_000),
            ("%F %T%.f", "2024-03-01 12:00:00.25", 250_000), ("%F %T%.f", "2024-03-01 12:00:00", 0),
            ("%a %b %e %T %Z %Y", "Fri Mar  1 12:00:00 UTC 2024", 0),
            ("%A, %d-%b-%y %H:%M:%S GMT", "Friday, 01-Mar-24 12:00:00 GMT", 0),
            ("%m/%d/%Y %I:%M %p", "03/01/2024 12:00 PM", 0), ("%D %R", "03/01/24 12:00", 0),
            ("%m/%d/%Y %I:%M %p", "03/01/2024 12:00 am", -43_200_000_000),
            ("%Y %j %H", "2024 61 12", 0), ("%Y %j", "2024 367", nil),
            ("%s.%f", "1709294400.5", 500_000),
            ("%Y-%m-%d", "2024-03-01x", nil), ("%Y-%m-%d", "2024-02-30", nil),
            ("%d %b %H:%M", "1 March 12:00", 0), ("%Y-%m-%d %Z", "2024-03-01 CET", nil),
            ("%H:%M %F", "25:00 2024-03-01", nil), ("100%% %F", "100% 2024-03-01", -43_200_000_000),
        ] as [(String, String, Int64?)]
    )
    func texts(format: String, text: String, expected: Int64?) throws {
        #expect(try read(format, text) == expected.map { Self.now + $0 })
    }

    @Test("a time without a zone is of the zone that is given")
    func zones() throws {
        #expect(try read("%F %T", "2024-03-01 14:00:00", zone: 7_200) == Self.now)
        #expect(try read("iso8601", "2024-03-01T14:00:00", zone: 7_200) == Self.now)
        #expect(try read("iso8601", "2024-03-01T12:00:00Z", zone: 7_200) == Self.now)
        #expect(try read("rfc3164", "Mar  1 10:00:00", zone: -7_200) == Self.now)
    }

    @Test("numbers are times of the unit that the format says, and of no other format")
    func numbers() throws {
        #expect(try read("epoch_s", .int(-1)) == -1_000_000)
        #expect(try read("epoch_ns", .int(-1)) == -1)
        #expect(try read("epoch_s", .decimal(17_092_944_005, scale: 1)) == Self.now + 500_000)
        #expect(try read("epoch_s", .decimal(-5, scale: 1)) == -500_000)
        #expect(try read("epoch_ms", .double(1_709_294_400_000.5)) == Self.now + 500)
        #expect(try read("epoch_s", .double(.nan)) == nil)
        #expect(try read("epoch_s", .double(1e300)) == nil)
        #expect(try read("epoch_s", .int(.max)) == nil)
        // D6: beyond what a timestamp holds by its fraction alone.
        #expect(try read("epoch_s", .decimal(9_223_372_036_854_775, scale: 3)) != nil)
        #expect(try read("epoch_s", .decimal(9_223_372_036_854_776, scale: 3)) == nil)
        #expect(try read("iso8601", .int(5)) == nil)
        #expect(try read("iso8601", .timestamp(microseconds: 5)) == 5)
        #expect(try read("iso8601", .null) == nil)
    }

    @Test(
        "what is no format is refused with the reason",
        arguments: [
            ("", "iso8601"), ("yyyy-MM-dd", "pattern"), ("%Q", "%Q"), ("%H:%M", "day"),
            ("%F %I:%M", "%p"), ("%Y-%m-%", "letter"), ("%b %H", "day"),
        ]
    )
    func refused(format: String, reason: String) {
        #expect(TimestampFormat.problem(format)?.contains(reason) == true)
        #expect(TimestampFormat.problem("%F") == nil)
    }
}
