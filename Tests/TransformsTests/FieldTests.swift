import ConnectorSDK
import Testing

@testable import Transforms

@Suite("ReplaceField")
struct ReplaceFieldTests {
    static func replace(_ values: [String: String]) throws -> ReplaceField {
        try ReplaceField(configuration: Configuration(values))
    }

    @Test(
        "fields go, stay and are renamed, in their order",
        arguments: [
            (["include": "c,a"], ["a", "c"]), (["exclude": "b"], ["a", "c"]),
            (["include": "a,b", "exclude": "b"], ["a"]), (["renames": "b:x"], ["a", "x", "c"]),
            (["renames.a": "b", "renames.b": "a"], ["b", "a", "c"]),
            (["include": "b", "renames": "b:a,c:b"], ["a"]),
            (["exclude": "nope"], ["a", "b", "c"]), (["exclude": "a,b,c"], []),
            (["exclude": "a", "renames": "b:a"], ["a", "c"]),
        ] as [([String: String], [String])]
    )
    func replaces(values: [String: String], expected: [String]) throws {
        let batch = makeBatch([
            ["a": .int(1), "b": .int(2), "c": .int(3)],
            ["a": .int(4), "b": .int(5), "c": .missing],
        ])
        try Self.replace(values).apply(batch)
        #expect(batch.schema.names == expected)
        #expect(batch.count == 2)
    }

    @Test("values go with their fields")
    func keepsValues() throws {
        let batch = makeBatch([["a": .int(1), "b": .string("two"), "c": .missing]])
        try Self.replace(["exclude": "a", "renames": "b:x"]).apply(batch)
        #expect(batch.fields(0) == ["x": .string("two")])
        #expect(!batch.rawIsJSON)
    }

    @Test("two fields of one name are an error, not a loss")
    func refusesDuplicates() throws {
        let replace = try Self.replace(["renames": "a:b"])
        #expect(
            failure { try replace.apply(makeBatch([["a": .int(1), "b": .int(2)]])) }
                == "transform.duplicate_field renames"
        )
    }

    @Test(
        "a wrong configuration is refused",
        arguments: [
            ([:], "include"), (["renames": "a"], "renames"), (["renames": "a:"], "renames"),
            (["renames": "a:x,b:x"], "renames"),
        ] as [([String: String], String)]
    )
    func validates(values: [String: String], key: String) {
        #expect(failure { _ = try Self.replace(values) } == "configuration.invalid \(key)")
    }

    @Test("opaque records are rejected, tombstones pass")
    func handlesOpaque() throws {
        let batch = makeOpaqueBatch(["x", ""])
        batch.metadata(1).pointee.isTombstone = true
        try Self.replace(["exclude": "a"]).apply(batch)
        #expect(batch.count == 1)
        #expect(batch.rejections.count == 1)
    }
}

@Suite("InsertField")
struct InsertFieldTests {
    static func insert(_ values: [String: String]) throws -> InsertField {
        try InsertField(configuration: Configuration(values))
    }

    @Test("a record gets where and when it is, behind its own fields")
    func inserts() throws {
        let batch = makeBatch([["a": .int(1)], ["a": .int(2)]])
        batch.metadata(0).pointee.partition = 3
        batch.metadata(0).pointee.offset = 77
        batch.metadata(0).pointee.timestamp = 1_700_000_000_000
        try Self.insert([
            "topic.field": "t", "partition.field": "p?", "offset.field": "o",
            "timestamp.field": "ts", "static.field": "s!", "static.value": "größe",
        ]).apply(batch)
        #expect(batch.schema.names == ["a", "t", "p", "o", "ts", "s"])
        #expect(batch.schema.fields.map(\.isOptional) == [true, true, true, true, true, false])
        #expect(
            batch.fields(0) == [
                "a": .int(1), "t": .string("orders"), "p": .int(3), "o": .int(77),
                "ts": .timestamp(1_700_000_000_000_000), "s": .string("größe"),
            ]
        )
        #expect(
            batch.fields(1) == [
                "a": .int(2), "t": .string("orders"), "p": .null, "o": .null, "ts": .null,
                "s": .string("größe"),
            ]
        )
    }

    @Test("a field of the same name is overwritten")
    func overwrites() throws {
        let batch = makeBatch([["a": .int(1), "b": .int(2)]])
        try Self.insert(["static.field": "a", "static.value": "x"]).apply(batch)
        #expect(batch.fields(0) == ["a": .string("x"), "b": .int(2)])
        #expect(batch.schema.names == ["a", "b"])
    }

    @Test("the constant outlives the transform, as long as the batch")
    func retainsText() throws {
        let batch = makeBatch([["a": .int(1)]])
        do {
            let insert = try Self.insert(["static.field": "s", "static.value": "kept text"])
            try insert.apply(batch)
        }
        #expect(batch.value(0, "s") == .string("kept text"))
    }

    @Test("tombstones get no fields")
    func skipsTombstones() throws {
        let batch = makeBatch([["a": .missing], ["a": .int(1)]])
        batch.metadata(0).pointee.isTombstone = true
        try Self.insert(["static.field": "s", "static.value": "x"]).apply(batch)
        #expect(batch.column("s") == [.missing, .string("x")])
    }

    @Test("recycled batches need no more memory, and nothing old shows through")
    func reusesBatches() throws {
        let insert = try Self.insert(["topic.field": "t"])
        let batch = RecordBatch()
        let schema = Schema(["a", "b", "c"])
        for round in 0..<3 {
            batch.reset(topic: "t\(round)", schema: schema)
            for row in 0..<10 {
                batch.appendRow()
                batch[row, 0] = .int(Int64(row))
            }
            try insert.apply(batch)
            #expect(batch.column("t") == .init(repeating: .string("t\(round)"), count: 10))
            #expect(batch.column("b") == .init(repeating: .missing, count: 10))
        }
    }

    @Test(
        "a wrong configuration is refused",
        arguments: [
            ([:], "static.field"), (["static.field": "a"], "static.value"),
            (["static.value": "a"], "static.field"),
            (["topic.field": "a", "offset.field": "a"], "offset.field"),
        ] as [([String: String], String)]
    )
    func validates(values: [String: String], key: String) {
        #expect(failure { _ = try Self.insert(values) } == "configuration.invalid \(key)")
    }
}

@Suite("Built-in transforms")
struct BuiltInTests {
    @Test("each has a name of its own, a summary and documented keys")
    func areDescribed() {
        #expect(Set(builtInTransforms.map { $0.name }).count == builtInTransforms.count)
        for transform in builtInTransforms {
            #expect(!transform.summary.isEmpty)
            #expect(!transform.configuration.declarations.isEmpty)
            #expect(transform.configuration.declarations.allSatisfy { !$0.help.isEmpty })
        }
    }
}
