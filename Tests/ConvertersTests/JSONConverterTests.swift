import ConnectorSDK
import Converters
import Testing

@Suite("JSON converter")
struct JSONConverterTests {
    private func make() throws -> JSONConverter {
        try JSONConverter(configuration: Configuration([:]))
    }

    @Test(
        "unmodified values come out byte for byte",
        arguments: [
            #"{"id":1,"amount":12.50,"note":"caf\u00e9 \"x\"","tags":[1, 2],"gone":null}"#,
            #"{ "id" : 1 }"#, #"{"a":1,"a":2}"#, "42", #""text""#, "[1,2,3]", "{}", #"{"":0}"#,
        ]
    )
    func copiesUnmodified(text: String) throws {
        let converter = try make()
        let registry = MemoryRegistry()
        try converter.decodeAll([TopicRecord(text), TopicRecord(text)], schemas: registry) {
            batch in
            #expect(batch.rawIsJSON && batch.count == 2)
            let written = try converter.encodeAll(batch, schemas: registry)
            #expect(written.map(\.text) == [text, text])
        }
        #expect(registry.texts.isEmpty)
    }

    @Test("a changed record is written anew, its other fields exactly as they were")
    func writesModified() throws {
        let converter = try make()
        try converter.decodeAll(
            [TopicRecord(#"{"id": 1, "amount": 12.50, "big": 1e400, "o": {"x": [1, 2]}}"#)],
            schemas: MemoryRegistry()
        ) { batch in
            batch.set(0, "id", .int(2))
            let written = try converter.encodeAll(batch, schemas: MemoryRegistry()).map(\.text)
            #expect(written == [#"{"id":2,"amount":12.50,"big":1e400,"o":{"x": [1, 2]}}"#])
        }
    }

    @Test("text on several lines is written on one")
    func joinsLines() throws {
        let converter = try make()
        try converter.decodeAll(
            [TopicRecord("{\n  \"id\": 1,\r\n  \"o\": [\n1]\n}\n"), TopicRecord(#"{"id":2}"#)],
            schemas: MemoryRegistry()
        ) { batch in
            #expect(!batch.rawIsJSON)
            let written = try converter.encodeAll(batch, schemas: MemoryRegistry()).map(\.text)
            #expect(written == [#"{"id":1,"o":[1]}"#, #"{"id":2}"#])
        }
    }

    @Test("the records of one topic do not get the fields of another's")
    func topicsAreApart() throws {
        let converter = try make()
        for (topic, text) in [("a", #"{"x":1}"#), ("b", #"{"y":2}"#), ("a", #"{"x":3}"#)] {
            let batch = TopicRecord.batch([TopicRecord(text, key: text)])
            batch.topic = topic
            try converter.decodeValues(batch, rest: RecordBatch(), schemas: MemoryRegistry())
            try converter.decodeKeys(batch)
            let name = topic == "a" ? "x" : "y"
            #expect(batch.schema.names == [name])
            #expect(batch.keySchema?.names == [name])
        }
    }

    @Test("records that need another schema go to the next batch, in order")
    func splits() throws {
        let converter = try make()
        let texts = [
            #"{"a":1,"b":1}"#, #"{"b":2}"#, #"{"b":3,"a":3}"#, #"{"a":4}"#, #"{"a":5,"b":"\n"}"#,
        ]
        var seen: [[String]] = []
        var written: [String] = []
        try converter.decodeAll(texts.map { TopicRecord($0) }, schemas: MemoryRegistry()) { batch in
            seen.append(batch.indices.map { batch.describe($0) })
            written += try converter.encodeAll(batch, schemas: MemoryRegistry()).compactMap(\.text)
        }
        #expect(written == texts)
        #expect(
            seen == [
                ["a=int(1) b=int(1)", "b=int(2)"],
                ["b=int(3) a=int(3)", "a=int(4)"],
                [#"a=int(5) b=string("\n")"#],
            ]
        )
    }

    // D6, D9: what cannot be read is rejected with its bytes and a reason, and alone.
    @Test("a value that is not JSON is rejected alone, with its bytes and the place")
    func rejects() throws {
        let bad = [#"{"a":tru}"#, "", "{\"a\":\"\u{1}\"}", "not json"]
        let records = bad.flatMap { [TopicRecord(#"{"a":1}"#), TopicRecord($0)] }
        let converter = try make()
        try converter.decodeAll(records, schemas: MemoryRegistry()) { batch in
            let rows = batch.indices.map { batch.describe($0) }
            #expect(rows == Array(repeating: "a=int(1)", count: 4))
            let rejected = batch.takeRejections()
            #expect(rejected.map { String(decoding: $0.value, as: UTF8.self) } == bad)
            #expect(rejected.map(\.offset) == [1, 3, 5, 7])
            #expect(rejected.allSatisfy { $0.error.disposition == .rejectRecord })
            #expect(rejected.first?.error.message.contains("byte 8") == true)
        }
    }

    @Test("tombstones pass, wherever they are")
    func tombstones() throws {
        let converter = try make()
        let records = [
            TopicRecord(nil), TopicRecord(#"{"a":1,"b":2}"#), TopicRecord(nil),
            TopicRecord(#"{"b":1,"a":2}"#), TopicRecord(nil),
        ]
        var written: [String?] = []
        try converter.decodeAll(records, schemas: MemoryRegistry()) { batch in
            written += try converter.encodeAll(batch, schemas: MemoryRegistry()).map(\.text)
        }
        #expect(written == records.map(\.text))
    }

    static let typedSchema = Schema([
        Field("id", .int64, isOptional: false), Field("n", .decimal(precision: 38, scale: 9)),
        Field("d", .double), Field("f", .float), Field("raw", .bytes), Field("doc", .json),
        Field("day", .date), Field("at", .time), Field("ts", .timestamp),
        Field("local", .localTimestamp), Field("u", .uuid), Field("s", .string), Field("x"),
    ])

    static let typedRows: [[Value]] = [
        [
            .int(1), .decimal("12345678901234567890.123456789"), .double(0.1), .double(1),
            .bytes([0, 255, 10]), .json(#"{"a":[1]}"#), .date(20_761), .time(5_134_000_001),
            .timestamp(1_793_755_534_000_001), .localTimestamp(-1),
            .string("0190d9a2-0000-7000-8000-000000000000"), .string("2026-11-04"), .int(5),
        ],
        [
            .int(.max), .decimal("5.000000000"), .double(-0.0), .double(1e300), .bytes([]),
            .json(#""text""#), .null, .missing, .null, .null, .null, .string(""), .bool(true),
        ],
        [
            .int(-1), .null, .double(9_007_199_254_740_992), .double(.leastNonzeroMagnitude),
            .missing, .json("12"),
            .date(-800_000), .time(0), .timestamp(0), .localTimestamp(0), .missing, .missing,
            .missing,
        ],
    ]

    static func typedBatch() -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: typedSchema)
        for values in typedRows {
            let row = batch.appendRow()
            for (column, value) in values.enumerated() {
                batch[row, column] = batch.makeCell(value)
            }
        }
        batch[0, 8].length = UInt32(bitPattern: -12_630)
        return batch
    }

    // A schema registered with the store carries what JSON has no types for.
    @Test("typed values survive the way through a topic")
    func typesSurvive() throws {
        let registry = MemoryRegistry()
        let source = Self.typedBatch()
        let records = try make().encodeAll(source, schemas: registry)
        #expect(records.allSatisfy { $0.schemaID == 1 })
        let text = try #require(records[0].text)
        #expect(text.contains(#""raw":"AP8K","doc":{"a":[1]},"day":"2026-11-04""#))
        let mixed = [TopicRecord(#"{"id":7,"raw":"AP8K"}"#)] + records + [TopicRecord("{\"z\":1}")]
        var batches: [[String]] = []
        try make().decodeAll(mixed, schemas: registry) { batch in
            #expect(batch.takeRejections().isEmpty)
            batches.append(batch.indices.map { batch.describe($0) })
            guard batch.count == 3 else { return }
            #expect(batch.schema.fields == Self.typedSchema.fields)
            #expect(!batch.rawIsJSON)
            for row in batch.indices {
                #expect(batch.describe(row) == source.describe(row))
                for column in Self.typedSchema.fields.indices {
                    let (cell, original) = (batch[row, column], source[row, column])
                    #expect(cell.tag == original.tag || cell.tag == .decimal)
                }
            }
            #expect(Int32(bitPattern: batch[0, 8].length) == -12_630)
        }
        #expect(batches.map(\.count) == [1, 3, 1])
        #expect(batches[0] == [#"id=int(7) raw=string("AP8K")"#])
        #expect(batches[2] == ["z=int(1)"])
    }

    @Test("values that contradict their schema, or whose schema is unknown, are rejected")
    func contradictions() throws {
        let registry = MemoryRegistry()
        let schema = Schema([Field("raw", .bytes), Field("day", .date), Field("d", .double)])
        let id = try #require(try make().schemaID(for: schema, schemas: registry))
        let records =
            [
                #"{"raw":"AP8K","day":"2026-11-04","d":1}"#, #"{"raw":"A","day":"2026-11-04"}"#,
                #"{"raw":null,"day":"2026-02-30"}"#, #"{"raw":5}"#, #"{"d":"1"}"#, #"{"d":2.5}"#,
            ].map { TopicRecord($0, schemaID: id) } + [TopicRecord(#"{"d":1}"#, schemaID: 99)]
        var rows: [String] = []
        var rejected: [Int64] = []
        try make().decodeAll(records, schemas: registry) { batch in
            rows += batch.indices.map { batch.describe($0) }
            rejected += batch.takeRejections().map(\.offset)
        }
        #expect(
            rows == [
                "raw=bytes([0, 255, 10]) day=date(20761) d=double(1.0)", "d=double(2.5)",
            ]
        )
        #expect(rejected == [1, 2, 3, 4, 6])
    }

    @Test("a schema is registered once, and only when it declares types")
    func registersOnce() throws {
        let converter = try make()
        let registry = MemoryRegistry()
        #expect(try converter.schemaID(for: Schema(["a", "b"]), schemas: registry) == nil)
        #expect(try converter.schemaID(for: .opaque, schemas: registry) == nil)
        #expect(try converter.schemaID(for: Schema([Field("a", .date)]), schemas: registry) == 1)
        #expect(try converter.schemaID(for: Schema([Field("a", .date)]), schemas: registry) == 1)
        #expect(registry.texts == [#"{"fields":[{"name":"a","type":"date"}]}"#])
    }

    @Test("nested types and the source's own names of types come back from the registry")
    func nestedTypes() throws {
        let row = [
            Field("id", .int64, isOptional: false), Field("address", .any, nativeType: "db.inet"),
            Field("price", .decimal(precision: 38, scale: 9)),
            Field("point", .object([Field("x", .double), Field("y", .double)])),
        ]
        let schema = Schema([Field("before", .object(row)), Field("op", .string)])
        let registry = MemoryRegistry()
        let id = try make().schemaID(for: schema, schemas: registry)
        try make().decodeAll(
            [TopicRecord(#"{"before":{"id":1,"price":1.10},"op":"u"}"#, schemaID: id)],
            schemas: registry
        ) { batch in
            #expect(batch.schema.fields == schema.fields)
            #expect(batch.value(0, "before") == .json(#"{"id":1,"price":1.10}"#))
        }
    }

    @Test("what JSON has no number or time for comes back where the type says what it is")
    func spelledNumbers() throws {
        let schema = Schema([
            Field("d", .double), Field("f", .float), Field("at", .timestamp), Field("on", .date),
        ])
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: schema)
        let values: [[Value]] = [
            [.double(.infinity), .double(-.infinity), .string("infinity"), .string("-infinity")],
            [.double(0.5), .double(.nan), .timestamp(0), .date(0)],
            [.null, .null, .string("294276-12-31 23:59:59.999999+00"), .null],
        ]
        for row in values {
            let index = batch.appendRow()
            for (column, value) in row.enumerated() { batch[index, column] = batch.makeCell(value) }
        }
        let registry = MemoryRegistry()
        let converter = try make()
        let id = try converter.schemaID(for: schema, schemas: registry)
        let texts = try batch.indices.map { row in
            String(
                decoding: try #require(try converter.encodeValue(batch, row: row)),
                as: UTF8.self
            )
        }
        #expect(
            texts[0] == #"{"d":"Infinity","f":"-Infinity","at":"infinity","on":"-infinity"}"#
        )
        var rows: [[Value]] = []
        try make().decodeAll(
            texts.map { TopicRecord($0, schemaID: id) },
            schemas: registry
        ) { batch in
            for row in batch.indices {
                rows.append((0..<schema.count).map { Value(batch[row, $0]) })
            }
        }
        // Not a number is not equal to itself.
        #expect(rows.description == values.description)
        try make().decodeAll(
            [TopicRecord(#"{"d":"infinite"}"#, schemaID: id)],
            schemas: registry
        ) { #expect($0.count == 0) }
    }

    @Test("objects deeper than the limit are plain JSON, and read back")
    func deepTypes() throws {
        var type = FieldType.int64
        for _ in 0..<40 { type = .object([Field("in", type)]) }
        let registry = MemoryRegistry()
        let id = try make().schemaID(for: Schema([Field("out", type)]), schemas: registry)
        try make().decodeAll([TopicRecord("{}", schemaID: id)], schemas: registry) { batch in
            var depth = 0
            var next = batch.schema.fields[0].type
            while case .object(let fields) = next {
                next = fields[0].type
                depth += 1
            }
            #expect(depth == 16)
            #expect(next == .json)
        }
    }

    @Test("keys become fields by name, and what is no object the field `key`")
    func decodesKeys() throws {
        let keys: [(String?, String)] = [
            (#"{"id":1,"r":"x\n"}"#, #"id=int(1) r=string("x\n")"#),
            (#"{"r":"y\t","id":2}"#, #"id=int(2) r=string("y\t")"#),
            ("42", "key=int(42)"), (#""k""#, #"key=string("k")"#),
            ("plain", #"key=string("plain")"#), (nil, ""), (#"{"id":3}"#, "id=int(3)"),
        ]
        let batch = TopicRecord.batch(keys.map { TopicRecord("{}", key: $0.0) })
        let converter = try make()
        try converter.decodeKeys(batch)
        let schema = try #require(batch.keySchema)
        for (row, key) in keys.enumerated() {
            let cells = try #require(batch.keyRow(row))
            let text = schema.names.enumerated().compactMap { column, name in
                let value = Value(cells[column])
                return value == .missing ? nil : "\(name)=\(value)"
            }
            #expect(text.joined(separator: " ") == key.1)
        }
    }

    @Test("a key is written as an object of its fields, an opaque one as it is, none as null")
    func encodesKeys() throws {
        let converter = try make()
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["v"]), keySchema: Schema(["id", "r"]))
        for _ in 0..<2 { batch.appendRow() }
        batch.keyRow(0)?[0] = .int(1)
        let key = try converter.encodeKey(batch, row: 0).map { Array($0) }
        #expect(key == Array(#"{"id":1}"#.utf8))
        #expect(try converter.encodeKey(batch, row: 1) == nil)
        let opaque = TopicRecord.batch([TopicRecord("{}", key: "k"), TopicRecord("{}")])
        #expect(try converter.encodeKey(opaque, row: 0).map { Array($0) } == Array("k".utf8))
        #expect(try converter.encodeKey(opaque, row: 1) == nil)
    }

    @Test("a floating-point key that is no number is written as text, and refused without a type")
    func notANumberInKeys() throws {
        let converter = try make()
        let batch = RecordBatch()
        let key = Schema([Field("d", .double), Field("f", .float), Field("x")])
        batch.reset(topic: "t", schema: Schema(["v"]), keySchema: key)
        for _ in 0..<2 { batch.appendRow() }
        batch.keyRow(0)?[0] = .double(.nan)
        batch.keyRow(0)?[1] = .double(-.infinity)
        batch.keyRow(1)?[2] = .double(.nan)
        let text = try converter.encodeKey(batch, row: 0).map { Array($0) }
        #expect(text == Array(#"{"d":"NaN","f":"-Infinity"}"#.utf8))
        let error = #expect(throws: ConnectorError.self) {
            _ = try converter.encodeKey(batch, row: 1)
        }
        #expect(error?.message.contains("`x`") == true)
    }

    @Test("opaque values are written as they are")
    func opaqueValues() throws {
        let batch = TopicRecord.batch([TopicRecord(bytes: [0xFF, 0x00]), TopicRecord(nil)])
        let written = try make().encodeAll(batch, schemas: MemoryRegistry())
        #expect(written.map(\.value) == [[0xFF, 0x00], nil])
    }
}
