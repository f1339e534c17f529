import ConnectorSDK
import Testing

@testable import ChangeTransforms

@Suite("Unwrap")
struct UnwrapTests {
    private static let row: [Field] = [
        Field("id", .int64, isOptional: false), Field("name", .string), Field("photo", .bytes),
        Field("at", .timestamp), Field("score", .double),
        Field("price", .decimal(precision: 38, scale: 9)),
    ]
    private static func envelope(before: [Field] = row, after: [Field] = row) -> Schema {
        Schema([
            Field("before", .object(before)), Field("after", .object(after)),
            Field("source", .object([Field("table", .string), Field("ts_ms", .int64)])),
            Field("transaction", .object([])), Field("op", .string), Field("ts_ms", .int64),
        ])
    }

    /// One change: its operation and key, and the rows as JSON; `-` is a tombstone.
    private struct Change {
        var operation: String
        var key: Int64
        var before: String?
        var after: String?

        init(_ operation: String, _ key: Int64, _ before: String? = nil, _ after: String? = nil) {
            self.operation = operation
            self.key = key
            self.before = before
            self.after = after
        }
    }

    private func batch(_ changes: [Change], schema: Schema = envelope()) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "shop.orders", schema: schema, keySchema: Schema(["id"]))
        for change in changes {
            let row = batch.appendRow()
            batch.keyRow(row)?[0] = .int(change.key)
            batch.metadata(row).pointee.sequence = UInt32(row)
            if change.operation == "-" {
                batch.metadata(row).pointee.isTombstone = true
                continue
            }
            let values: [Value] = [
                change.before.map { .json($0) } ?? .null, change.after.map { .json($0) } ?? .null,
                .json(#"{"table":"o\u0072ders","ts_ms":\#(change.key)000}"#), .null,
                .string(change.operation), .int(77),
            ]
            for (column, value) in values.enumerated() {
                batch[row, column] = batch.makeCell(value)
            }
        }
        return batch
    }

    private func unwrap(
        _ batch: RecordBatch,
        _ values: [String: String] = [:]
    ) throws -> [RecordBatch] {
        let parts = try Unwrap(configuration: Configuration(values)).split(batch)
        for part in parts { part.retain(batch) }
        return parts
    }

    private func describe(_ batches: [RecordBatch]) -> [String] {
        batches.flatMap { batch in
            batch.indices.map { row in
                let key = batch.keyRow(row).map { "\(Value($0[0]))" } ?? ""
                if batch.metadata(row).pointee.isTombstone { return "\(key) -" }
                return batch.schema.names.compactMap { name in
                    let value = batch.value(row, name)
                    return value == .missing ? nil : "\(name)=\(value)"
                }.joined(separator: " ")
            }
        }
    }

    @Test("rows come with the types that the schema says, and what is absent stays so")
    func types() throws {
        let batch = batch([
            Change(
                "c",
                1,
                nil,
                #"{"id":1,"name":"a\nb","photo":"AQI=","at":"1970-01-01T00:00:01Z","#
                    + #""score":"NaN","price":12345678901234567890.123456789}"#
            ),
            Change("u", 2, #"{"id":2}"#, #"{"id":2,"name":null,"score":2}"#),
            Change("r", 3, nil, #"{"id":3}"#),
        ])
        let parts = try unwrap(batch)
        #expect(parts.count == 1)
        #expect(parts[0] === batch)
        #expect(batch.schema.fields == Self.row)
        #expect(batch.value(0, "name") == .string("a\nb"))
        #expect(batch.value(0, "photo") == .bytes([1, 2]))
        #expect(batch.value(0, "at") == .timestamp(1_000_000))
        guard case .double(let score) = batch.value(0, "score") else {
            Issue.record("no double")
            return
        }
        #expect(score.isNaN)
        #expect(batch.value(0, "price") == .decimal("12345678901234567890.123456789"))
        #expect(
            describe(parts).dropFirst() == [
                "id=int(2) name=null score=double(2.0)", "id=int(3)",
            ]
        )
    }

    @Test(
        "deletions become what the mode says, once",
        arguments: [
            ("drop", ["id=int(1)", "id=int(4)"]),
            ("tombstone", ["id=int(1)", "int(2) -", "int(3) -", "id=int(4)"]),
            ("delete-to-tombstone", ["id=int(1)", "int(2) -", "id=int(4)"]),
            (
                "rewrite",
                [
                    #"id=int(1) __deleted=string("false")"#, #"id=int(2) __deleted=string("true")"#,
                    #"id=int(4) __deleted=string("false")"#,
                ]
            ),
            (
                "rewrite-with-tombstone",
                [
                    #"id=int(1) __deleted=string("false")"#, #"id=int(2) __deleted=string("true")"#,
                    "int(2) -", "int(3) -", #"id=int(4) __deleted=string("false")"#,
                ]
            ),
        ]
    )
    func deletions(mode: String, expected: [String]) throws {
        let batch = batch([
            Change("c", 1, nil, #"{"id":1}"#), Change("d", 2, #"{"id":2}"#), Change("-", 2),
            Change("-", 3), Change("t", 0), Change("c", 4, nil, #"{"id":4}"#),
        ])
        let parts = try unwrap(batch, ["delete.tombstone.handling.mode": mode])
        #expect(describe(parts) == expected)
    }

    @Test("a deletion without a tombstone behind it deletes, too")
    func deletionAlone() throws {
        let changes = [Change("d", 2, #"{"id":2}"#), Change("c", 2, nil, #"{"id":2}"#)]
        #expect(describe(try unwrap(batch(changes))) == ["int(2) -", "id=int(2)"])
    }

    @Test("rows that are typed otherwise before than after get a batch of their own")
    func otherTypes() throws {
        let schema = Self.envelope(
            before: [Field("id", .int64), Field("name", .bytes)],
            after: [Field("id", .int64), Field("name", .string)]
        )
        let changes = [
            Change("c", 1, nil, #"{"id":1,"name":"AQ=="}"#),
            Change("d", 2, #"{"id":2,"name":"AQ=="}"#), Change("-", 2),
            Change("c", 3, nil, #"{"id":3,"name":"AQ=="}"#),
        ]
        let parts = try unwrap(
            batch(changes, schema: schema),
            ["delete.tombstone.handling.mode": "rewrite-with-tombstone"]
        )
        #expect(parts.map(\.count) == [1, 2, 1])
        #expect(
            parts.map { $0.value(0, "name") } == [
                .string("AQ=="), .bytes([1]), .string("AQ=="),
            ]
        )
    }

    @Test("keys take the types of the row's fields of the same name")
    func keys() throws {
        let batch = RecordBatch()
        let fields = [Field("k", .bytes, isOptional: false), Field("n", .int64)]
        let schema = Self.envelope(before: fields, after: fields)
        batch.reset(topic: "t", schema: schema, keySchema: Schema(["k"]))
        for operation in ["d", "-", "u"] {
            let row = batch.appendRow()
            batch.keyRow(row)?[0] = batch.makeCell(.string("AQI="))
            batch.metadata(row).pointee.isTombstone = operation == "-"
            if operation == "-" { continue }
            batch[row, 0] = batch.makeCell(.json(#"{"k":"AQI="}"#))
            batch[row, 1] = batch.makeCell(.json(#"{"k":"AQI="}"#))
            batch[row, 4] = batch.makeCell(.string(operation))
        }
        let parts = try unwrap(batch, ["delete.tombstone.handling.mode": "rewrite-with-tombstone"])
        #expect(parts.count == 1)
        #expect(parts[0].keySchema?.fields == [Field("k", .bytes)])
        for row in 0..<3 {
            #expect(parts[0].keyRow(row).map { Value($0[0]) } == .bytes([1, 2]))
        }
    }

    @Test("parts of the change become fields and headers")
    func additions() throws {
        let batch = batch([
            Change("c", 1, nil, #"{"id":1}"#), Change("d", 2, #"{"id":2}"#),
        ])
        let parts = try unwrap(
            batch,
            [
                "add.fields": "op,table,source.ts_ms:changed_at,transaction,nothing",
                "add.headers": "op,source.ts_ms", "add.headers.prefix": "h_",
            ]
        )
        #expect(
            describe(parts) == [
                #"id=int(1) __op=string("c") __table=string("orders") __changed_at=int(1000) "#
                    + "__transaction=null __nothing=null",
                "int(2) -",
            ]
        )
        #expect(parts[0].schema.fields.last == Field("__nothing"))
        #expect(parts[0].schema.fields[8] == Field("__changed_at", .int64))
        var reader = HeaderReader(bytes: parts[0].metadata(1).pointee.headers)
        let headers = (0..<4).map { _ in
            String(decoding: reader.next() ?? .init(start: nil, count: 0), as: UTF8.self)
        }
        #expect(headers == ["h_op", "d", "h_source_ts_ms", "2000"])
        #expect(parts[0].metadata(1).pointee.headerCount == 2)
    }

    @Test("changes of which nobody knows the types are read as JSON has them")
    func untyped() throws {
        let schema = Schema(["before", "after", "source", "transaction", "op", "ts_ms"])
        let changes = [
            Change("c", 1, nil, #"{"b":1,"a":2}"#), Change("c", 2, nil, #"{"a":1,"b":2}"#),
            Change("c", 3, nil, #"{"a":1,"b":2,"c":[1]}"#),
        ]
        let parts = try unwrap(batch(changes, schema: schema))
        #expect(
            describe(parts) == [
                "b=int(1) a=int(2)", "a=int(1) b=int(2)", #"a=int(1) b=int(2) c=json("[1]")"#,
            ]
        )
    }

    @Test("what is no change passes, and a change without a row is rejected")
    func others() throws {
        let heartbeat = makeBatch([["ts_ms": .int(1)]])
        #expect(describe(try unwrap(heartbeat)) == ["ts_ms=int(1)"])
        let message = batch([Change("m", 1), Change("c", 2), Change("c", 3, nil, #"{"id":3}"#)])
        let parts = try unwrap(message)
        #expect(parts.map(\.count) == [1, 1])
        #expect(parts[0].value(0, "op") == .string("m"))
        #expect(parts[1].value(0, "id") == .int(3))
        #expect(parts[1].rejections.map(\.error.code.rawValue) == ["transform.no_row"])
    }

    @Test("a row goes to the topic that a field names")
    func routes() throws {
        let changes = [("a", 1), ("b", 2), ("a", 3)].map { name, id in
            Change("c", Int64(id), nil, #"{"id":\#(id),"name":"\#(name)"}"#)
        }
        let parts = try unwrap(batch(changes), ["route.by.field": "name"])
        #expect(parts.map(\.topic) == ["a", "b"])
        #expect(parts.map { $0.column("id") } == [[.int(1), .int(3)], [.int(2)]])
    }

    @Test("fields that a header lists are taken out, those that are never null only if asked for")
    func dropped() throws {
        for (compatible, fields) in [("true", "id=int(1) name=null"), ("false", "name=null")] {
            let batch = batch([Change("c", 1, nil, #"{"id":1,"name":null,"score":1}"#)])
            let headers = OutputBuffer()
            HeaderWriter.append("drop", #"["id", "score"]"#, to: headers)
            batch.metadata(0).pointee.headers = batch.arena.copy(headers.bytes)
            batch.metadata(0).pointee.headerCount = 1
            let parts = try unwrap(
                batch,
                [
                    "drop.fields.header.name": "drop", "drop.fields.from.key": "true",
                    "drop.fields.keep.schema.compatible": compatible,
                ]
            )
            #expect(describe(parts) == [fields])
            #expect(parts[0].keyRow(0)?[0].tag == .missing)
        }
    }
}
