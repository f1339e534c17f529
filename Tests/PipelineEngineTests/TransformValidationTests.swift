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
}
