import ConnectorSDK
import RegularExpressions
import Testing

@testable import TextParsing

@Suite("Patterns of lines")
struct PatternTests {
    private func parse(_ pattern: String, _ line: String) throws -> LineParserFixture.Outcome {
        let grok = try GrokPattern(pattern)
        return LineParserFixture(PatternLineParser(grok.expression, fields: grok.fields)).parse(
            line
        )
    }

    @Test("named groups are fields, null where they took no part")
    func groups() throws {
        let expression = try RegularExpression("^(?<a>x)?(y)(?<b>.*)$", matching: .anywhere)
        let fixture = LineParserFixture(PatternLineParser(expression))
        #expect(fixture.parse("yz").fields == ["a": .null, "b": .string("z")])
        #expect(fixture.parse("xy").fields == ["a": .string("x"), "b": .string("")])
        #expect(fixture.parse("z").problem?.reason == "the pattern does not match")
    }

    @Test("a pattern that runs away refuses the line")
    func runaway() throws {
        let expression = try RegularExpression("^(?<a>(a+)+)$", matching: .anywhere)
        let fixture = LineParserFixture(PatternLineParser(expression))
        let line = String(repeating: "a", count: 40) + "!"
        #expect(fixture.parse(line).problem?.reason.contains("too many steps") == true)
        #expect(fixture.parse("aa").fields == ["a": .string("aa")])
    }

    @Test("Grok's names are replaced, with fields and types")
    func grok() throws {
        let pattern = try GrokPattern(
            "^%{IPORHOST:client} %{WORD} %{NUMBER:[http][bytes]:int} (?<rest>%{ORDER}.*)$",
            definitions: ["ORDER": "O-%{POSINT:order}"]
        )
        #expect(pattern.types == ["http.bytes": "int"])
        let parser = PatternLineParser(pattern.expression, fields: pattern.fields)
        #expect(
            LineParserFixture(parser).parse("10.1.2.3 GET 17 O-12!").fields == [
                "client": .string("10.1.2.3"), "http.bytes": .string("17"),
                "order": .string("12"), "rest": .string("O-12!"),
            ]
        )
    }

    @Test("a field that stands twice is that of the alternative that matched")
    func alternatives() throws {
        for line in ["a 1", "2 b"] {
            let outcome = try parse("^(?:a %{INT:n}|%{INT:n} b)$", line)
            #expect(outcome.fields == ["n": .string(line == "a 1" ? "1" : "2")])
        }
    }

    @Test(
        "what is no pattern is refused with the reason",
        arguments: [
            ("%{NOPE:x}", "no pattern NOPE"), ("%{NUMBR:x}", "mean NUMBER"), ("%{A", "no `}`"),
            ("%{:x}", "such as"), ("%{WORD:}", "such as"), ("%{WORD:a:b:c}", "such as"),
            ("%{SELF}", "made of itself"), ("(%{WORD:x}", "regular expression"),
            ("%{B9:x}", "too long"), ("%{D0}", "250 deep"),
        ]
    )
    func refused(pattern: String, reason: String) {
        var definitions = ["SELF": "a%{OTHER}", "OTHER": "%{SELF}", "B0": "aaaaaaaaaa"]
        // D9: a stack ends at some depth.
        for number in 0..<1_000 { definitions["D\(number)"] = "%{D\(number + 1)}" }
        for number in 1...9 {
            definitions["B\(number)"] = String(repeating: "%{B\(number - 1)}", count: 10)
        }
        let error = #expect(throws: GrokError.self) {
            try GrokPattern(pattern, definitions: definitions)
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test("every name that is known is a pattern", arguments: GrokDefinitions.all.keys.sorted())
    func known(name: String) throws {
        _ = try GrokPattern("^%{\(name):all}$")
    }

    @Test(
        "known names match what they are to match, and no more",
        arguments: [
            ("INT", ["-12", "+3"], ["1.5", "a"]), ("NUMBER", ["1.5", "-2", ".5"], ["1.5.2", "x"]),
            ("WORD", ["ab_1"], ["a b", ""]), ("QS", [#""a \" b""#, "'x'", "''"], [#""a"#]),
            ("UUID", ["c0ffee00-1234-5678-9abc-def012345678"], ["c0ffee00-1234"]),
            ("IPV4", ["10.0.0.255", "1.2.3.4"], ["256.1.1.1", "1.2.3", "1.2.3.4.5"]),
            (
                "IPV6",
                ["::1", "::", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "2001:db8::7:1"],
                ["1:2:3:4:5:6:7", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", ":1"]
            ),
            ("HOSTNAME", ["a", "db-1.example.com", "x_y.z."], ["-a", "a..b", "a b"]),
            ("EMAILADDRESS", ["a.b+c@example.com"], ["a@", "@b"]),
            ("URI", ["https://u:p@example.com:8080/a/b?c=d#e", "file:///x"], ["/a", "http:/x"]),
            ("URIPATHPARAM", ["/a/b?c=d&e", "/"], ["a"]), ("MAC", ["00:1A:2b:3c:4d:5e"], ["00:1A"]),
            (
                "TIMESTAMP_ISO8601", ["2024-02-29T01:02:03.456Z", "2024-02-29 01:02"],
                ["2024-13-01"]
            ),
            ("HTTPDATE", ["10/Oct/2000:13:55:36 -0700"], ["10/Xyz/2000:13:55:36 -0700"]),
            ("SYSLOGTIMESTAMP", ["Oct  1 22:14:15", "Oct 11 22:14:15"], ["Okt 11 22:14:15"]),
            ("LOGLEVEL", ["INFO", "warning", "Error"], ["verbose", "INFORM"]),
            ("UNIXPATH", ["/var/log/x.log"], ["var"]), ("WINPATH", [#"C:\a\b c"#], ["/a"]),
            ("TIME", ["23:59:60.5", "1:02"], ["24:00", "1:60"]), ("POSINT", ["10"], ["0", "-1"]),
        ] as [(String, [String], [String])]
    )
    func matches(name: String, accepted: [String], refused: [String]) throws {
        for text in accepted {
            #expect(try parse("^%{\(name):x}$", text).fields == ["x": .string(text)], "\(text)")
        }
        for text in refused {
            #expect(try parse("^%{\(name):x}$", text).problem != nil, "\(text)")
        }
    }

    @Test("Grok's access log finds what the hand-written parser finds")
    func accessLog() throws {
        let line = #"""
            127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.1" 200 2326 "-" "M (x)"
            """#
        let fields = try parse("%{COMBINEDAPACHELOG}", line).fields
        #expect(fields["clientip"] == .string("127.0.0.1"))
        #expect(fields["verb"] == .string("GET") && fields["request"] == .string("/a?b=c"))
        #expect(fields["timestamp"] == .string("10/Oct/2000:13:55:36 -0700"))
        #expect(fields["response"] == .string("200") && fields["bytes"] == .string("2326"))
        #expect(fields["agent"] == .string(#""M (x)""#) && fields["rawrequest"] == .null)
    }
}
