import ConnectorSDK
import PipelineEngine
import PipelineFile
import Testing

/// A source that only has keys.
private final class KeySource: SourceConnector {
    static let name = "files"
    static let summary = "A source of these tests."
    static let configuration = ConfigSpec()
        .with(ConfigKey<String>.required("topic", help: "The topic."))
        .with(ConfigKey<Int>.int("batch.max.rows", default: 1, in: 1...10, help: "A number."))

    init(configuration: Configuration, context: ConnectorContext) {}
    var isBounded: Bool { true }
    func run(from positions: [String: String], into outlet: any RecordOutlet) async {}
    func acknowledge(through positions: [SourcePosition]) async {}
}

/// A sink that only has keys.
private final class KeySink: SinkConnector {
    static let name = "table"
    static let summary = "A sink of these tests."
    static let configuration = ConfigSpec()
        .with(ConfigKey<String>.required("path", help: "A path."))

    init(configuration: Configuration, context: ConnectorContext) {}
    var input: SinkInput { .opaque }
    func open(_ partitions: [TopicPartition]) async -> [TopicPartition: Int64]? { nil }
    func write(_ batch: RecordBatch) async {}
    func commit(_ offsets: [TopicPartition: Int64]) async {}
    func close() async {}
}

@Suite("Checks of pipeline files against connectors and each other")
struct ChecksTests {
    private let catalog = PluginCatalog(sources: [KeySource.self], sinks: [KeySink.self])

    private func findings(_ texts: String...) -> [String] {
        let files = texts.enumerated().map { index, text in
            PipelineFile(text: text, path: "\(index + 1).yaml")
        }
        return PipelineFileSet(files, catalog: catalog).findings.map(\.description)
    }

    private let good = """
        pipeline: p
        sources:
          in: {connector: files, topic: t}
        sinks:
          out: {connector: table, topics: [t], path: a.db}

        """

    @Test(
        "a broker is an address, a list or a map, and Millrace's own keys are checked",
        arguments: [
            ("broker: a:9092", []),
            ("broker: [a:9092, b:9092]", []),
            ("broker: {bootstrap.servers: a:9092, sasl: {username: me}, transactions: false}", []),
            ("broker: {bootstrap.servers: '${env:B}', cluster: '${env:C}'}", []),
            ("broker:", ["1.yaml:1:1: error: broker: has no value"]),
            (
                "broker: {sasl.username: me}",
                ["1.yaml:1:1: error: broker.bootstrap.servers: is req"]
            ),
            (
                "broker: {bootstrap.servers: a:9092, transactions: maybe}",
                ["1.yaml:1:51: error: broker.transactions: must be true or false"]
            ),
        ]
    )
    func brokers(_ line: String, _ expected: [String]) {
        let found = findings(line + "\n" + good)
        #expect(found.count == expected.count, "\(found)")
        for (text, start) in zip(found, expected) { #expect(text.hasPrefix(start), "\(text)") }
    }

    @Test("files that run together say the same of the broker")
    func sameBroker() {
        let other = """
            pipeline: q
            broker: b:9092
            sinks:
              more: {connector: table, topics: [t], path: b.db}

            """
        let found = findings(good, other)
        #expect(
            found.count == 1 && found[0].hasPrefix("2.yaml:2:1: error: broker: is not"),
            "\(found)"
        )
        #expect(findings("broker: b:9092\n" + good, other) == [])
    }

    @Test("a good file has no findings")
    func clean() {
        #expect(findings(good) == [])
    }

    @Test(
        "what no connector takes is found where it stands",
        arguments: [
            (
                "{connector: fils, topic: t}",
                "1.yaml:3:19: error: sources.in.connector: there is no source connector `fils`; "
                    + "there are files (did you mean \"files\"?)"
            ),
            (
                "{connector: files, topik: t, topic: t}",
                "1.yaml:3:26: error: sources.in.topik: is not a known key "
                    + "(did you mean \"topic\"?)"
            ),
            ("{connector: files}", "1.yaml:3:3: error: sources.in.topic: is required"),
            (
                "{connector: files, topic: t, batch.max.rows: 11}",
                "1.yaml:3:52: error: sources.in.batch.max.rows: must be a whole number, 1 ... 10"
            ),
            (
                "{connector: files, topic: 't t'}",
                "1.yaml:3:33: error: sources.in.topic: the topic's name may hold only letters, "
                    + "digits, `.`, `_` and `-`"
            ),
            (
                "{connector: files, topic: '${nev:T}'}",
                "1.yaml:3:33: error: sources.in.topic: `${nev}` is no reference; there are "
                    + "${env:…}, ${file:…}, ${directory:…}, ${topic}, ${partition}, ${timestamp}, "
                    + "${table}, ${field}, ${stream} (did you mean \"env\"?)"
            ),
            (
                "{connector: files, topic: '${env:T'}",
                "1.yaml:3:33: error: sources.in.topic: `${` has no closing `}`"
            ),
            (
                "{connector: files, topic: '${env:MILLRACE_TEST_UNSET}'}",
                "1.yaml:3:33: warning: sources.in.topic: the environment variable "
                    + "`MILLRACE_TEST_UNSET` is not set here, and the reference has no default; "
                    + "write `${env:MILLRACE_TEST_UNSET:default}` to give one"
            ),
            (
                "{connector: files, topic: t, "
                    + "errors: {tolerance: all, deadletterqueue.topic.name: t}}",
                "1.yaml:3:89: error: sources.in.errors.deadletterqueue.topic.name: is the topic "
                    + "that the source writes to"
            ),
        ]
    )
    func keys(source: String, finding: String) {
        let text = "pipeline: p\nsources:\n  in: \(source)\n"
        #expect(findings(text) == [finding])
    }

    @Test("a sink of a topic that no source writes is a warning with the likely topic")
    func unfed() {
        let text = """
            pipeline: p
            sources:
              in: {connector: files, topic: orders}
            sinks:
              out: {connector: table, topics: [order], path: a.db}
            """
        #expect(
            findings(text) == [
                "1.yaml:5:35: warning: sinks.out.topics: no source in these files writes the "
                    + "topic `order` (did you mean \"orders\"?)"
            ]
        )
    }

    @Test("a sink may read what another file, or a dead letter topic, feeds")
    func fedElsewhere() {
        let sinks = """
            pipeline: q
            sinks:
              dead: {connector: table, topics: [t, t-dlq], path: b.db}
            """
        let sources = """
            pipeline: p
            sources:
              in:
                connector: files
                topic: t
                errors: {tolerance: all, deadletterqueue.topic.name: t-dlq}
            """
        #expect(findings(sinks, sources) == [])
    }

    @Test("names that two files share are found in the second")
    func sharedNames() {
        #expect(
            findings(good, good) == [
                "2.yaml:1:11: error: pipeline: `p` is also the pipeline in 1.yaml; names must "
                    + "differ",
                "2.yaml:3:3: error: sources.in: a connector of this name is already in "
                    + "1.yaml:3:3; positions are kept by name",
                "2.yaml:5:3: error: sinks.out: a connector of this name is already in "
                    + "1.yaml:5:3; positions are kept by name",
            ]
        )
    }

    @Test("a topic may be declared twice only in the same words")
    func topicsTwice() {
        func text(_ name: String, _ partitions: Int) -> String {
            """
            pipeline: \(name)
            topics:
              t: {partitions: \(partitions)}
            sources:
              \(name)-in: {connector: files, topic: t}

            """
        }
        #expect(findings(text("a", 2), text("b", 2)) == [])
        #expect(
            findings(text("a", 2), text("b", 3)) == [
                "2.yaml:3:3: error: topics.t: the topic is declared otherwise in 1.yaml:3:3; "
                    + "declare it once, or in the same words"
            ]
        )
    }

    @Test("an error while running finds its way back to the file")
    func places() throws {
        let files = PipelineFileSet(
            [PipelineFile(text: good, path: "1.yaml")],
            catalog: catalog
        )
        let place = try #require(files.place(connector: "out", key: "path"))
        #expect(place.file == "1.yaml")
        #expect(place.mark == Mark(line: 5, column: 46))
        #expect(place.path == "sinks.out.path")
        #expect(files.place(connector: "nobody", key: nil) == nil)
    }
}
