import ConnectorSDK
import Testing

@testable import TopicRouting
@testable import Transforms
@testable import ValueConversion

@Suite("Nested fields in transforms")
struct NestedTransformTests {
    private static func apply(
        _ type: any Transform.Type,
        _ values: [String: String],
        to batch: RecordBatch
    ) throws {
        let nested = values.merging(["field.syntax.version": "V2"]) { $1 }
        try type.init(configuration: Configuration(nested)).apply(batch)
    }

    private static let text = #"{"b":{"n":"5","t":"x"},"when":1000}"#

    @Test(
        "a path leads into an object",
        arguments: [
            (Cast.self, ["spec.a.b.n": "int32"], #"{"b":{"n":5,"t":"x"},"when":1000}"#),
            (MaskField.self, ["fields": "a.b.t,a.when"], #"{"b":{"n":"5","t":""},"when":0}"#),
            (
                MaskField.self, ["fields": "a.b", "replacement": "x"],
                nil
            ),
            (ReplaceField.self, ["exclude": "a.b.t"], #"{"b":{"n":"5"},"when":1000}"#),
            (ReplaceField.self, ["include": "a.b.t"], #"{"b":{"t":"x"}}"#),
            (
                ReplaceField.self, ["renames": "a.b.t:u,a.when:then"],
                #"{"b":{"n":"5","u":"x"},"then":1000}"#
            ),
            (
                InsertField.self, ["static.field": "a.b.s", "static.value": "v"],
                #"{"b":{"n":"5","t":"x","s":"v"},"when":1000}"#
            ),
            (
                TimestampConverter.self,
                ["field": "a.when", "target.type": "string", "format": "HH:mm:ss"],
                #"{"b":{"n":"5","t":"x"},"when":"00:00:01"}"#
            ),
            (
                HeaderFrom.self, ["fields": "a.b.t", "headers": "h", "operation": "move"],
                #"{"b":{"n":"5"},"when":1000}"#
            ),
        ] as [(any Transform.Type, [String: String], String?)]
    )
    func leadsInside(type: any Transform.Type, values: [String: String], expected: String?) throws {
        let batch = makeBatch([["a": .json(Self.text)]])
        batch.rawIsJSON = true
        try Self.apply(type, values, to: batch)
        #expect(!batch.rawIsJSON)
        guard let expected else {
            #expect(batch.count == 0 && batch.rejections.count == 1)
            return
        }
        #expect(batch.fields(0) == ["a": .json(expected)])
    }

    @Test("a path's value becomes the key under its own name")
    func makesKeys() throws {
        let batch = makeBatch([["a": .json(Self.text), "id": .int(7)]])
        try Self.apply(ValueToKey.self, ["fields": "a.b.n,id"], to: batch)
        #expect(batch.keySchema?.names == ["n", "id"])
        #expect(batch.keyRow(0).map { [Value($0[0]), Value($0[1])] } == [.string("5"), .int(7)])
    }

    @Test("declared types inside of objects change with the values")
    func changesTypes() throws {
        let inner = Field("in", .object([Field("n", .string), Field("d", .date)]))
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema([inner]))
        batch.appendRow()
        batch[0, 0] = batch.makeCell(.json(#"{"n":"5","d":"1970-01-03"}"#))
        try Self.apply(Cast.self, ["spec.in.n": "int64", "spec.in.d": "int32"], to: batch)
        #expect(batch.value(0, "in") == .json(#"{"n":5,"d":2}"#))
        #expect(batch.schema.fields[0].type == .object([Field("n", .int64), Field("d", .int32)]))
    }

    @Test("a value inside of an object that cannot be cast rejects its record")
    func rejects() throws {
        let batch = makeBatch([
            ["a": .json(#"{"n":"x"}"#)], ["a": .json(#"{"n":"1"}"#)], ["a": .int(5)], ["a": .null],
        ])
        try Self.apply(Cast.self, ["spec.a.n": "int32"], to: batch)
        #expect(batch.column("a") == [.json(#"{"n":1}"#), .int(5), .null])
        #expect(batch.rejections.map(\.row) == [0])
    }
}

@Suite("Whole values and keys")
struct WholeValueTests {
    private static func transform<T: PartTransform>(
        _ type: T.Type,
        _ values: [String: String],
        _ part: RecordPart = .value
    ) throws -> T {
        try type.init(configuration: Configuration(values), part: part)
    }

    @Test("a field becomes the value, and objects in it fields, run by run in order")
    func extracts() throws {
        let batch = makeBatch([
            ["a": .int(1)], ["a": .json(#"{"x":1,"y":2}"#)], ["a": .json(#"{"y":3,"x":4}"#)],
            ["a": .null], ["a": .string("s")],
        ])
        let parts = try Self.transform(ExtractField.self, ["field": "a"]).split(batch)
        let values = parts.flatMap { part in
            part.indices.map { row in
                part.metadata(row).pointee.isTombstone ? "none" : "\(part.fields(row).count)"
            }
        }
        #expect(values == ["1", "2", "2", "none", "1"])
        #expect(parts[0].schema.isWhole)
        #expect(parts.dropFirst().first?.schema.names == ["x", "y"])
        #expect(parts.dropFirst(2).first?.schema.names == ["y", "x"])
        #expect(parts.last?.value(parts.last.map { $0.count - 1 } ?? 0, "value") == .string("s"))
    }

    @Test("keys of one field become that field, and get it again")
    func extractsKeys() throws {
        let batch = makeBatch([["id": .int(7)], ["id": .int(8)]])
        try ValueToKey(configuration: Configuration(["fields": "id"])).apply(batch)
        try Self.transform(ExtractField.self, ["field": "id"], .key).apply(batch)
        #expect(batch.keySchema?.isWhole == true)
        #expect(batch.keyRow(1).map { Value($0[0]) } == .int(8))
        try Self.transform(Cast.self, ["spec": "string"], .key).apply(batch)
        #expect(batch.keyRow(0).map { Value($0[0]) } == .string("7"))
        try Self.transform(HoistField.self, ["field": "k"], .key).apply(batch)
        #expect(batch.keySchema?.names == ["k"])
        #expect(batch.keySchema?.isWhole == false)
    }

    @Test("JSON that nobody changed is put into a field as it is")
    func hoistsText() throws {
        let batch = makeBatch([["a": .int(1)]])
        let chunk = Chunk(copying: #"{"a": 1}"#.utf8)
        batch.retain(chunk)
        batch.metadata(0).pointee.raw = UnsafeRawBufferPointer(chunk.bytes)
        batch.rawIsJSON = true
        try Self.transform(HoistField.self, ["field": "f"]).apply(batch)
        #expect(batch.fields(0) == ["f": .json(#"{"a": 1}"#)])
        #expect(!batch.rawIsJSON)
    }

    @Test("opaque text is cast to a value of its own, which is no longer opaque")
    func castsOpaque() throws {
        let batch = makeOpaqueBatch(["12", "x"])
        try Self.transform(Cast.self, ["spec": "int64"]).apply(batch)
        #expect(batch.schema.isWhole && !batch.schema.isOpaque)
        #expect(batch.column("value") == [.int(12)])
        #expect(batch.rejections.count == 1)
    }

    @Test("records of different objects are flattened into one schema, and keep it")
    func flattens() throws {
        let flatten = try Self.transform(Flatten.self, [:])
        let source = Schema(["id", "o"])
        var schemas: Set<ObjectIdentifier> = []
        for _ in 0..<2 {
            let batch = RecordBatch()
            batch.reset(topic: "t", schema: source)
            for text in [#"{"a":{"b":1}}"#, #"{"c":"\u0041","a":{"b":2,"d":[{}]}}"#, "null"] {
                batch.appendRow()
                batch[batch.count - 1, 0] = .int(Int64(batch.count))
                batch[batch.count - 1, 1] =
                    text == "null" ? .null : batch.makeCell(.json(text))
            }
            try flatten.apply(batch)
            #expect(batch.fields(0) == ["id": .int(1), "o.a.b": .int(1)])
            let second: [String: Value] = [
                "id": .int(2), "o.c": .string("A"), "o.a.b": .int(2), "o.a.d": .json("[{}]"),
            ]
            #expect(batch.fields(1) == second)
            #expect(batch.fields(2) == ["id": .int(3), "o": .null])
            schemas.insert(ObjectIdentifier(batch.schema))
        }
        #expect(schemas.count == 1)
    }

    // D6
    @Test("a record without the field is a tombstone, or rejected where that is wanted")
    func missingField() throws {
        for (values, tombstones, rejected) in [
            (["field": "nope"], 1, 0), (["field": "nope", "on.missing": "reject"], 0, 1),
        ] {
            let batch = makeBatch([["id": .int(1)]])
            let parts = try Self.transform(ExtractField.self, values).split(batch)
            let rows = parts.flatMap { part in part.indices.map { part.metadata($0).pointee } }
            #expect(rows.filter(\.isTombstone).count == tombstones)
            let errors = parts.flatMap { $0.takeRejections() }.map(\.error.code.rawValue)
            #expect(errors == Array(repeating: "transform.no_field", count: rejected))
        }
        // Null is a value that the record has.
        let batch = makeBatch([["id": .null]])
        let values = ["field": "id", "on.missing": "reject"]
        let parts = try Self.transform(ExtractField.self, values).split(batch)
        #expect(parts.map(\.count) == [1] && parts[0].metadata(0).pointee.isTombstone)
    }

    // D6
    @Test("a value that is no object is not masked in silence, but rejected")
    func wholeValues() throws {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: .whole(.value))
        batch.appendRow()
        batch[0, 0] = batch.makeCell(.string("123-45-6789"))
        try Self.transform(MaskField.self, ["fields": "ssn"]).apply(batch)
        #expect(batch.takeRejections().map(\.error.code) == [.noFields])
    }
}

@Suite("Headers and topics")
struct HeaderAndTopicTests {
    @Test("an empty header value is not a null one")
    func writesNull() throws {
        for (text, bytes) in [("", [0]), ("null", [1]), ("x", [2, 0x78])] as [(String, [UInt8])] {
            let batch = makeBatch([["a": .int(1)]])
            let values = ["header": "h", "value.literal": text]
            try InsertHeader(configuration: Configuration(values)).apply(batch)
            #expect(Array(batch.metadata(0).pointee.headers) == [2, 0x68] + bytes)
        }
    }

    @Test("records go to the topics of their days, in order")
    func routes() throws {
        let batch = makeBatch([["a": .int(0)], ["a": .int(1)], ["a": .int(2)], ["a": .int(3)]])
        let days: [Int64] = [0, 1, 0, -1]
        for row in batch.indices {
            batch.metadata(row).pointee.timestamp = days[row] * 86_400_000
        }
        let parts = try TimestampRouter(configuration: Configuration([:])).split(batch)
        #expect(
            parts.map(\.topic) == ["orders-19700101", "orders-19700102", "orders-19691231"]
        )
        #expect(parts.map { $0.column("a") } == [[.int(0), .int(2)], [.int(1)], [.int(3)]])
    }

    @Test(
        "what a pattern writes it reads",
        arguments: ["yyyy-MM-dd'T'HH:mm:ss.SSSX", "E d MMM y HH:mm:ss Z", "yyyyMMddHHmmss"]
    )
    func readsBack(pattern: String) throws {
        let pattern = try DatePattern(pattern, key: "format")
        let output = OutputBuffer(capacity: 64)
        for day in stride(from: Int64(-800_000), to: 2_000_000, by: 3_331) {
            let moment = day * 86_400_000_000 + (day & 0xffff) * 1_000_000
            guard CivilDate.split(microseconds: moment).date.year > 0 else { continue }
            output.count = 0
            pattern.write(microseconds: moment, to: output)
            #expect(pattern.read(output.bytes) == moment)
        }
    }
}
