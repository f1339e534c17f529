import TestServices
import Testing

/// What the examples with a Kafka cluster make.
@Suite("Examples with a Kafka cluster", .timeLimit(.minutes(10)))
struct KafkaExampleTests {
    /// One of its own, since the examples name topics.
    let broker: KafkaBroker
    let judge: KafkaJudge

    init() throws {
        broker = try KafkaBroker()
        judge = KafkaJudge(broker)
    }

    private func run(
        _ directory: TemporaryDirectory,
        _ file: String
    ) async throws {
        let result = try await Command.run(
            [Products.millrace, "run", "--until-end", "--data-dir", directory.file("data"), file],
            in: directory.file("pipelines"),
            environment: ["KAFKA": broker.bootstrap]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
    }

    @Test("topics of the cluster are in files, and each record once")
    func mirrorIn() async throws {
        try await judge.create("orders", partitions: 2)
        try await judge.create("orders-eu", partitions: 1)
        try await judge.create("other", partitions: 1)
        try await judge.produce([
            .init("orders", 0, key: "1", value: #"{"id":1}"#),
            .init("orders", 1, key: "2", value: #"{"id":2}"#),
            .init("orders-eu", 0, key: "3", value: #"{"id":3}"#),
            .init("other", 0, key: "4", value: #"{"id":4}"#),
        ])
        let directory = try TemporaryDirectory.withPipelines()
        try await run(directory, "kafka-mirror-in.yaml")
        try await judge.produce([.init("orders", 0, key: "5", value: #"{"id":5}"#)])
        try await run(directory, "kafka-mirror-in.yaml")
        let files = try await directory.bash("cd pipelines/out; sort mirror-*.jsonl; ls")
        #expect(
            files.output == """
                {"id":1}
                {"id":2}
                {"id":3}
                {"id":5}
                mirror-orders-eu.jsonl
                mirror-orders.jsonl

                """
        )
    }

    @Test("a file of orders is in the cluster, by key, and each order once")
    func mirrorOut() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        try await run(directory, "kafka-mirror-out.yaml")
        try await run(directory, "kafka-mirror-out.yaml")
        let records = try await judge.records(of: "shop-orders")
        #expect(records.count == 8)
        let here = try await directory.bash(
            "millrace topics read orders --json --data-dir data"
        ).jsonLines()
        let places = Dictionary(
            here.map { ("\($0["key"] ?? "")", $0["partition"] as? Int) },
            uniquingKeysWith: { first, _ in first }
        )
        #expect(Set(places.keys).count == records.count)
        #expect(Set(records.map(\.partition)).count > 1)
        #expect(records.first { $0.text?.contains("Åsa") == true } != nil)
    }
}
