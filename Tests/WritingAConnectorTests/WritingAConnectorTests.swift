import ConnectorSDK
import ConnectorTesting
import Converters
import Foundation
import Logging
import PipelineEngine
import TestServices
import Testing
import TopicLog

/// The code of `docs/writing-a-connector.md` is what is compiled and run here.
@Suite("Writing a connector")
struct WritingAConnectorTests {
    static let catalog = PluginCatalog(
        sources: [CountdownSource.self],
        sinks: [SumSink.self],
        converters: builtInConverters
    )

    static func context(_ directory: TemporaryDirectory) -> ConnectorContext {
        ConnectorContext(
            name: "example",
            stateDirectory: directory.path,
            formats: FormatCatalog([]),
            logger: Logger(label: "test")
        )
    }

    @Test(
        "the page shows the code that is tested",
        arguments: ["CountdownSource", "SumSink", "Overdue"]
    )
    func pageShowsTheCode(_ name: String) throws {
        func text(_ path: String) throws -> String {
            let url = URL(filePath: Products.root + "/" + path)
            return String(decoding: try Data(contentsOf: url), as: UTF8.self)
        }
        let page = try text("docs/writing-a-connector.md")
        let code = try text("Tests/WritingAConnectorTests/\(name).swift")
        #expect(page.contains("```swift\n\(code)```"), "copy \(name).swift into the page")
    }

    @Test("the transform keeps what is owed")
    func transform() throws {
        let batch = RecordBatch()
        batch.reset(topic: "orders", schema: Schema(["status", "amount"]))
        batch.append(["status": .string("paid"), "amount": .int(500)])
        batch.append(["status": .string("new"), "amount": .decimal("100.00")])
        batch.append(["status": .null, "amount": .decimal("100.01")])
        try Overdue(configuration: Configuration(["limit": "100"])).apply(batch)
        #expect(batch.indices.map { batch.value($0, "owed") } == [.decimal("100.01")])
        batch.reset(topic: "orders")
        batch.appendOpaque(UnsafeRawBufferPointer(start: nil, count: 0))
        try Overdue(configuration: Configuration([:])).apply(batch)
        #expect(batch.rejections.map(\.error.code) == [.noFields])
        var outline = RecordOutline(value: .only([Field("status"), Field("amuont")]))
        try Overdue(configuration: Configuration([:])).trace(&outline)
        #expect(outline.takeMisses().map(\.suggestion) == ["amuont"])
        #expect(outline.value.all?.map(\.name) == ["status", "amuont", "owed"])
    }

    @Test("the source keeps the contract", arguments: SourceRequirement.allCases)
    func sourceConformance(_ requirement: SourceRequirement) async throws {
        let directory = try TemporaryDirectory()
        let scenario = SourceScenario(recordCount: 10_000) {
            try CountdownSource(
                configuration: Configuration(["from": "10000", "topic": "numbers"]),
                context: Self.context(directory)
            )
        }
        try await scenario.verify(requirement)
    }

    @Test("a pipeline adds up what was counted, once, however often it runs")
    func pipeline() async throws {
        let directory = try TemporaryDirectory()
        for _ in 1...2 {
            let store = try EmbeddedTopicStore(
                directory: directory.file("data"),
                mode: .readWrite,
                logger: Logger(label: "test")
            )
            let runner = PipelineRunner(
                [
                    PipelineDefinition(
                        name: "launch",
                        baseDirectory: directory.path,
                        connectors: [
                            ConnectorDefinition(
                                name: "count",
                                kind: .source,
                                plugin: "countdown",
                                values: ["from": "1000", "topic": "numbers"]
                            ),
                            ConnectorDefinition(
                                name: "total",
                                kind: .sink,
                                plugin: "sum",
                                values: ["topics": "numbers", "field": "n", "path": "total.txt"]
                            ),
                        ]
                    )
                ],
                store: store,
                catalog: Self.catalog,
                options: RunOptions(dataDirectory: directory.file("data")),
                logger: Logger(label: "test")
            )
            let summary = await runner.run()
            store.close()
            #expect(summary.exitCode == 0, "\(summary)")
            #expect(try directory.read("total.txt") == "500500\nnumbers 0 1000\n")
        }
    }
}
