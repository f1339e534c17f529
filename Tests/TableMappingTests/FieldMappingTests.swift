import ConnectorSDK
import TableMapping
import Testing

@Suite("Table sinks: fields and keys")
struct FieldMappingTests {
    private static let schema = Schema([Field("id", .int64), Field("Name"), Field("note")])
    private static let keySchema = Schema([Field("id", .int64), Field("region")])

    private func mapping(
        _ values: [String: String],
        schema: Schema = Self.schema,
        keySchema: Schema? = Self.keySchema
    ) throws -> [String] {
        let mapping = try FieldMapping(
            schema: schema,
            keySchema: keySchema,
            settings: try settings(values)
        )
        return mapping.items.map { item in
            "\(item.isKey ? "key " : "")\(item.name) from \(item.origin)"
        }
    }

    @Test("pk.mode says which columns are the key, and where they come from")
    func keys() throws {
        #expect(
            try mapping([:]) == ["id from value(0)", "Name from value(1)", "note from value(2)"]
        )
        #expect(
            try mapping(["pk.mode": "record_key"]) == [
                "key id from key(0)", "key region from key(1)", "Name from value(1)",
                "note from value(2)",
            ]
        )
        #expect(
            try mapping(["pk.mode": "record_key", "pk.fields": "id"]) == [
                "key id from key(0)", "Name from value(1)", "note from value(2)",
            ]
        )
        #expect(
            try mapping(["pk.mode": "record_value", "pk.fields": "note,id"]) == [
                "key note from value(2)", "key id from value(0)", "Name from value(1)",
            ]
        )
        #expect(
            try mapping(["pk.mode": "kafka", "pk.fields": "t,p,o", "fields.include": "id"]) == [
                "key t from topic", "key p from partition", "key o from offset",
                "id from value(0)",
            ]
        )
    }

    @Test("a key that is no object is the field that pk.fields names")
    func primitiveKey() throws {
        let items = try mapping(
            ["pk.mode": "record_key", "pk.fields": "sku", "fields.include": "note"],
            keySchema: Schema(["key"])
        )
        #expect(items == ["key sku from key(0)", "note from value(2)"])
    }

    @Test("fields are chosen by name; a value that is no object is one column")
    func selection() throws {
        #expect(try mapping(["fields.include": "note,id"]).count == 2)
        #expect(
            try mapping(["fields.include": "note,id", "fields.exclude": "id"])
                == ["note from value(2)"]
        )
        #expect(try mapping([:], schema: .opaque) == ["record_value from value(0)"])
    }

    @Test(
        "records that cannot become rows are rejected",
        arguments: [
            (["pk.mode": "record_key"], Schema(["a"]), nil, "table.no_key"),
            (
                ["pk.mode": "record_key", "pk.fields": "x"], Schema(["a"]), Schema(["id", "b"]),
                "table.no_key_field"
            ),
            (["pk.mode": "record_key"], Schema(["a"]), Schema([""]), "table.no_key_field"),
            (
                ["pk.mode": "record_value", "pk.fields": "x"], Schema(["a"]), nil,
                "table.no_key_field"
            ),
            ([:], Schema(["a", "A"]), nil, "table.ambiguous_field"),
            ([:], Schema(["a\0"]), nil, "table.field_name"),
            ([:], Schema([String(repeating: "n", count: 64)]), nil, "table.field_name"),
        ] as [([String: String], Schema, Schema?, String)]
    )
    func rejected(
        _ values: [String: String],
        _ schema: Schema,
        _ keySchema: Schema?,
        _ code: String
    ) throws {
        let error = #expect(throws: ConnectorError.self) {
            try mapping(values, schema: schema, keySchema: keySchema)
        }
        #expect(error?.code.rawValue == code)
        #expect(error?.disposition == .rejectRecord)
    }

    @Test("null and absent keys are rejected")
    func nullKeys() throws {
        let settings = try settings(["pk.mode": "record_value", "pk.fields": "a"])
        for value: [String: Value] in [["a": .null], ["b": .int(1)]] {
            let batch = makeBatch([Row(1, ["a": .int(1)]), Row(2, value)])
            let mapping = try FieldMapping(
                schema: batch.schema,
                keySchema: batch.keySchema,
                settings: settings
            )
            let error = #expect(throws: ConnectorError.self) { try mapping.checkKeys(batch) }
            #expect(error?.code.rawValue == "table.null_key")
        }
    }

    @Test("a field counts as present when a record has it, also as null")
    func presence() throws {
        let batch = makeBatch([Row(1, ["a": .null]), Row(2, nil)])
        batch.set(1, "b", .int(1))
        let mapping = try FieldMapping(
            schema: batch.schema,
            keySchema: batch.keySchema,
            settings: try settings()
        )
        #expect(mapping.items.map { $0.isPresent(in: batch) } == [true, false, false])
        #expect(mapping.items[0].cells(of: batch).map(\.tag) == [.null])
    }
}
