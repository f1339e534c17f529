import ConnectorSDK
import JSONFormat
import Testing

@Suite("JSON format")
struct JSONFormatTests {
    /// A stream, its settings, the texts of its records and of its rejections.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var values: [String: String] = [:]
        var records: [String]
        var rejected: [String] = []
        var fails = false

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "nothing", text: "", records: []),
        Case(name: "white space", text: " \n\r\n\t ", records: []),
        Case(
            name: "lines",
            text: "{\"a\":1}\n{\"a\":2}\n",
            records: [#"{"a":1}"#, #"{"a":2}"#]
        ),
        Case(
            name: "lines without a last line break, CRLF, blank lines, a BOM",
            text: "\u{feff}\r\n{\"a\":1}\r\n\r\n  {\"a\":\"é😀\"} \t\r\n\n{\"b\":3}",
            records: [#"{"a":1}"#, #"{"a":"é😀"}"#, #"{"b":3}"#]
        ),
        Case(
            name: "bad lines are rejected alone",
            text:
                "{\"a\":1}\n{\"a\":\n{\"a\":2\nnonsense\n{\"a\":\"\u{1}\"}\n{\"a\":3} x\n{\"a\":4}\n",
            records: [#"{"a":1}"#, #"{"a":4}"#],
            rejected: [#"{"a":"#, #"{"a":2"#, "nonsense", "{\"a\":\"\u{1}\"}", #"{"a":3} x"#]
        ),
        Case(
            name: "a first line cut in a string is a bad line",
            text: "{\"a\":\"x\n{\"a\":1}\n",
            records: [#"{"a":1}"#],
            rejected: ["{\"a\":\"x"]
        ),
        Case(
            name: "a first line that is left open before whole objects is a bad line",
            text: "{\"a\":\n{\"a\":1}\n\n{\"a\":2}\n",
            records: [#"{"a":1}"#, #"{"a":2}"#],
            rejected: [#"{"a":"#]
        ),
        Case(
            name: "a first line that is left open before one whole object is a bad line",
            text: "{\"a\":[{\n {\"a\":1} \r\n",
            records: [#"{"a":1}"#],
            rejected: [#"{"a":[{"#]
        ),
        Case(
            name: "two lines that are left open are bad lines",
            text: "{\"a\":\n{\"b\":[\n{\"a\":1}\n{\"a\":2}",
            records: [#"{"a":1}"#, #"{"a":2}"#],
            rejected: [#"{"a":"#, #"{"b":["#]
        ),
        Case(
            name: "a line that is left open, alone",
            text: "{\"a\":\n",
            records: [],
            rejected: [#"{"a":"#]
        ),
        Case(
            name: "a document with an object on a line for itself",
            text: "{\"a\":\n{\"b\":1}\n}\n{\"c\":1}\n{\"c\":2}\n",
            records: ["{\"a\":\n{\"b\":1}\n}", #"{"c":1}"#, #"{"c":2}"#]
        ),
        Case(
            name: "a document with objects on lines, commas before them",
            text: "{\"a\":[\n{\"b\":1}\n,{\"b\":2}\n]}",
            records: ["{\"a\":[\n{\"b\":1}\n,{\"b\":2}\n]}"]
        ),
        Case(
            name: "scalars",
            text: "1\n\"x\"\nnull\ntrue\n",
            records: ["1", "\"x\"", "null", "true"]
        ),
        Case(
            name: "orders that contradict",
            text: "{\"a\":1,\"b\":1}\n{\"b\":2,\"a\":2}\n{\"a\":3,\"b\":3}\n",
            records: [#"{"a":1,"b":1}"#, #"{"b":2,"a":2}"#, #"{"a":3,"b":3}"#]
        ),
        Case(
            name: "one array",
            text: " [ {\"a\":1} ,{\"a\":[2]},\n3 , \"]\"\n] ",
            records: [#"{"a":1}"#, #"{"a":[2]}"#, "3", "\"]\""]
        ),
        Case(name: "an empty array", text: "[ ]", records: []),
        Case(
            name: "arrays one after the other",
            text: "[1,2][3]\n[]\n[{\"a\":4}]",
            records: ["1", "2", "3", #"{"a":4}"#]
        ),
        Case(
            name: "a document on several lines",
            text: "{\n  \"a\": 1,\n  \"b\": [\n1]}\n",
            records: ["{\n  \"a\": 1,\n  \"b\": [\n1]}"]
        ),
        Case(
            name: "documents one after the other",
            text: "{\n\"a\":1}{\"a\":2} {\"a\":\n3}\n\n[4]{}",
            records: [
                "{\n\"a\":1}", #"{"a":2}"#, "{\"a\":\n3}", "4", "{}",
            ]
        ),
        Case(
            name: "documents on one line",
            text: "{\"a\":1}{\"a\":2}",
            records: [#"{"a":1}"#, #"{"a":2}"#]
        ),
        Case(name: "numbers on one line", text: "1 2 3", records: ["1", "2", "3"]),
        Case(
            name: "nothing is read behind a syntax error in a document",
            text: "[{\"a\":1},{\"a\":tru},{\"a\":3}]",
            records: [#"{"a":1}"#],
            fails: true
        ),
        Case(name: "a comma missing", text: "[1 2]", records: ["1"], fails: true),
        Case(name: "a comma too many", text: "[1,]", records: ["1"], fails: true),
        Case(name: "an array cut off", text: "[1,2", records: ["1", "2"], fails: true),
        Case(name: "a document cut off", text: "{\"a\":\n[1,", records: [], fails: true),
        Case(name: "brackets that do not match", text: "[{\"a\":1],2]", records: [], fails: true),
        Case(
            name: "a string that is no text is rejected alone in an array",
            text: #"[{"a":1},{"a":"\ud800"},{"a":3}]"#,
            records: [#"{"a":1}"#, #"{"a":3}"#],
            rejected: [#"{"a":"\ud800"}"#]
        ),
        Case(
            name: "a path to an array",
            text:
                #"{"meta":{"data":[0]},"data":{"x":"]","items":[{"a":1}, {"a":2}],"y":[9]},"z":1} "#
                + #"{"data":{"items":[]}}{"data":{"items":[3]}}"#,
            values: ["record.path": "/data/items"],
            records: [#"{"a":1}"#, #"{"a":2}"#, "3"]
        ),
        Case(
            name: "a path to an object",
            text: #"{"r":{"a":1}} {"r":{"a":2}} {"r":null}"#,
            values: ["record.path": "/r"],
            records: [#"{"a":1}"#, #"{"a":2}"#]
        ),
        Case(
            name: "a path through an array and escaped names",
            text: #"[[],[{"a/b":0,"~":{"":[7,8]}}],9]"#,
            values: ["record.path": "/1/0/~0/"],
            records: ["7", "8"]
        ),
        Case(
            name: "a name written with escapes",
            text: #"{"\u0069tems":[1]}"#,
            values: ["record.path": "/items"],
            records: ["1"]
        ),
        Case(
            name: "a document without the path",
            text: #"{"a":1} {"items":[1]} [2] 3 {"items":{}} {} []"#,
            values: ["record.path": "/items"],
            records: ["1", "{}"],
            rejected: [
                #"{"a":1} {"items":[1]} [2] 3 {"items":{}} {} []"#, #"[2] 3 {"items":{}} {} []"#,
                #"3 {"items":{}} {} []"#, "{} []", "[]",
            ]
        ),
        Case(
            name: "lines are asked for",
            text: "{\n\"a\":1}\n[1,2]\n{\"a\":2}\n",
            values: ["json.style": "lines"],
            records: ["[1,2]", #"{"a":2}"#],
            rejected: ["{", "\"a\":1}"]
        ),
        Case(
            name: "an array is asked for",
            text: "[\n{\"a\":1}\n]\n",
            values: ["json.style": "array"],
            records: [#"{"a":1}"#]
        ),
    ]

    @Test("reads every layout, however the stream is cut into pieces", arguments: cases)
    func reads(test: Case) throws {
        let bytes = Array(test.text.utf8)
        let whole = try JSONStream.read(bytes, test.values)
        #expect(whole.texts == test.records)
        #expect((whole.failure != nil) == test.fails, "\(whole.failure ?? "")")
        for (piece, window) in [(1, 1), (1, 16), (3, 7), (7, 64), (1 << 20, 5)] {
            let cut = try JSONStream.read(bytes, test.values, piece: piece, window: window)
            #expect(cut.records == whole.records)
            #expect(cut.rejected.map(\.byte) == whole.rejected.map(\.byte))
            #expect(cut.rejected.map(\.line) == whole.rejected.map(\.line))
            #expect((cut.failure != nil) == test.fails)
        }
        #expect(whole.rejected.map(\.text) == test.rejected)
        for record in whole.records + whole.rejected {
            let before = bytes.prefix(Int(record.byte))
            #expect(record.line == Int64(before.count { $0 == 0x0A }) + 1)
            let text = Array(record.text.utf8)
            #expect(Array(bytes.dropFirst(Int(record.byte)).prefix(text.count)) == text)
        }
    }

    @Test("goes on from every position that it ever had", arguments: cases)
    func resumes(test: Case) throws {
        // Records whose fields come in another order cut the batch, so every other record does.
        let bytes = Array(test.text.utf8)
        let whole = try JSONStream.read(bytes, test.values)
        for position in whole.positions where whole.failure == nil {
            let rest = try JSONStream.read(bytes, test.values, from: position)
            #expect(rest.failure == nil)
            let read = Int(position.record) - (whole.records.count + whole.rejected.count)
            #expect(rest.records.count + rest.rejected.count == -read)
            #expect(rest.records == Array(whole.records.suffix(rest.records.count)))
        }
    }

    @Test(
        "goes on between any two records",
        arguments: [
            ("lines", [:], "", "\n", "\n"),
            ("array", [:], "[", " ,\n", "]\n[{\"a\":1}]"),
            ("documents", [:], "\n{\n}", " ", ""),
            (
                "path", ["record.path": "/x/1/y"], #"{"w":[1],"x":[{},{"y":["#, ",",
                "]}],\"z\":{}}\n{\"x\":[0,{\"y\":[7]}]}"
            ),
        ] as [(String, [String: String], String, String, String)]
    )
    func resumesAnywhere(
        name: String,
        values: [String: String],
        start: String,
        separator: String,
        end: String
    ) throws {
        let records = (0..<12).map {
            $0 % 2 == 0 ? "{\"a\":\($0),\"b\":\"\n\"}" : "{\"b\":0,\n\"a\":\($0)}"
        }
        .map { name == "lines" ? $0.filter { $0 != "\n" } : $0.replacing("\"\n\"", with: "\"]}\"") }
        let bytes = Array((start + records.joined(separator: separator) + end).utf8)
        let whole = try JSONStream.read(bytes, values)
        #expect(whole.failure == nil && whole.rejected.isEmpty)
        #expect(whole.positions.count >= 12)
        for position in whole.positions {
            for (piece, window) in [(1 << 20, 1 << 16), (1, 3)] {
                let rest = try JSONStream.read(
                    bytes,
                    values,
                    from: position,
                    piece: piece,
                    window: window
                )
                #expect(rest.failure == nil)
                #expect(rest.records == Array(whole.records.dropFirst(Int(position.record))))
                #expect(rest.positions.last == whole.positions.last)
            }
        }
    }

    // D7, D9: a record of any length costs bounded memory and is rejected alone.
    @Test(
        "a record beyond max.record.bytes is rejected with its beginning, and skipped",
        arguments: [
            ("{\"a\":1}\n", "\n{\"a\":2}\n"), ("[{\"a\":1},", ",{\"a\":2}]"),
            ("{\"a\":1}", "{\"a\":2}"),
        ]
    )
    func skipsLongRecords(before: String, after: String) throws {
        for length in [1_100, 5_000, 3 << 20] {
            let long = "{\"long\":\"" + String(repeating: "]", count: length) + "\"}"
            let bytes = Array((before + long + after).utf8)
            for window in [64, 1 << 16] {
                let contents = try JSONStream.read(
                    bytes,
                    ["max.record.bytes": "1024"],
                    piece: window,
                    window: window
                )
                #expect(contents.failure == nil)
                #expect(contents.texts == [#"{"a":1}"#, #"{"a":2}"#])
                #expect(contents.rejected.map(\.byte) == [Int64(before.utf8.count)])
                let sample = try #require(contents.rejected.first).text
                #expect(long.hasPrefix(sample) && sample.utf8.count == 1_024)
            }
        }
    }

    @Test("a line that is not UTF-8 is rejected alone")
    func rejectsInvalidUTF8() throws {
        let bytes =
            Array("{\"a\":\"é\"}\n{\"a\":\"".utf8) + [0xFF] + Array("\"}\n{\"a\":\"ü\"}\n".utf8)
        for window in [4, 64, 1 << 16] {
            let contents = try JSONStream.read(bytes, piece: window, window: window)
            #expect(contents.texts == [#"{"a":"é"}"#, #"{"a":"ü"}"#])
            #expect(contents.rejected.map(\.line) == [2])
        }
    }

    @Test("a whole window of lines is one batch, all its fields in one schema")
    func fillsBatches() throws {
        let text = (0..<4_000).map { "{\"id\":\($0),\"name\":\"n\($0)\"}" }.joined(separator: "\n")
        let contents = try JSONStream.read(text)
        #expect(contents.schemas == [["id", "name"]])
        #expect(contents.records.count == 4_000)
        #expect(contents.positions.last?.byte == Int64(text.utf8.count))
    }

    @Test(
        "refuses settings that cannot work",
        arguments: [
            ["record.path": "data"], ["record.path": "/a~2"], ["json.style": "pretty"],
            ["max.record.bytes": "10"], ["record.path": "/a", "json.style": "lines"],
        ]
    )
    func refusesSettings(values: [String: String]) {
        #expect(throws: ConnectorError.self) {
            try JSONFormat(configuration: Configuration(values))
        }
    }
}
