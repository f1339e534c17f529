import ConnectorSDK
import Testing

@testable import PipelineEngine

@Suite("Tests in pipeline files")
struct PipelineTestRunnerTests {
    private static let transforms = [
        "script": "0", "transforms": "mark", "transforms.mark.type": "Mark",
        "errors.tolerance": "none",
    ]

    private func problems(
        input: [PipelineTest.Record],
        expected: [PipelineTest.Record],
        rejected: Int = 0,
        kind: ConnectorDefinition.Kind = .source,
        values: [String: String] = [:],
        connector: String = "x"
    ) throws -> [String] {
        var all = Self.transforms.merging(values) { $1 }
        if kind == .sink { all["topics"] = "t" }
        let definition = PipelineDefinition(
            name: "p",
            connectors: [
                ConnectorDefinition(name: "x", kind: kind, plugin: "scripted", values: all)
            ],
            tests: [
                PipelineTest(
                    name: "case",
                    connector: connector,
                    input: input,
                    expected: expected,
                    rejected: rejected
                )
            ]
        )
        let result = try #require(EngineBench.catalog.runTests(definition).first)
        #expect(result.passed == result.problems.isEmpty)
        return result.problems
    }

    @Test(
        "pass when what comes out says the same, in whatever spacing and field order",
        arguments: [
            ConnectorDefinition.Kind.source, .sink,
        ]
    )
    func passes(_ kind: ConnectorDefinition.Kind) throws {
        let found = try problems(
            input: [.init(key: "{\"id\":1}", value: "{\"a\":1.50,\"b\":{\"c\":[1, 2]}}")],
            expected: [
                .init(
                    key: "{ \"id\": 1 }",
                    value: "{ \"seen\":true, \"b\": {\"c\": [1,2]}, \"a\": 1.50 }"
                )
            ],
            kind: kind
        )
        #expect(found.isEmpty)
    }

    @Test("name the record and the field that differ")
    func differences() throws {
        let found = try problems(
            input: [.init(value: "{\"a\":1}"), .init(value: "{\"a\":1.5,\"c\":\"x\"}")],
            expected: [
                .init(value: "{\"a\":1,\"seen\":true}"), .init(value: "{\"a\":1.50,\"b\":null}"),
            ]
        )
        #expect(
            found == [
                "record 2: value field `a` is 1.5, expected 1.50",
                "record 2: value field `b` is absent, expected null",
                "record 2: value field `c` is \"x\", expected absent",
                "record 2: value field `seen` is true, expected absent",
            ]
        )
    }

    @Test("count records that were dropped and rejected")
    func counts() throws {
        let input: [PipelineTest.Record] = [
            .init(value: "{\"a\":1,\"drop\":true}"), .init(value: "{\"a\":2,\"fail\":true}"),
            .init(value: "not json"),
        ]
        #expect(try problems(input: input, expected: [], rejected: 2).isEmpty)
        let found = try problems(input: input, expected: [.init(value: "{}")])
        #expect(found.count == 2)
        #expect(found.first?.hasPrefix("2 records were rejected, expected 0: ") == true)
        #expect(found.last == "0 records came out, expected 1")
    }

    @Test("see keys that are made of fields, headers and tombstones")
    func keys() throws {
        let values = ["key.fields": "id"]
        #expect(
            try problems(
                input: [.init(value: "{\"id\":7}", headers: [.init(key: "h", value: "1")])],
                expected: [
                    .init(
                        key: "{\"id\":8}",
                        value: "{\"id\":7,\"seen\":true}",
                        headers: [.init(key: "h", value: "2")]
                    )
                ],
                values: values
            ).count == 2
        )
        #expect(
            try problems(
                input: [.init(key: "{\"id\":1}", value: nil)],
                expected: [.init(key: "{\"id\":1}", value: nil)]
            ).isEmpty
        )
    }

    @Test("explain a configuration that cannot work")
    func configuration() throws {
        let misnamed = try problems(input: [], expected: [], connector: "y")
        #expect(misnamed.first?.contains("no connector `y`") == true)
        let wrong = try problems(
            input: [],
            expected: [],
            values: ["transforms.mark.type": "Marc"]
        )
        #expect(wrong.first?.contains("transforms.mark.type") == true)
    }

    @Test("need no secrets")
    func secrets() throws {
        let values = ["password": "${env:MILLRACE_TEST_NOT_SET}"]
        #expect(try problems(input: [], expected: [], values: values).isEmpty)
    }
}
