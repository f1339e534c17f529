import ConnectorSDK
import JSONRecords
import Testing

@Suite("JSON grammar")
struct GrammarTests {
    static let accepted: [(String, Value)] = [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)),
        ("0", .int(0)), ("-1", .int(-1)), ("10", .int(10)),
        ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
        ("9223372036854775808", .decimal("9223372036854775808")),
        ("-9223372036854775809", .decimal("-9223372036854775809")),
        ("123456789012345678901234567890", .decimal("123456789012345678901234567890")),
        ("-0", .decimal("-0")), ("-0.0", .decimal("-0.0")), ("0.0", .decimal("0.0")),
        ("12.50", .decimal("12.50")), ("-0.5", .decimal("-0.5")), ("0.001", .decimal("0.001")),
        ("1234567890.12345678", .decimal("1234567890.12345678")),
        ("0.12345678901234567890", .decimal("0.12345678901234567890")),
        ("1e5", .decimal("1e5")), ("1E+5", .decimal("1E+5")), ("-1.5e-300", .decimal("-1.5e-300")),
        ("0e0", .decimal("0e0")), ("1e400", .decimal("1e400")),
        (#""""#, .string("")), (#""a""#, .string("a")), (#""a/b""#, .string("a/b")),
        (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{c}\n\r\t")),
        (#""\u0041\u00e9\u20AC""#, .string("Aé€")), (#""\ud83d\ude00""#, .string("😀")),
        (#""\uD834\uDD1E tail that is long enough""#, .string("𝄞 tail that is long enough")),
        (#""\u0000""#, .string("\u{0}")), (#""\uFFFE\udbff\udfff""#, .string("\u{FFFE}\u{10FFFF}")),
        (#""fifteen bytes..""#, .string("fifteen bytes..")),
        (#""sixteen bytes...""#, .string("sixteen bytes...")),
        (#""seventeen bytes..""#, .string("seventeen bytes..")),
        ("\"\u{7f}\u{2028}é€😀\"", .string("\u{7f}\u{2028}é€😀")),
        ("{}", .json("{}")), ("[]", .json("[]")), ("[ ]", .json("[ ]")), ("{ }", .json("{ }")),
        ("[1,[2,{\"a\":[]}],null]", .json("[1,[2,{\"a\":[]}],null]")),
        ("{\"a\" : {\"b\":\t[true,false]}}", .json("{\"a\" : {\"b\":\t[true,false]}}")),
        ("[\"]\",\"}\\\"\"]", .json("[\"]\",\"}\\\"\"]")),
        ("{\"a\":1,\"a\":2}", .json("{\"a\":1,\"a\":2}")), ("{\"\":0}", .json("{\"\":0}")),
    ]

    static let refused: [(String, JSONSyntaxError.Reason)] = [
        ("01", .invalidNumber), ("-01", .invalidNumber), ("00", .invalidNumber),
        ("+1", .invalidNumber), (".5", .invalidNumber), ("1.", .invalidNumber),
        ("1.e5", .invalidNumber), ("-", .invalidNumber), ("--1", .invalidNumber),
        ("1e", .invalidNumber), ("1e+", .invalidNumber), ("1.5e-", .invalidNumber),
        ("-.5", .invalidNumber), ("1.2.3", .unexpectedCharacter), ("1e5.2", .unexpectedCharacter),
        ("0x1F", .unexpectedCharacter), ("1_000", .unexpectedCharacter),
        ("NaN", .unexpectedCharacter), ("Infinity", .unexpectedCharacter),
        ("-Infinity", .invalidNumber), ("nan", .unexpectedCharacter),
        ("True", .unexpectedCharacter), ("nul", .unexpectedCharacter),
        ("truefalse", .unexpectedCharacter), ("nullx", .unexpectedCharacter),
        ("fals", .unexpectedCharacter), ("undefined", .unexpectedCharacter),
        ("'a'", .unexpectedCharacter), ("a", .unexpectedCharacter), ("", .unexpectedCharacter),
        (",", .unexpectedCharacter), ("1 2", .unexpectedCharacter),
        ("\"a\"\"b\"", .unexpectedCharacter),
        (#""\x41""#, .invalidEscape), (#""\u12""#, .invalidEscape), (#""\u12g4""#, .invalidEscape),
        (#""\U0041""#, .invalidEscape), (#""\'""#, .invalidEscape), (#""\0""#, .invalidEscape),
        (#""\ud800""#, .loneSurrogate), (#""\udc00""#, .loneSurrogate),
        (#""\ud800\ud800""#, .loneSurrogate), (#""\ud800x""#, .loneSurrogate),
        (#""\ud800\n""#, .loneSurrogate), (#""\udfff\ud800""#, .loneSurrogate),
        ("\"a\nb\"", .controlCharacter), ("\"\t\"", .controlCharacter),
        ("\"\u{0}\"", .controlCharacter), ("\"0123456789abcdef\u{1f}\"", .controlCharacter),
        ("[", .unexpectedCharacter), ("]", .unexpectedCharacter), ("[1,]", .unexpectedCharacter),
        ("[,1]", .unexpectedCharacter), ("[1 2]", .unexpectedCharacter),
        ("[1,,2]", .unexpectedCharacter),
        ("[1}", .unexpectedCharacter), ("{\"a\":1]", .unexpectedCharacter),
        ("{]", .unexpectedCharacter),
        ("[\"\\ud800\"]", .loneSurrogate), ("[01]", .invalidNumber),
        ("[\"\u{1}\"]", .controlCharacter),
        ("{\"a\"}", .unexpectedCharacter), ("{\"a\":}", .unexpectedCharacter),
        ("{a:1}", .unexpectedCharacter), ("{1:1}", .unexpectedCharacter),
        ("{\"a\":1,}", .unexpectedCharacter), ("{,}", .unexpectedCharacter),
        ("{\"a\" 1}", .unexpectedCharacter), ("{\"a\"::1}", .unexpectedCharacter),
        ("[1/*c*/]", .unexpectedCharacter), ("//x", .unexpectedCharacter),
        ("\u{a0}1", .unexpectedCharacter), ("\u{c}1", .unexpectedCharacter),
        ("\u{feff}1", .unexpectedCharacter),
    ]

    @Test("accepts what RFC 8259 has, first seen and expected alike", arguments: accepted)
    func accepts(text: String, value: Value) {
        for record in ["{\"k\":\(text)}", " { \"k\" : \(text) } ", "{\"k\": \(text), \"z\": 1}"] {
            let parser = JSONRecordParser()
            let first = ParsedRecord(record, with: parser)
            #expect(first.error == nil, "\(record)")
            #expect(first.fields.first == .init("k", value), "\(record)")
            #expect(ParsedRecord(record, with: parser) == first, "\(record), the second time")
        }
        let alone = ParsedRecord(text)
        guard case .json(let text) = value, text.hasPrefix("{") else {
            #expect(alone.fields == [.init("value", value)])
            return
        }
        #expect(alone.error == nil)
    }

    @Test("refuses what RFC 8259 does not have", arguments: refused)
    func refuses(text: String, reason: JSONSyntaxError.Reason) {
        let parser = JSONRecordParser()
        #expect(ParsedRecord("{\"k\":1,\"z\":2}", with: parser).error == nil)
        for record in ["{\"k\":\(text),\"z\":2}", "{\"k\": \(text) }", "{\"new\":\(text)}"] {
            let error = ParsedRecord(record, with: parser).error
            #expect(error != nil, "\(record)")
            if !text.isEmpty, text != "1 2", text.first != "[", text.first != "{" {
                #expect(error?.reason == reason, "\(record)")
            }
        }
        #expect(ParsedRecord(text).error != nil)
    }

    @Test(
        "says where a record is wrong",
        arguments: [
            (#"{"a":1,"b":tru}"#, 14, JSONSyntaxError.Reason.unexpectedCharacter),
            (#"{"a":1,"b":01}"#, 12, .invalidNumber),
            (#"{"a":"x\q"}"#, 7, .invalidEscape),
            (#"{"a":[1,{"b":"\ud800"}]}"#, 14, .loneSurrogate),
            (#"{"a":1} x"#, 8, .trailingCharacters),
            (#"{"a":1"#, 6, .unexpectedEnd), (#"{"a":"#, 5, .unexpectedEnd),
            ("", 0, .unexpectedEnd),
            (#"{"a":"unfinished"#, 16, .unexpectedEnd), ("{", 1, .unexpectedEnd),
        ]
    )
    func locates(text: String, offset: Int, reason: JSONSyntaxError.Reason) {
        #expect(ParsedRecord(text).error == JSONSyntaxError(reason, at: offset))
    }

    @Test("refuses every beginning of a record, whatever bytes follow in memory")
    func refusesTruncation() {
        let text = Array(
            #"""
            {"id":-12.50,"big":1e5,"s":"x\u00e9\ud83d\ude00y","t":true,"n":null,"f":false,
            "o":{"a":[1,2,{"b":"c"}]},"e":[],"long":"0123456789abcdefghij"}
            """#.utf8
        )
        let parser = JSONRecordParser()
        #expect(ParsedRecord([text], with: parser).error == nil)
        for padding in [
            "}", "\"}", "]}", "0}", ":1}", "e\":1}", "\u{0}", String(decoding: text, as: UTF8.self),
        ] {
            for count in 0..<text.count {
                let beginning = Array(text.prefix(count))
                let parsed = ParsedRecord([beginning], padding: padding, with: parser)
                #expect(parsed.error?.reason == .unexpectedEnd, "\(count) with \(padding)")
                #expect((parsed.error?.offset ?? -1) <= count)
            }
        }
    }

    @Test(
        "refuses bytes that are not UTF-8, and says which",
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0x80], [0xF0, 0x82, 0x82, 0xAC],
        ] as [[UInt8]]
    )
    func refusesInvalidUTF8(bytes: [UInt8]) {
        for lead in [0, 1, 15, 16, 40] {
            let before = Array("{\"k\":\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: lead)
            let text = before + bytes + Array("\"}".utf8)
            let error = ParsedRecord([text], with: JSONRecordParser()).error
            #expect(error == JSONSyntaxError(.invalidUTF8, at: before.count))
        }
    }

    @Test("reads 512 levels of nesting and no more, without recursion")
    func limitsDepth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(ParsedRecord("{\"k\":\(nested(511))}").error == nil)
        #expect(ParsedRecord("{\"k\":\(nested(512))}").error == JSONSyntaxError(.tooDeep, at: 516))
        #expect(ParsedRecord(nested(512)).error == nil)
        #expect(ParsedRecord(nested(513)).error?.reason == .tooDeep)
        let deep = String(repeating: "{\"a\":", count: 200_000)
        #expect(ParsedRecord(deep).error?.reason == .tooDeep)
    }

    @Test("refuses an object of more fields than columns are allowed")
    func limitsFields() {
        func object(_ count: Int) -> String {
            "{" + (0..<count).map { "\"f\($0)\":1" }.joined(separator: ",") + "}"
        }
        #expect(ParsedRecord(object(JSONLimits.fields)).fields.count == JSONLimits.fields)
        #expect(ParsedRecord(object(JSONLimits.fields + 1)).error?.reason == .tooManyFields)
    }
}
