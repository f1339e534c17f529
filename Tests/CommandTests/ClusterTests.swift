import Foundation
import TestServices
import Testing

/// The commands with topics on a cluster.
@Suite("A cluster instead of a data directory", .timeLimit(.minutes(10)))
struct ClusterTests {
    private let broker: KafkaBroker
    private let directory: TemporaryDirectory

    init() throws {
        broker = try KafkaBroker()
        directory = try TemporaryDirectory()
    }

    private func millrace(_ arguments: String...) async throws -> CommandResult {
        try await directory.start(
            arguments,
            environment: [
                "MILLRACE_BROKER": broker.bootstrap + " replication.factor=1", "SECRET": "hunter2",
            ]
        ).wait()
    }

    private static let pipeline = """
        pipeline: p
        broker: {bootstrap.servers: "${env:BOOTSTRAP}", replication.factor: 1, cluster: own}
        topics:
          orders: {partitions: 3}
        sources:
          inbox: {connector: csv, include: in/*.csv, topic: orders, key.fields: [id]}
        sinks:
          table:
            connector: sqlite
            topics: [orders]
            path: out.db
            auto.create: true
            transforms: [{type: Cast, spec: {amount: decimal}}]
            errors: {tolerance: all, deadletterqueue.topic.name: orders-dlq}

        """

    private func run(_ name: String = "p.yaml") async throws -> CommandResult {
        try await directory.start(
            ["run", name, "--json"],
            environment: ["BOOTSTRAP": broker.bootstrap]
        ).wait()
    }

    @Test("a pipeline with `broker:` runs on the cluster, and goes on where it was")
    func pipeline() async throws {
        try directory.write(Self.pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n2,oops\n3,4\n", to: "in/a.csv")
        for (file, expected) in [(nil, [3, 2]), ("4,1\n", [1, 1])] as [(String?, [Int])] {
            if let file { try directory.write("id,amount\n" + file, to: "in/b.csv") }
            let result = try await run()
            #expect(result.exitCode == 0, "\(result.errors)")
            let pipelines = try #require(result.json()["pipelines"] as? [[String: Any]])
            let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
            #expect(connectors.map { $0["records"] as? Int } == expected, "\(result.errors)")
        }
        let made = FileManager.default.fileExists(atPath: directory.file(".millrace/state.db"))
        #expect(!made, "nothing of the topics is in a data directory")
        let flag = ["--broker", broker.bootstrap, "--broker", "cluster=own"]
        func millrace(_ words: String...) async throws -> CommandResult {
            try await directory.start(words + flag).wait()
        }
        let letters = try await millrace("dlq", "list", "--json").json()
        let topics = try #require(letters["topics"] as? [[String: Any]])
        #expect(topics.map { $0["topic"] as? String } == ["orders-dlq"])
        #expect(topics.map { $0["count"] as? Int } == [1])
        let offsets = try await millrace("offsets", "show", "table", "--json").json()
        let places = try #require(offsets["offsets"] as? [[String: Any]])
        #expect(places.count == 3)
        #expect(places.allSatisfy { $0["lag"] as? Int == 0 }, "\(places)")
        let source = try await millrace("offsets", "show", "inbox", "--json").json()
        #expect((source["positions"] as? [Any])?.count == 2)
        let reset = try await millrace("offsets", "reset", "inbox")
        #expect(reset.output == "inbox: starts over at the next run\n", "\(reset.errors)")
        let again = try await run()
        #expect(again.output.contains("\"records\":4"), "\(again.output)")
    }

    @Test("topics are created, written, read, described, altered and deleted")
    func topics() async throws {
        let made = try await millrace(
            "topics",
            "create",
            "t",
            "--partitions",
            "2",
            "--config",
            "retention.ms=1h"
        )
        #expect(made.exitCode == 0, "\(made.errors)")
        let twice = try await millrace("topics", "create", "t")
        #expect(twice.exitCode == 1 && twice.errors.contains("exists"), "\(twice.errors)")
        let written = try await directory.start(
            ["topics", "write", "t", "--key", "k", "--broker", broker.bootstrap],
            input: "{\"a\":1}\ntwo\n"
        ).wait()
        #expect(written.exitCode == 0, "\(written.errors)")
        let read = try await millrace("topics", "read", "t", "--json").jsonLines()
        #expect(read.map { $0["key"] as? String } == ["k", "k"])
        #expect(read.last?["value"] as? String == "two")
        let list = try await millrace("topics", "--json").json()
        #expect((list["topics"] as? [[String: Any]])?.map { $0["name"] as? String } == ["t"])
        let misspelt = try await millrace("topics", "describe", "tt")
        #expect(misspelt.exitCode == 2 && misspelt.errors.contains("Did you mean `t`?"))
        let described = try await millrace("topics", "describe", "t", "--json").json()
        let config = try #require(described["config"] as? [String: Any])
        #expect(config["retention.ms"] as? String == "3600000")
        let deleted = try await millrace("topics", "delete", "t")
        #expect(deleted.exitCode == 0, "\(deleted.errors)")
    }

    @Test("nobody listens there: exit code 3, and the address, soon")
    func unreachable() async throws {
        try directory.write(
            Self.pipeline.replacing("${env:BOOTSTRAP}", with: "127.0.0.1:1"),
            to: "p.yaml"
        )
        let result = try await run()
        #expect(result.exitCode == 3)
        #expect(result.errors.contains("p.yaml:2:29: broker.bootstrap.servers"), "\(result.errors)")
        #expect(result.errors.contains("127.0.0.1:1"))
        #expect(result.errors.contains("Check that a broker listens there"))
    }

    // D8
    @Test("a refused password is an error at once that does not show it")
    func password() async throws {
        let cluster = try KafkaMockHandle()
        let result = try await millrace(
            "topics",
            "list",
            "--broker",
            cluster.bootstrap,
            "--broker",
            "security.protocol=SASL_PLAINTEXT",
            "--broker",
            "sasl.mechanism=PLAIN",
            "--broker",
            "sasl.username=me",
            "--broker",
            "sasl.password=${env:SECRET}"
        )
        #expect(result.exitCode == 3)
        #expect(result.errors.contains("sasl.password"), "\(result.errors)")
        #expect(!result.errors.contains("hunter2"))
    }

    @Test("a key that no Kafka client has is found, with its place")
    func unknownKey() async throws {
        try directory.write(
            Self.pipeline.replacing("cluster: own}", with: "sasl.pasword: hunter2}"),
            to: "p.yaml"
        )
        let result = try await run()
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("broker.sasl.pasword"), "\(result.errors)")
        #expect(!result.errors.contains("hunter2"))
        let flag = try await millrace("topics", "list", "--broker", "x=y")
        #expect(flag.exitCode == 2)
        #expect(flag.errors.contains("bootstrap.servers is required"), "\(flag.errors)")
    }

    @Test("a run whose broker has gone ends on SIGINT, and within the time to drain")
    func stop() async throws {
        try directory.write(
            """
            pipeline: p
            broker: {bootstrap.servers: "\(broker.bootstrap)", replication.factor: 1}
            sources:
              numbers: {connector: generate, topic: numbers, rate: 200, columns: [n], fields: {n: sequence}}

            """,
            to: "p.yaml"
        )
        let worker = try directory.start(["run", "p.yaml"])
        for _ in 0..<600 {
            let read = try await millrace("topics", "read", "numbers", "--max", "5")
            if read.output.split(separator: "\n").count == 5 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        broker.stop()
        try await Task.sleep(for: .seconds(2))
        let start = ContinuousClock.now
        worker.signal(2)
        let result = try await worker.wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        // 20 s to drain, and what a slow machine adds; without a limit it would be minutes.
        #expect(ContinuousClock.now - start < .seconds(55))
    }
}
