import ConnectorSDK
import Testing

@testable import PipelineEngine

@Suite("Configuration of connectors")
struct CatalogTests {
    private let catalog = EngineBench.catalog

    private func issues(
        _ kind: ConnectorDefinition.Kind,
        _ values: [String: String],
        plugin: String = "scripted"
    ) -> [ConfigIssue] {
        var all = values
        all["script"] = "0"
        if kind == .sink, values["topics"] == nil, values["topics.regex"] == nil {
            all["topics"] = "a"
        }
        return catalog.validate(
            ConnectorDefinition(name: "x", kind: kind, plugin: plugin, values: all)
        )
    }

    @Test(
        "what can be set is accepted",
        arguments: [
            ["tasks.max": "4"], ["errors.retry.timeout": "-1"], ["key.converter": "string"],
            ["transforms": "a", "transforms.a.type": "Mark", "transforms.a.field": "f"],
            [
                "transforms": "a", "predicates": "p", "predicates.p.type": "Even",
                "transforms.a.type": "Mark", "transforms.a.predicate": "p",
                "transforms.a.negate": "true",
            ],
            ["errors.tolerance": "all", "errors.deadletterqueue.topic.name": "d"],
            ["tasks.max": "${env:TASKS}"],
        ]
    )
    func accepted(_ values: [String: String]) {
        #expect(issues(.source, values).isEmpty)
        #expect(issues(.sink, values).isEmpty)
    }

    @Test(
        "a source's own keys",
        arguments: [
            ["key.fields": "id,name"], ["partitioner": "round_robin"],
            ["topic.creation.default.partitions": "3"],
            ["topic.creation.default.retention.ms": "7d"],
        ]
    )
    func sourceKeys(_ values: [String: String]) {
        #expect(issues(.source, values).isEmpty)
        #expect(issues(.sink, values).count == 1)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var values: [String: String]
        var key: String
        var suggestion: String?
        var testDescription: String { "\(values) → \(key)" }
    }

    @Test(
        "what cannot work is found, with what was perhaps meant",
        arguments: [
            Wrong(values: ["task.max": "2"], key: "task.max", suggestion: "tasks.max"),
            Wrong(values: ["tasks.max": "0"], key: "tasks.max"),
            Wrong(
                values: ["errors.tolerence": "all"],
                key: "errors.tolerence",
                suggestion: "errors.tolerance"
            ),
            Wrong(values: ["value.converter": "jsn"], key: "value.converter"),
            Wrong(values: ["transforms": "a"], key: "transforms.a.type"),
            Wrong(
                values: ["transforms": "a", "transforms.a.type": "Marc"],
                key: "transforms.a.type"
            ),
            Wrong(
                values: [
                    "transforms": "a", "transforms.a.type": "Mark", "transforms.a.feild": "x",
                ],
                key: "transforms.a.feild",
                suggestion: "transforms.a.field"
            ),
            Wrong(
                values: [
                    "transforms": "a", "transforms.a.type": "Mark",
                    "transforms.a.predicate": "p",
                ],
                key: "transforms.a.predicate"
            ),
            Wrong(values: ["errors.tolerance": "all"], key: "errors.deadletterqueue.topic.name"),
            Wrong(values: ["nonsense": "${env:X}"], key: "nonsense"),
        ]
    )
    func wrong(_ example: Wrong) throws {
        for kind in [ConnectorDefinition.Kind.source, .sink] {
            let found = issues(kind, example.values)
            #expect(found.map(\.key) == [example.key])
            if let suggestion = example.suggestion {
                #expect(found.first?.suggestion == suggestion)
            }
        }
    }

    @Test("a sink's topics: one way to name them, a valid pattern, and not its dead letters")
    func topics() {
        let sink = ConnectorDefinition(
            name: "x",
            kind: .sink,
            plugin: "scripted",
            values: ["script": "0"]
        )
        #expect(catalog.validate(sink).map(\.key) == ["topics"])
        #expect(issues(.sink, ["topics": "a", "topics.regex": "b"]).map(\.key) == ["topics.regex"])
        #expect(issues(.sink, ["topics.regex": "("]).map(\.key) == ["topics.regex"])
        let dead = "errors.deadletterqueue.topic.name"
        #expect(issues(.sink, ["topics": "a,b", dead: "b"]).map(\.key) == [dead])
        #expect(issues(.sink, ["topics.regex": "a.*", dead: "ab"]).map(\.key) == [dead])
        #expect(issues(.source, ["topic": "a", dead: "a"]).map(\.key) == [dead])
    }

    @Test("unknown connectors get a suggestion, and one of the other kind says so")
    func connectors() {
        let unknown = issues(.source, [:], plugin: "scriptd")
        #expect(unknown.map(\.key) == ["connector"])
        #expect(unknown.first?.suggestion == "scripted")
        let onlySource = PluginCatalog(sources: [ScriptedSource.self])
        let sink = ConnectorDefinition(name: "x", kind: .sink, plugin: "scripted")
        #expect(onlySource.validate(sink).first?.message.contains("only be a source") == true)
    }

    @Test("what only the connector knows of its keys is found too, unless it needs a secret")
    func tryOut() {
        func issues(_ script: String) -> [String] {
            let definition = ConnectorDefinition(
                name: "x",
                kind: .source,
                plugin: "scripted",
                values: ["script": script]
            )
            let pipeline = PipelineDefinition(name: "p", connectors: [definition])
            return catalog.validate(pipeline).map { "\($0.connector).\($0.issue.key)" }
        }
        #expect(issues("no such script") == ["x.script"])
        #expect(issues("${env:MILLRACE_TEST_NOT_SET}").isEmpty)
    }

    @Test("the reference has every key once, with help")
    func reference() {
        for kind in [ConnectorDefinition.Kind.source, .sink] {
            let values = [
                "transforms": "a", "transforms.a.type": "Mark", "predicates": "p",
                "predicates.p.type": "Even",
            ]
            let spec = catalog.spec(
                for: ConnectorDefinition(name: "x", kind: kind, plugin: "scripted", values: values)
            )
            let names = spec.declarations.map(\.name)
            #expect(Set(names).count == names.count)
            #expect(spec.declarations.allSatisfy { !$0.help.isEmpty })
            #expect(names.contains("transforms.a.field"))
        }
    }
}
