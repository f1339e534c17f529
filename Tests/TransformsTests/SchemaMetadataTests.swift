import ConnectorSDK
import Testing

@testable import Transforms

/// What `SetSchemaMetadata` gives stays through transforms that change fields.
@Suite("Names of schemas")
struct SchemaMetadataTests {
    private static let schema = Schema([
        Field("id", .int64), Field("text", .string), Field("list", .json), Field("at", .timestamp),
    ])
    private static let nested: [(type: String, values: [String: String])] = [
        ("Cast", ["spec.id": "string"]), ("DropHeaders", ["headers": "h"]),
        ("Explode", ["field": "list"]), ("Explode", ["field": "list", "index.field": "i"]),
        ("Filter", ["condition": ".id > 0"]), ("Flatten", [:]), ("Hash", ["fields": "text"]),
        ("HeaderFrom", ["fields": "text", "headers": "h", "operation": "move"]),
        ("InsertField", ["static.field": "s", "static.value": "v"]),
        ("MaskField", ["fields": "text"]),
        ("Parse", ["format": "logfmt", "field": "text"]),
        ("Parse", ["format": "logfmt", "field": "text", "target": "o"]),
        ("ReplaceField", ["exclude": "text"]), ("ReplaceField", ["renames": "text:words"]),
        ("SetSchemaMetadata", ["schema.version": "3"]), ("Split", ["field": "text"]),
        ("TimestampConverter", ["field": "at", "target.type": "unix"]),
        ("ValueToKey", ["fields": "id"]),
    ]

    @Test("stay, whatever changes the fields", arguments: nested.indices)
    func stays(index: Int) throws {
        let (name, values) = Self.nested[index]
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Self.schema)
        batch.append([
            "id": .int(1), "text": .string("a=1"), "list": .json("[1]"), "at": .timestamp(0),
        ])
        let metadata = ["schema.name": "order", "schema.version": "3"]
        try SetSchemaMetadata(configuration: Configuration(metadata)).apply(batch)
        let type = try #require(builtInTransforms.first { $0.name == name })
        let transform = try type.init(configuration: Configuration(values))
        let parts = try transform.split(batch)
        #expect(!parts.isEmpty)
        for part in parts {
            #expect(part.schema.name == "order", "\(name)")
            #expect(part.schema.version == 3, "\(name)")
        }
    }

    @Test("stay when a custom transform adds a field")
    func staysWithNewField() {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Self.schema.named("order", version: 3))
        batch.append(["id": .int(1)])
        batch.set(0, "new", .bool(true))
        #expect(batch.schema.name == "order" && batch.schema.index(of: "new") != nil)
    }

    @Test("stay with a whole value of another type")
    func staysWithWhole() throws {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema.whole(.value, .int64).named("count", version: 1))
        batch.appendRow()
        batch[0, 0] = .int(7)
        try Cast(configuration: Configuration(["spec": "string"])).apply(batch)
        #expect(batch.schema.name == "count" && batch[0, 0].tag == .string)
    }
}
