import ConnectorSDK
import Testing
import TextParsing

@Suite("Keys and values")
struct KeyValueTests {
    @Test(
        "logfmt has texts, texts in quotes and bare keys",
        arguments: [
            ("a=1 b=two", ["a": .string("1"), "b": .string("two")]),
            (
                #"msg="has = \"blanks\"" x="#,
                ["msg": .string(#"has = "blanks""#), "x": .string("")]
            ),
            ("  a\tb=1  ", ["a": .bool(true), "b": .string("1")]),
            ("url=/a?b=c&d=e", ["url": .string("/a?b=c&d=e")]),
            (#"t="a\tb\u00e9\ud83d\ude00\\""#, ["t": .string("a\tbé😀\\")]),
            ("a=1 a=2", ["a": .string("2")]), (#"v=ab"c"#, ["v": .string(#"ab"c"#)]),
            (#""a key"=1"#, ["a key": .string("1")]), ("ä=ö", ["ä": .string("ö")]),
        ] as [(String, [String: Value])]
    )
    func logfmt(line: String, expected: [String: Value]) {
        let fixture = LineParserFixture(KeyValueParser())
        #expect(fixture.parse(line).fields == expected)
        // The names are known the second time, and in another order.
        #expect(fixture.parse("zz=1 " + line).fields["zz"] == .string("1"))
        #expect(fixture.parse(line).fields == expected)
    }

    @Test(
        "a line that is none is refused with the byte",
        arguments: [
            ("", 0), ("=1", 0), ("a=1 =2", 4), (#"a="x"#, 2), (#"a="x"y"#, 5), (#"a="\q""#, 2),
            (#"a="\ud800""#, 2), (#""a"b"#, 3), (#""a"#, 0), (#"a="x\"#, 2),
        ]
    )
    func problems(line: String, offset: Int) {
        #expect(LineParserFixture(KeyValueParser()).parse(line).offset == offset)
    }

    @Test(
        "delimiters may be others, and several characters",
        arguments: [
            (
                ";", ":", "a:1; b : two ;c",
                ["a": .string("1"), "b": .string("two"), "c": .bool(true)]
            ),
            (", ", " => ", "a => 1, b => 2,3", ["a": .string("1"), "b": .string("2,3")]),
            ("&", "=", "q=a b&p=", ["q": .string("a b"), "p": .string("")]),
            ("|", "=", #"a="x|y" | b=1"#, ["a": .string("x|y"), "b": .string("1")]),
        ] as [(String, String, String, [String: Value])]
    )
    func delimiters(pair: String, value: String, line: String, expected: [String: Value]) {
        let parser = KeyValueParser(pairDelimiter: pair, valueDelimiter: value)
        #expect(LineParserFixture(parser).parse(line).fields == expected)
    }

    // D7: names of fields take memory for as long as the process runs.
    @Test("the number of different fields is bounded")
    func manyFields() {
        let parser = KeyValueParser()
        let fixture = LineParserFixture(parser)
        var refused = 0
        for number in 0..<2_000 where fixture.parse("key\(number)=1").problem != nil {
            refused += 1
        }
        #expect(refused == 976)
        #expect(parser.fields.count == 1_024)
        #expect(fixture.parse("key5=x").fields == ["key5": .string("x")])
        // The next batch begins anew.
        parser.begin(fixture.batch)
        #expect(parser.fields.count == 0)
        #expect(fixture.parse("key1999=1").fields == ["key1999": .string("1")])
    }

    @Test("fields that are nested may be as different as they like")
    func nestedFields() {
        let parser = KeyValueParser()
        parser.fields.areNested = true
        let fixture = LineParserFixture(parser)
        for number in 0..<5_000 {
            #expect(fixture.parse("a=\(number) key\(number)=1").fields.count == 2)
        }
        #expect(parser.fields.count <= 1_024)
        let wide = (0..<20_000).map { "k\($0)=1" }.joined(separator: " ")
        #expect(fixture.parse(wide).problem?.reason.contains("16384") == true)
        #expect(fixture.parse("a=1").fields == ["a": .string("1")])
    }
}

@Suite("Delimited and JSON lines")
struct DelimitedTests {
    @Test(
        "a row has its cells",
        arguments: [
            ("1,two,3", [.string("1"), .string("two"), .string("3")]),
            (#""a,b","say ""hi""",c"#, [.string("a,b"), .string(#"say "hi""#), .string("c")]),
            (#",,"""#, [.null, .null, .string("")]),
            (
                #"a"b,c, d"#,
                [
                    .string(#"a"b"#), .string("c"), .string(" d"),
                ]
            ),
        ] as [(String, [Value])]
    )
    func rows(line: String, expected: [Value]) {
        let fixture = LineParserFixture(DelimitedParser(columns: ["a", "b", "c"]))
        let fields = fixture.parse(line).fields
        #expect(["a", "b", "c"].map { fields[$0] } == expected)
    }

    @Test(
        "a row that does not fit is refused with the byte",
        arguments: [
            ("", 0), ("1,2", 3), ("1,2,3,4", 5), (#"1,"2,3"#, 2), (#"1,"2"x,3"#, 5), (#"1,2,""#, 4),
        ]
    )
    func problems(line: String, offset: Int) {
        let parser = DelimitedParser(columns: ["a", "b", "c"])
        #expect(LineParserFixture(parser).parse(line).offset == offset)
    }

    @Test("a line of JSON is one object")
    func json() {
        let fixture = LineParserFixture(JSONLineParser())
        #expect(
            fixture.parse(#"{"a":1,"b":"x\ny","c":{"d":[1]},"e":null}"#).fields == [
                "a": .int(1), "b": .string("x\ny"), "c": .json(#"{"d":[1]}"#), "e": .null,
            ]
        )
        #expect(
            fixture.parse(#" {"c":2,"a":1.50,"z":true}"#).fields == [
                "c": .int(2), "a": .decimal("1.50"), "z": .bool(true),
            ]
        )
        #expect(fixture.parse(#"{"b":"x"}"#).fields == ["b": .string("x")])
        #expect(fixture.parse("{}").fields.isEmpty)
        #expect(fixture.parse("[1]").offset == 0)
        #expect(fixture.parse(#"{"a":01}"#).offset == 6)
        #expect(fixture.parse(#"{"a":1"#).offset == 6)
        #expect(fixture.parse("").problem != nil)
        #expect(fixture.parse("  ").problem != nil)
    }
}
