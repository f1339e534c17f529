import Foundation
import TestServices
import Testing

/// From one machine to a cluster.
@Suite("millrace topics copy", .timeLimit(.minutes(10)))
struct TopicsCopyTests {
    private let broker: KafkaBroker
    private let directory: TemporaryDirectory
    /// Where the commands of a test find the cluster.
    private let flag: [String]

    init() throws {
        broker = try KafkaBroker()
        directory = try TemporaryDirectory()
        flag = ["--broker", broker.bootstrap, "--broker", "replication.factor=1"]
    }

    private func millrace(_ arguments: [String]) async throws -> CommandResult {
        try await directory.start(arguments).wait()
    }

    /// Runs a command that is to succeed.
    private func done(_ arguments: [String]) async throws -> CommandResult {
        let result = try await millrace(arguments)
        #expect(result.exitCode == 0, "\(arguments): \(result.errors)")
        return result
    }

    private static let source = """
        pipeline: p
        BROKER
        topics:
          orders: {partitions: 3, retention.ms: 1h}
        sources:
          inbox:
            connector: csv
            include: in/*.csv
            topic: orders
            key.fields: [id]
            transforms:
              - {type: Dedupe, fields: [id], window.keys: 10000}
              - {type: Cast, spec: {price: decimal}}

        """

    private static let sinks = """
        sinks:
          table:
            connector: sqlite
            topics: [orders]
            path: out.db
            auto.create: true
            transforms: [{type: Cast, spec: {amount: decimal}}]
            errors: {tolerance: all, deadletterqueue.topic.name: orders-dlq}
          files: {connector: json, topics: [orders], path: out/orders.jsonl}

        """

    /// The records of `orders` as JSON lines, those of the cluster or of the data directory.
    private func orders(on place: [String]) async throws -> [Substring] {
        try await done(["topics", "read", "orders", "--json"] + place).output.split(separator: "\n")
    }

    private func rows() throws -> [String] {
        try Program.run(
            ["sqlite3", directory.file("out.db"), "SELECT id || ' ' || amount FROM orders"]
        ).split(separator: "\n").map(String.init)
    }

    // D1, D2 and D3 over the move: each record once.
    @Test("pipelines go on where they were, sinks behind and sources in the middle of their files")
    func moves() async throws {
        let numbers = Array(1...600)
        func csv(_ ids: some Sequence<Int>) -> String {
            let lines = ids.map { $0 == 7 ? "7,oops,1.0\n" : "\($0),\($0).5,1.10\n" }
            return "id,amount,price\n" + lines.joined()
        }
        let embedded = Self.source.replacing("BROKER\n", with: "")
        try directory.write(embedded + Self.sinks, to: "all.yaml")
        try directory.write(embedded, to: "source.yaml")
        try directory.write(csv(numbers[..<200]), to: "in/a.csv")
        _ = try await done(["run", "all.yaml"])
        // The sinks have read the first file, the source two and twice some of the first.
        try directory.write(csv(numbers[100..<400]), to: "in/b.csv")
        _ = try await done(["run", "source.yaml"])
        let before = try await orders(on: [])
        #expect(before.count == 400)

        let plan = try await done(["topics", "copy", "--dry-run", "--json"] + flag).json()
        #expect(plan["result"] as? String == "planned")
        let listed = try await done(["topics", "list", "--json"] + flag).json()
        #expect((listed["topics"] as? [Any])?.isEmpty == true, "a plan changes nothing")

        let line = "broker: {bootstrap.servers: \"\(broker.bootstrap)\", replication.factor: 1}"
        try directory.write(Self.source.replacing("BROKER", with: line) + Self.sinks, to: "k.yaml")
        let copy = try await done(["topics", "copy", "k.yaml", "--json"]).json()
        #expect(copy["groups"] as? [String] == ["connect-files", "connect-table"])
        #expect(copy["sources"] as? [String] == ["inbox"])
        #expect(copy["entries"] as? Int == 400)
        #expect((copy["schemas"] as? Int ?? 0) > 0)
        let topics = try #require(copy["topics"] as? [[String: Any]])
        #expect(topics.map { $0["topic"] as? String } == ["orders", "orders-dlq"])
        #expect(topics.map { $0["records"] as? Int } == [400, 1])
        #expect(try await orders(on: flag) == before, "offsets, times and headers among them")
        let described = try await done(["topics", "describe", "orders", "--json"] + flag).json()
        let config = try #require(described["config"] as? [String: Any])
        #expect(config["retention.ms"] as? String == "3600000")
        // As often as somebody likes, while nothing runs there.
        let again = try await done(["topics", "copy", "k.yaml"])
        #expect(again.output.contains("orders"), "\(again.output)")

        try directory.write(csv(numbers[300..<600]), to: "in/c.csv")
        let run = try await done(["run", "k.yaml", "--json"])
        let pipelines = try #require(run.json()["pipelines"] as? [[String: Any]])
        let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
        // The source reads 300 lines and 100 of them for the second time; sinks lack 400 records.
        #expect(connectors.map { $0["records"] as? Int } == [200, 400, 400], "\(run.output)")
        let expected = numbers.filter { $0 != 7 }.map { "\($0) \($0).5" }
        #expect(try rows().sorted() == expected.sorted())
        let lines = try directory.read("out/orders.jsonl").split(separator: "\n")
        #expect(lines.count == 600)
        #expect(Set(lines).count == 600)

        let refused = try await millrace(["topics", "copy", "k.yaml"])
        #expect(refused.exitCode == 2)
        #expect(refused.errors.contains("pipelines have run there already"), "\(refused.errors)")
    }

    @Test("a copy that is killed goes on, and moves no offset before all is there")
    func killed() async throws {
        try directory.write(
            """
            pipeline: p
            topics: {orders: {partitions: 2}}
            sources:
              numbers: {connector: generate, topic: orders, count: 60000, columns: [n], fields: {n: sequence}}
            sinks:
              files: {connector: json, topics: [orders], path: out/orders.jsonl}

            """,
            to: "p.yaml"
        )
        _ = try await done(["run", "p.yaml"])
        let copy = try directory.start(["topics", "copy"] + flag)
        let list = ["topics", "read", "orders", "--max", "1"] + flag
        var attempts = 0
        while try await millrace(list).output.isEmpty, attempts < 600 { attempts += 1 }
        copy.signal(SIGKILL)
        _ = try await copy.wait()
        // Killed behind the last record, it may have moved the offsets as well.
        if try await orders(on: flag).count < 60_000 {
            let groups = try await done(["groups", "--json"] + flag).json()
            #expect((groups["groups"] as? [Any])?.isEmpty == true, "\(groups)")
        }
        let whole = try await done(["topics", "copy", "--json"] + flag).json()
        let topics = try #require(whole["topics"] as? [[String: Any]])
        #expect(topics.map { $0["records"] as? Int } == [60_000])
        let partitions = try #require(topics[0]["partitions"] as? [[String: Any]])
        #expect(partitions.compactMap { $0["found"] as? Int }.reduce(0, +) > 0)
        let there = try await orders(on: flag)
        #expect(there.count == 60_000)
        #expect(try await there == orders(on: []))
        let groups = try await done(["groups", "--json"] + flag).json()
        let lags = (groups["groups"] as? [[String: Any]])?.map { $0["lag"] as? Int }
        #expect(lags == [0])
    }

    @Test("what is not from here is not added to, and nothing is moved")
    func refused() async throws {
        for name in ["orders", "others"] {
            _ = try await done(["topics", "create", name])
            _ = try await directory.start(["topics", "write", name], input: "one\ntwo\n").wait()
        }
        _ = try await done(["topics", "create", "others"] + flag)
        _ = try await directory.start(["topics", "write", "others"] + flag, input: "1\n").wait()
        let wrong = try await millrace(["topics", "copy", "--json"] + flag)
        #expect(wrong.exitCode == 2)
        #expect(wrong.errors.contains("others-0 on the cluster holds a record"), "\(wrong.errors)")
        #expect(wrong.errors.contains("delete the topic there"), "\(wrong.errors)")
        let one = try await done(["topics", "copy", "--topics", "orders", "--json"] + flag).json()
        #expect((one["topics"] as? [Any])?.count == 1)
        let misspelt = try await millrace(["topics", "copy", "--topics", "order"] + flag)
        #expect(misspelt.exitCode == 2 && misspelt.errors.contains("Did you mean `orders`?"))
        let nowhere = try await millrace(["topics", "copy"])
        #expect(nowhere.exitCode == 2 && nowhere.errors.contains("--broker HOST:PORT"))
    }
}
