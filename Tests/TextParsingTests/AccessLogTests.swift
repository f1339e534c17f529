import ConnectorSDK
import Testing
import TextParsing

@Suite("Access logs")
struct AccessLogTests {
    private let combined = LineParserFixture(AccessLogParser(.combined))
    private let common = LineParserFixture(AccessLogParser(.common))

    private static let example = """
        127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326
        """

    @Test("the example of Apache's documentation has its parts")
    func example() {
        let expected: [String: Value] = [
            "host": .string("127.0.0.1"), "identity": .null, "user": .string("frank"),
            "timestamp": .timestamp(971_211_336_000_000), "method": .string("GET"),
            "path": .string("/apache_pb.gif"), "protocol": .string("HTTP/1.0"),
            "status": .int(200), "size": .int(2_326),
        ]
        #expect(common.parse(Self.example).fields == expected)
        let line = Self.example + #" "http://www.example.com/start.html" "Mozilla/4.08 [en]""#
        let more = expected.merging([
            "referrer": .string("http://www.example.com/start.html"),
            "agent": .string("Mozilla/4.08 [en]"),
        ]) { $1 }
        #expect(combined.parse(line).fields == more)
        #expect(combined.parse(line + "\r").fields == more)
        let forwarded = more.merging(["forwarded_for": .string("10.0.0.1, 10.0.0.2")]) { $1 }
        #expect(combined.parse(line + #" "10.0.0.1, 10.0.0.2""#).fields == forwarded)
        // Fields of the line before do not stay.
        #expect(combined.parse(line).fields == more)
    }

    @Test("a request that is none is kept whole, and what is escaped stays so")
    func requests() {
        func parse(_ request: String) -> LineParserFixture.Outcome {
            common.parse(#"::1 - - [01/Jan/2024:00:00:00 +0130] "\#(request)" 400 -"#)
        }
        let binary = parse(#"\x16\x03\x01"#)
        #expect(binary["request"] == .string(#"\x16\x03\x01"#))
        #expect(binary["method"] == .null && binary["path"] == .null)
        #expect(binary["size"] == .null)
        #expect(parse("-")["request"] == .null)
        #expect(parse("GET /a")["request"] == .string("GET /a"))
        #expect(parse(#"GET /a\"b c HTTP/2.0"#)["path"] == .string(#"/a\"b c"#))
        #expect(parse("get / HTTP/1.1")["request"] == .string("get / HTTP/1.1"))
        #expect(parse("GET  HTTP/1.1")["request"] == .string("GET  HTTP/1.1"))
        #expect(parse(" ")["request"] == .string(" "))
    }

    @Test("a user's name may have blanks and brackets")
    func users() {
        let line = #"h - a [b c [01/Jan/2024:00:00:00 +0000] "-" 200 1"#
        #expect(common.parse(line).offset == 7)
        let blanks = #"h - a b]c [01/Jan/2024:00:00:00 +0000] "-" 200 1"#
        #expect(common.parse(blanks)["user"] == .string("a b]c"))
    }

    // D9: an error names the place and the reason.
    @Test(
        "a line that does not fit is refused with the byte",
        arguments: [
            ("", 0, "empty"), ("\r\n", 0, "empty"), (" ", 0, "host"), ("a", 1, "identity"),
            ("a - b", 4, "user"), ("a - - [x", 7, "time"),
            ("a - - [\(String(repeating: "\0", count: 26))] ", 7, "time"),
            ("a - - [31/Feb/2024:00:00:00 +0000] ", 7, "time"),
            ("a - - [01/Jan/2024:24:00:00 +0000] ", 7, "time"),
            ("a - - [01/Jan/2024:00:00:00 +0000", 33, "`]`"),
            ("a - - [01/Jan/2024:00:00:00 +0000] GET", 35, "request"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "GET \""#, 36, "quote"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 20 1"#, 39, "status"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 200 x"#, 43, "size"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 200 1"#, 44, "referrer"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 200 1 "x"#, 46, "referrer"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 200 1 "" "x"#, 49, "agent"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 200 1 "" "" 0.005"#, 50, "agent"),
            (#"a - - [01/Jan/2024:00:00:00 +0000] "-" 200 1 "" "" "" x"#, 54, "nothing"),
        ]
    )
    func problems(line: String, offset: Int, reason: String) {
        let outcome = combined.parse(line)
        #expect(outcome.offset == offset)
        #expect(outcome.problem?.reason.contains(reason) == true, "\(outcome)")
    }

    @Test("a time is read again when the next line has another one")
    func times() {
        func time(_ text: String) -> Value? {
            common.parse(#"h - - [\#(text)] "-" 200 1"#)["timestamp"]
        }
        #expect(time("29/Feb/2024:23:59:60 +0000") == .timestamp(1_709_251_200_000_000))
        #expect(time("01/Mar/2024:01:30:00 +0130") == .timestamp(1_709_251_200_000_000))
        #expect(time("01/mar/2024:01:30:01 +0130") == .timestamp(1_709_251_201_000_000))
        #expect(time("01/Mar/2024:01:30:00 +0130") == .timestamp(1_709_251_200_000_000))
        #expect(time("01/Mar/2024:01:30:00 +01300") == nil)
        #expect(time("01/Mar/2024:01:30:00 +0160") == nil)
        #expect(time("01/Mär/2024:01:30:00 +0130") == nil)
    }

    // D7, D9: whatever a line holds, it is answered.
    @Test("long and hostile lines are answered")
    func hostile() {
        let long = String(repeating: #"\""#, count: 1 << 19)
        let line = #"a - - [01/Jan/2024:00:00:00 +0000] "\#(long)" 200 1 "" """#
        #expect(combined.parse(line)["request"] == .string(long))
        #expect(combined.parse(String(line.dropLast(9))).problem != nil)
        #expect(combined.parse([UInt8](repeating: 0, count: 1 << 20)).problem != nil)
        #expect(combined.parse(String(repeating: " [", count: 1 << 19)).problem != nil)
        for end in 0..<Self.example.utf8.count {
            let part = Array(Self.example.utf8.prefix(end))
            #expect(common.parse(part).problem != nil || end > Self.example.utf8.count - 4)
        }
    }
}
