import ConnectorSDK
import Converters
import Testing

@Suite("Values and keys that are no objects")
struct WholeValueTests {
    private static let cases: [(Value, FieldType, json: String, text: String)] = [
        (.int(7), .int64, "7", "7"), (.string("a\"b"), .string, #""a\"b""#, "a\"b"),
        (.date(2), .date, #""1970-01-03""#, "1970-01-03"), (.bool(true), .bool, "true", "true"),
        (.double(.infinity), .double, #""Infinity""#, ""),
        (.json("[1,2]"), .json, "[1,2]", "[1,2]"),
    ]

    private static func batch(_ value: Value, _ type: FieldType) -> RecordBatch {
        let batch = RecordBatch()
        let keys = Schema.whole(.key, type)
        batch.reset(topic: "t", schema: .whole(.value, type), keySchema: keys)
        batch.appendRow()
        batch[0, 0] = batch.makeCell(value)
        batch.keyRow(0)?.pointee = batch.makeCell(value)
        return batch
    }

    @Test("are written without the field that stands for them, and read back with their types")
    func survive() throws {
        let registry = MemoryRegistry()
        let converter = try JSONConverter(configuration: Configuration([:]))
        for (value, type, json, _) in Self.cases {
            let batch = Self.batch(value, type)
            let written = try converter.encodeAll(batch, schemas: registry)
            #expect(written.map(\.text) == [json])
            try converter.decodeAll(written, schemas: registry) { batch in
                #expect(batch.schema.isWhole)
                #expect(batch.value(0, "value") == value)
                let again = try converter.encodeAll(batch, schemas: registry)
                #expect(again.map(\.text) == [json])
            }
        }
        let text = try StringConverter(configuration: Configuration([:]))
        for (value, type, _, plain) in Self.cases where !plain.isEmpty {
            let batch = Self.batch(value, type)
            let written = try text.encodeAll(batch, schemas: registry)
            #expect(written.map(\.text) == [plain])
            let key = try text.encodeKey(batch, row: 0)
            #expect(key.map { String(decoding: $0, as: UTF8.self) } == plain)
        }
    }

    @Test("plain JSON ones are known as such, and an object with that field is not one of them")
    func areRecognised() throws {
        let converter = try JSONConverter(configuration: Configuration([:]))
        for (texts, isWhole) in [
            (["5", " \"x\""], true), ([#"{"value":5}"#], false), (["5", #"{"value":5}"#], false),
        ] as [([String], Bool)] {
            let records = texts.map { TopicRecord($0, key: $0.replacing("value", with: "key")) }
            try converter.decodeAll(records, schemas: MemoryRegistry()) { batch in
                #expect(batch.schema.isWhole == isWhole)
                #expect(batch.rawIsJSON)
                try converter.decodeKeys(batch)
                #expect(batch.keySchema?.isWhole == isWhole)
            }
        }
    }

    @Test("a schema's name and version go with it through the envelope and the registry")
    func keepNames() throws {
        let registry = MemoryRegistry()
        let configuration = Configuration([:])
        let converters: [any Converter] = [
            try JSONConverter(configuration: configuration),
            try JSONSchemaConverter(configuration: configuration),
        ]
        for converter in converters {
            let batch = RecordBatch()
            let schema = Schema([Field("a", .int64)]).named("order", version: 3)
            batch.reset(topic: "t", schema: schema, keySchema: nil)
            batch.appendRow()
            batch[0, 0] = .int(1)
            let written = try converter.encodeAll(batch, schemas: registry)
            try converter.decodeAll(written, schemas: registry) { batch in
                #expect(batch.schema.name == "order" && batch.schema.version == 3)
            }
        }
        let envelope = try converters[1].encodeAll(
            Self.batch(.int(7), .int64),
            schemas: registry
        )
        #expect(
            envelope.map(\.text)
                == [#"{"schema":{"type":"int64","optional":true},"payload":7}"#]
        )
        try converters[1].decodeAll(envelope, schemas: registry) { batch in
            #expect(batch.schema.isWhole && batch.value(0, "value") == .int(7))
        }
    }
}
