import ConnectorSDK
import Testing
import Transforms

@testable import PipelineEngine

@Suite("Validation of transforms")
struct TransformValidationTests {
    private func issues(_ transform: [String: String]) -> [ConfigIssue] {
        var catalog = EngineBench.catalog
        catalog.transforms = builtInTransforms
        catalog.predicates = builtInPredicates
        var values = ["script": "0", "transforms": "t"]
        for (key, value) in transform { values["transforms.t.\(key)"] = value }
        if transform["predicate"] != nil {
            values["predicates"] = "p"
            values["predicates.p.type"] = "RecordIsTombstone"
        }
        return catalog.validate(
            ConnectorDefinition(name: "x", kind: .source, plugin: "scripted", values: values)
        )
    }

    @Test(
        "what only a transform knows of its keys is found without running it",
        arguments: [
            (["type": "Cast", "spec.a": "decimel"], "transforms.t.spec.a"),
            (["type": "Cast"], "transforms.t.spec"),
            (["type": "Filter", "condition": ".a >"], "transforms.t.condition"),
            (["type": "Filter"], "transforms.t.condition"),
            (["type": "ReplaceField"], "transforms.t.include"),
            (["type": "InsertField", "static.field": "a"], "transforms.t.static.value"),
        ] as [([String: String], String)]
    )
    func finds(_ transform: [String: String], key: String) {
        #expect(issues(transform).map(\.key) == [key])
    }

    @Test(
        "what is right is accepted",
        arguments: [
            ["type": "Cast", "spec.a": "decimal"], ["type": "Filter", "condition": ".a > 1"],
            ["type": "Filter", "predicate": "p"], ["type": "Filter", "condition": "${env:X}"],
            ["type": "ReplaceField", "renames.a": "b"],
        ]
    )
    func accepts(_ transform: [String: String]) {
        #expect(issues(transform).isEmpty)
    }

    @Test(
        "a transform is known by Kafka Connect's names, and works on the part they say",
        arguments: [
            ("Cast", RecordPart.value), ("Cast$Value", .value), ("Cast$Key", .key),
            ("org.apache.kafka.connect.transforms.Cast$Key", .key),
            ("org.apache.kafka.connect.transforms.Cast", .value),
        ]
    )
    func knowsNames(type: String, part: RecordPart) throws {
        #expect(issues(["type": type, "spec.id": "string"]).isEmpty)
        let choice = try #require(TransformChoice(type, among: builtInTransforms))
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["id"]), keySchema: Schema(["id"]))
        batch.appendRow()
        batch[0, 0] = .int(1)
        batch.keyRow(0)?.pointee = .int(1)
        try choice.make(Configuration(["spec.id": "string"])).apply(batch)
        #expect((batch[0, 0].tag == .string) == (part == .value))
        #expect((batch.keyRow(0)?.pointee.tag == .string) == (part == .key))
    }

    @Test(
        "a name that no transform has is refused, with the one that was meant",
        arguments: [
            ("Cast$Kye", true), ("ValueToKey$Key", true), ("DropHeaders$Value", false),
            ("io.debezium.transforms.Filter", false), ("Casr", true),
        ]
    )
    func refusesNames(type: String, isNear: Bool) throws {
        let found = issues(["type": type])
        #expect(found.map(\.key).contains("transforms.t.type"))
        #expect(TransformChoice(type, among: builtInTransforms) == nil)
        #expect(found.contains { $0.message.contains("did you mean") } == isNear)
    }

    @Test("Debezium's names and those of predicates are known too")
    func knowsOthers() {
        let type = "io.debezium.transforms.ExtractNewRecordState"
        #expect(issues(["type": type]).isEmpty)
        #expect(issues(["type": "ExtractNewRecordState"]).isEmpty)
        #expect(PluginCatalog.names(of: builtInPredicates[0]).count == 2)
    }

    // MARK: - Fields

    private func fieldIssues(_ values: [String: String]) -> [ConfigIssue] {
        var catalog = EngineBench.catalog
        catalog.transforms = builtInTransforms
        catalog.predicates = builtInPredicates
        let all = ["script": "0"].merging(values) { $1 }
        return catalog.validate(
            ConnectorDefinition(name: "x", kind: .source, plugin: "scripted", values: all)
        )
    }

    @Test("a name that a field had before is found, with the one that it has")
    func renamed() {
        let found = fieldIssues([
            "transforms": "a,b", "transforms.a.type": "ReplaceField",
            "transforms.a.renames": "qty:quantity", "transforms.b.type": "Cast",
            "transforms.b.spec": "qty:int32",
        ])
        #expect(
            found == [
                ConfigIssue(
                    key: "transforms.b.spec",
                    message: "names the field `qty`, which is called `quantity` at that point",
                    suggestion: "quantity"
                )
            ]
        )
    }

    @Test("a transform with a predicate leaves other records their fields")
    func withPredicate() {
        var values = [
            "transforms": "a,b", "transforms.a.type": "ReplaceField",
            "transforms.a.include": "id", "transforms.b.type": "MaskField",
            "transforms.b.fields": "name", "predicates": "p",
            "predicates.p.type": "RecordIsTombstone",
        ]
        #expect(fieldIssues(values).map(\.key) == ["transforms.b.fields"])
        values["transforms.a.predicate"] = "p"
        #expect(fieldIssues(values).isEmpty)
    }

    @Test("a transform that says nothing makes everything possible")
    func unknownTransform() {
        var catalog = EngineBench.catalog
        catalog.transforms += builtInTransforms
        let values = [
            "script": "0", "transforms": "a,b,c", "transforms.a.type": "ReplaceField",
            "transforms.a.include": "id", "transforms.b.type": "Mark",
            "transforms.c.type": "MaskField", "transforms.c.fields": "name",
        ]
        let definition = ConnectorDefinition(
            name: "x",
            kind: .source,
            plugin: "scripted",
            values: values
        )
        #expect(catalog.validate(definition).isEmpty)
    }
}
