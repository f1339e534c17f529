import ConnectorSDK
import Testing

@testable import RowTransforms

/// One record that becomes none or many.
@Suite("Records from records")
struct RowTests {
    private func split(
        _ transform: some Transform,
        _ batch: RecordBatch
    ) throws -> [[String: Value]] {
        batch.numberRows()
        let parts = try transform.split(batch)
        return parts.flatMap { part in part.indices.map { part.fields($0) } }
    }

    @Test("each element of an array becomes a record with key, headers and time")
    func explode() throws {
        let batch = makeBatch([
            ["id": .int(1), "a": .json(#"[1, "x\n", {"b":[2]}, null]"#)],
            ["id": .int(2), "a": .json("[true]")],
        ])
        batch.addKeys(Schema(["k"]))
        for row in batch.indices {
            batch.keyRow(row)?.pointee = .int(Int64(row))
            batch.metadata(row).pointee.timestamp = Int64(100 + row)
            batch.metadata(row).pointee.sequence = UInt32(row)
            batch.metadata(row).pointee.offset = Int64(7 + row)
        }
        let transform = try Explode(
            configuration: Configuration(["field": "a", "index.field": "i"])
        )
        let parts = try transform.split(batch)
        #expect(parts.count == 1)
        let part = parts[0]
        #expect(
            part.column("a") == [
                .int(1), .string("x\n"), .json(#"{"b":[2]}"#), .null, .bool(true),
            ]
        )
        #expect(part.column("i") == [.int(0), .int(1), .int(2), .int(3), .int(0)])
        #expect(part.column("id") == [.int(1), .int(1), .int(1), .int(1), .int(2)])
        #expect(part.indices.map { part.keyRow($0)?.pointee.int64 } == [0, 0, 0, 0, 1])
        #expect(part.indices.map { part[metadata: $0].timestamp } == [100, 100, 100, 100, 101])
        #expect(part.indices.map { part[metadata: $0].sequence } == [0, 0, 0, 0, 1])
        #expect(part.indices.map { part[metadata: $0].offset } == [7, 7, 7, 7, 8])
    }

    @Test("no element makes no record or one, and what is no array is refused or passes")
    func explodeOthers() throws {
        let records: [KeyValuePairs<String, Value>] = [
            ["a": .json("[ ]")], ["a": .null], ["a": .missing], ["a": .int(1)],
            ["a": .json(#"{"b":1}"#)],
        ]
        let batch = makeBatch(records)
        #expect(try split(Explode(configuration: Configuration(["field": "a"])), batch).isEmpty)
        #expect(batch.takeRejections().map(\.row) == [2, 3, 4])
        let kept = makeBatch(records + [["a": .json("[5]")]])
        kept.metadata(2).pointee.isTombstone = true
        let values = ["field": "a", "on.empty": "null", "on.error": "keep"]
        #expect(
            try split(Explode(configuration: Configuration(values)), kept) == [
                ["a": .null], ["a": .null], [:], ["a": .int(1)], ["a": .json(#"{"b":1}"#)],
                ["a": .int(5)],
            ]
        )
        let other = makeBatch([["b": .int(1)]])
        #expect(try split(Explode(configuration: Configuration(["field": "a"])), other).isEmpty)
        #expect(other.rejections.count == 1)
    }

    @Test("an array inside of an object is replaced there")
    func explodeNested() throws {
        let batch = makeBatch([["o": .json(#"{"a":[1,2],"b":3}"#)]])
        let values = ["field": "o.a", "field.syntax.version": "V2"]
        #expect(
            try split(Explode(configuration: Configuration(values)), batch) == [
                ["o": .json(#"{"a":1,"b":3}"#)], ["o": .json(#"{"a":2,"b":3}"#)],
            ]
        )
    }

    // D7: one record must not become any number of them.
    @Test("too many elements are refused, and many go into several batches")
    func limits() throws {
        let many = "[" + (0..<9_000).map { "\($0)" }.joined(separator: ",") + "]"
        let batch = makeBatch([
            ["a": .json("[1]")], ["a": .json(many)], ["a": .json("[2]")], ["a": .json(many)],
        ])
        let transform = try Explode(configuration: Configuration(["field": "a"]))
        let parts = try transform.split(batch)
        #expect(parts.map(\.count).reduce(0, +) == 18_002)
        // What became of one record stays together.
        #expect(parts.count == 2)
        let refusing = try Explode(
            configuration: Configuration(["field": "a", "max.records": "8999"])
        )
        let other = makeBatch([["a": .json("[1]")], ["a": .json(many)], ["a": .json("[2]")]])
        #expect(try split(refusing, other) == [["a": .int(1)], ["a": .int(2)]])
        #expect(other.rejections.map(\.row) == [1])
    }

    @Test(
        "a text becomes its parts",
        arguments: [
            (["delimiter": "\\n"], "a\r\nb\n\nc\n", ["a", "b", "c"]),
            (["keep.empty": "true"], "a\n\nb\n", ["a", "", "b"]),
            (["delimiter": ", "], "a, b,c, ", ["a", "b,c"]),
            (["delimiter": ";", "keep.empty": "true"], ";a;", ["", "a", ""]),
            (["delimiter": "aab"], "xaaabyaab", ["xa", "y"]), ([:], "", []), ([:], "one", ["one"]),
        ] as [([String: String], String, [String])]
    )
    func splitText(values: [String: String], text: String, expected: [String]) throws {
        let opaque = makeOpaqueBatch([text])
        let transform = try Split(configuration: Configuration(values))
        let parts = try transform.split(opaque)
        let texts = parts.flatMap { part in
            part.indices.map { String(decoding: part[$0, 0].slice, as: UTF8.self) }
        }
        #expect(texts == expected)
        let batch = makeBatch([["t": .string(text), "x": .int(1)]])
        let named = values.merging(["field": "t"]) { $1 }
        #expect(
            try split(Split(configuration: Configuration(named)), batch)
                == expected.map { ["t": .string($0), "x": .int(1)] }
        )
    }

    @Test("what is no text is refused")
    func splitOthers() throws {
        let batch = makeBatch([["t": .int(1)], ["t": .null], ["t": .string("a")]])
        let transform = try Split(configuration: Configuration(["field": "t"]))
        #expect(try split(transform, batch) == [["t": .string("a")]])
        #expect(batch.rejections.map(\.row) == [0, 1])
        let fields = makeBatch([["t": .string("a")]])
        #expect(try split(Split(configuration: Configuration([:])), fields).isEmpty)
        #expect(fields.rejections.count == 1)
    }
}

extension RecordBatch {
    /// Numbers the rows as the engine does.
    fileprivate func numberRows() {
        for row in indices { metadata(row).pointee.sequence = UInt32(row) }
    }
}
