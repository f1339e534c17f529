import ConnectorSDK
import Testing

@testable import LineTransforms

@Suite("Parse")
struct ParseTests {
    private func parse(
        _ batch: RecordBatch,
        _ values: [String: String]
    ) throws -> [[String: Value]] {
        try Parse(configuration: Configuration(values)).apply(batch)
        return batch.indices.map { batch.fields($0) }
    }

    private func messages(_ batch: RecordBatch) -> [String] {
        batch.takeRejections().map { $0.error.message }
    }

    private static let line = #"10.0.0.1 - ann [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5"#

    @Test("an opaque line becomes fields")
    func opaque() throws {
        let batch = makeOpaqueBatch([Self.line, "bad", Self.line])
        let rows = try parse(batch, ["format": "common", "timestamp.field": "timestamp"])
        #expect(rows.count == 2)
        #expect(rows[1]["user"] == .string("ann") && rows[1]["status"] == .int(200))
        #expect(rows[1]["message"] == nil)
        #expect(batch[metadata: 1].timestamp == 971_211_336_000)
        let rejection = try #require(batch.takeRejections().first)
        #expect(rejection.row == 1)
        #expect(rejection.value == Array("bad".utf8))
        #expect(rejection.error.message.contains("format common: an identity"))
        #expect(rejection.error.message.contains("(byte 4)"))
        // D8: what is shown holds nothing of the record.
        #expect(!rejection.error.description.contains("bad"))
    }

    @Test("a field's line becomes fields beside the others, in place of those of its names")
    func field() throws {
        let record: KeyValuePairs<String, Value> = [
            "a": .int(1), "log": .string("b=2 c=x"), "b": .string("old"),
        ]
        for (more, expected) in [
            ([:], ["a": .int(1), "b": .string("2"), "c": .string("x")]),
            (
                ["keep.original": "true"],
                ["a": .int(1), "log": .string("b=2 c=x"), "b": .string("2"), "c": .string("x")]
            ),
            (
                ["target": "t"],
                ["a": .int(1), "b": .string("old"), "t": .json(#"{"b":"2","c":"x"}"#)]
            ),
            (
                ["target": "log"],
                ["a": .int(1), "b": .string("old"), "log": .json(#"{"b":"2","c":"x"}"#)]
            ),
        ] as [([String: String], [String: Value])] {
            let values = ["format": "logfmt", "field": "log"].merging(more) { $1 }
            #expect(try parse(makeBatch([record]), values) == [expected])
        }
    }

    @Test("a line inside of an object is found, and taken out of it")
    func nestedField() throws {
        let record: KeyValuePairs<String, Value> = ["o": .json(#"{"log":"b=2","x":1}"#)]
        let values = ["format": "logfmt", "field": "o.log", "field.syntax.version": "V2"]
        #expect(
            try parse(makeBatch([record]), values) == [
                ["o": .json(#"{"x":1}"#), "b": .string("2")]
            ]
        )
        let kept = values.merging(["keep.original": "true"]) { $1 }
        #expect(
            try parse(makeBatch([record]), kept) == [
                ["o": .json(#"{"log":"b=2","x":1}"#), "b": .string("2")]
            ]
        )
    }

    @Test("lines with other fields than those before widen the batch")
    func widening() throws {
        let transform = try Parse(configuration: Configuration(["format": "json"]))
        for _ in 0..<2 {
            let batch = makeOpaqueBatch([#"{"a":1}"#, #"{"b":"x\n","a":2}"#, "[]", #"{"c":null}"#])
            try transform.apply(batch)
            #expect(
                batch.indices.map { batch.fields($0) } == [
                    ["a": .int(1)], ["a": .int(2), "b": .string("x\n")], ["c": .null],
                ]
            )
            #expect(messages(batch).count == 1)
        }
    }

    @Test("what does not fit passes with its line, if asked to")
    func keep() throws {
        let lines = ["<13>Oct 11 22:14:15 h app: hello", "bad line"]
        let values = ["format": "syslog", "on.error": "keep"]
        let rows = try parse(makeOpaqueBatch(lines), values)
        #expect(rows[0]["message"] == .string("hello") && rows[0]["appname"] == .string("app"))
        #expect(rows[1] == ["message": .string("bad line")])
        let records: [KeyValuePairs<String, Value>] = [
            ["log": .string("a=1"), "x": .int(1)], ["log": .string("=")], ["log": .int(5)],
        ]
        let more = ["format": "logfmt", "field": "log", "on.error": "keep"]
        #expect(
            try parse(makeBatch(records), more) == [
                ["x": .int(1), "a": .string("1")], ["log": .string("=")], ["log": .int(5)],
            ]
        )
        let batch = makeOpaqueBatch([])
        let bytes = Chunk(copying: [0x61, 0xff])
        batch.retain(bytes)
        batch.appendOpaque(UnsafeRawBufferPointer(bytes.bytes))
        #expect(try parse(batch, values) == [["message": .bytes([0x61, 0xff])]])
    }

    @Test("tombstones pass, and records without a line are refused")
    func noLine() throws {
        let batch = makeBatch([
            ["a": .missing], ["a": .null], ["a": .int(1)], ["a": .string("x=1")],
        ])
        batch.metadata(0).pointee.isTombstone = true
        #expect(
            try parse(batch, ["format": "logfmt", "field": "a"]) == [[:], ["x": .string("1")]]
        )
        #expect(
            messages(batch).map { $0.split(separator: ": ")[1] } == [
                "there is no line.", "the line is no text.",
            ]
        )
        let other = makeBatch([["a": .int(1)]])
        #expect(try parse(other, ["format": "json", "field": "b"]).isEmpty)
        #expect(messages(other) == ["The records have no field b."])
        #expect(try parse(makeBatch([["a": .int(1)]]), ["format": "json"]).isEmpty)
        #expect(try parse(makeOpaqueBatch(["{}"]), ["format": "json", "field": "b"]).isEmpty)
    }

    @Test("fields get the types that are asked for, or the line is refused")
    func types() throws {
        let values = [
            "format": "csv", "columns": "n,f,t,u", "delimiter": ";", "types.n": "int",
            "types.f": "float", "types.t": "timestamp|%d.%m.%Y %H:%M", "timezone": "+01:00",
        ]
        let batch = makeOpaqueBatch([
            "12;1.5;01.03.2024 13:00;x", ";;;", "x;1;;", "1;1;31.2.24 1:00;",
        ])
        let rows = try parse(batch, values)
        #expect(
            rows[0] == [
                "n": .int(12), "f": .double(1.5), "t": .timestamp(1_709_294_400_000_000),
                "u": .string("x"),
            ]
        )
        #expect(rows[1] == ["n": .null, "f": .null, "t": .null, "u": .null])
        #expect(batch.schema.fields.map(\.type) == [.int64, .double, .timestamp, .any])
        #expect(
            messages(batch).map { $0.contains("field n is") || $0.contains("field t is") } == [
                true, true,
            ]
        )
        let grok = ["format": "grok", "pattern": "%{WORD:w} %{INT:i:int}", "types.w": "string"]
        #expect(try parse(makeOpaqueBatch(["a 5"]), grok) == [["w": .string("a"), "i": .int(5)]])
    }

    @Test("the record's time is found, or the line is refused")
    func time() throws {
        let values = ["format": "logfmt", "timestamp.field": "ts", "timestamp.format": "epoch_ms"]
        let batch = makeOpaqueBatch(["ts=1709294400123 a=1", "a=1", "ts=now"])
        #expect(try parse(batch, values).count == 1)
        #expect(batch[metadata: 0].timestamp == 1_709_294_400_123)
        #expect(messages(batch).map { $0.contains("ts") } == [true, true])
    }

    @Test("a line that is not UTF-8 is refused with the byte")
    func invalidUTF8() throws {
        let batch = makeOpaqueBatch(["a=1"])
        let bytes = Chunk(copying: [0x61, 0x3d, 0xff])
        batch.retain(bytes)
        batch.appendOpaque(UnsafeRawBufferPointer(bytes.bytes))
        #expect(try parse(batch, ["format": "logfmt"]) == [["a": .string("1")]])
        #expect(messages(batch)[0].contains("not UTF-8 (byte 3)"))
    }

    @Test(
        "a configuration that cannot work is refused at its key",
        arguments: [
            (["format": "regex"], "pattern"),
            (["format": "grok", "pattern": "%{NOPE:x}"], "pattern"),
            (["format": "regex", "pattern": "("], "pattern"),
            (["format": "regex", "pattern": "(a)"], "pattern"),
            (["format": "grok", "pattern": "%{WORD}"], "pattern"), (["format": "csv"], "columns"),
            (["format": "csv", "columns": "a,a"], "columns"),
            (["format": "csv", "columns": "a", "delimiter": "\""], "quote"),
            (["format": "key_value", "pair.delimiter": "="], "value.delimiter"),
            (["format": "json", "types.a": "nope"], "types.a"),
            (["format": "json", "types.a": "timestamp|nope"], "types.a"),
            (["format": "json", "field": "`a", "field.syntax.version": "V2"], "field"),
        ]
    )
    func refused(values: [String: String], key: String) {
        #expect(
            failure { _ = try Parse(configuration: Configuration(values)) }
                == "configuration.invalid \(key)"
        )
    }

    @Test("a field tells the record's time")
    func timestampFrom() throws {
        let records: [KeyValuePairs<String, Value>] = [
            ["o": .json(#"{"t":"2024-03-01T12:00:00Z"}"#)], ["o": .json("{}")], ["o": .int(1)],
        ]
        let values = ["field": "o.t", "field.syntax.version": "V2"]
        let batch = makeBatch(records)
        try TimestampFrom(configuration: Configuration(values)).apply(batch)
        #expect(batch.count == 1)
        #expect(batch[metadata: 0].timestamp == 1_709_294_400_000)
        #expect(
            batch.takeRejections().map(\.error.code.rawValue) == [
                "transform.timestamp", "transform.timestamp",
            ]
        )
        let kept = makeBatch(records)
        let lenient = values.merging(["on.error": "keep"]) { $1 }
        try TimestampFrom(configuration: Configuration(lenient)).apply(kept)
        #expect(kept.count == 3)
        #expect(kept[metadata: 1].timestamp == RecordMetadata.noTimestamp)
    }
}
