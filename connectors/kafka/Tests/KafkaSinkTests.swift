import Foundation
import KafkaClient
import TestServices
import Testing

@Suite("Kafka sink", .timeLimit(.minutes(10)))
struct KafkaSinkTests {
    let broker: KafkaBroker
    let judge: KafkaJudge

    init() throws {
        broker = try KafkaBroker.shared()
        judge = KafkaJudge(broker)
    }

    /// Topics of the cluster through topics here into others of the cluster.
    private func roundTrip(_ topic: String, _ keys: String = "", source: String = "") -> String {
        """
        pipeline: round-trip
        sources:
          in:
            connector: kafka
            bootstrap.servers: \(broker.bootstrap)
            topics: [\(topic)]
            \(source)
        sinks:
          out:
            connector: kafka
            bootstrap.servers: \(broker.bootstrap)
            topics: [\(topic)]
            topic: '${topic}-out'
            transactional.id: \(topic)
            offsets.topic: \(topic)-offsets
            \(keys)
        """
    }

    private func comparable(_ records: [KafkaJudge.Record]) -> [[String]] {
        records.map { record in
            let headers = (record.headers ?? []).map { header in
                header.map { $0 ?? "null" }.joined(separator: "=")
            }
            return [
                "\(record.partition)", record.key ?? "null", record.value ?? "null",
                "\(record.timestamp ?? -1)", headers.joined(separator: ";"),
            ]
        }
    }

    @Test(
        "keeps partition, key, value, headers and time of each record, and writes none again",
        arguments: ["required", "disabled"]
    )
    func roundTrip(support: String) async throws {
        let topic = Mirror.name("orders")
        try await judge.create(topic, partitions: 3)
        // Not long ago: retention takes older records away while the test runs.
        let time = Int64(Date().timeIntervalSince1970) * 1_000
        try await judge.produce([
            .init(topic, 2, key: "a", value: "no JSON {", timestamp: time),
            .init(topic, 2, key: "a", value: nil, timestamp: time + 1),
            .init(topic, 0, key: nil, value: "", timestamp: time + 2),
            .init(topic, 1, key: "", value: "x", headers: [("h", "1"), ("h", nil), ("i", "")]),
        ])
        let mirror = try Mirror(roundTrip(topic, "exactly.once.support: \(support)"))
        try await mirror.run("--until-end")
        let before = comparable(try await judge.records(of: topic))
        #expect(before.count == 4)
        #expect(comparable(try await judge.records(of: topic + "-out")) == before)
        // D2: a second run writes what is new, and nothing else.
        try await judge.produce([.init(topic, 0, key: "b", value: "later")])
        try await mirror.run("--until-end")
        let after = comparable(try await judge.records(of: topic))
        #expect(after.count == 5)
        #expect(comparable(try await judge.records(of: topic + "-out")) == after)
    }

    // D2: the target knows what it has, whatever was lost here.
    @Test("offsets are the cluster's: a sink that has lost its own goes on from them")
    func offsets() async throws {
        let topic = Mirror.name("kept")
        try await judge.create(topic, partitions: 2)
        try await judge.produce(
            (1...100).map { .init(topic, Int32($0 % 2), key: nil, value: "\($0)") }
        )
        let mirror = try Mirror(roundTrip(topic))
        try await mirror.run("--until-end")
        // Another data directory, with the same records at the same offsets.
        let text = roundTrip(topic)
        let sinks = try #require(text.firstRange(of: "sinks:"))
        let other = try Mirror(String(text[..<sinks.lowerBound]))
        try await other.run("--until-end")
        try other.directory.write(text, to: "p.yaml")
        try await other.run("--until-end")
        #expect(try await judge.records(of: topic + "-out").count == 100)
        let offsets = try await judge.records(of: topic + "-offsets")
        #expect(offsets.contains { $0.keyText == #"["\#(topic)","\#(topic)",1]"# })
        #expect(offsets.last?.text == #"{"offset":50}"#)
    }

    @Test("a record that is too large is a dead letter, and the others are written")
    func tooLarge() async throws {
        let topic = Mirror.name("sizes")
        try await judge.create(topic, partitions: 1)
        let large = String(repeating: "x", count: 5_000)
        try await judge.produce(
            ["1", large, "2", large, "3"].map { .init(topic, 0, key: nil, value: $0) }
        )
        let keys = """
            topic.creation.config.max.message.bytes: 2000
                errors: {tolerance: all, deadletterqueue.topic.name: dead}
            """
        let mirror = try Mirror(roundTrip(topic, keys))
        try await mirror.run("--until-end")
        #expect(try await judge.records(of: topic + "-out").map(\.text) == ["1", "2", "3"])
        let dead = try await mirror.records(of: "dead")
        #expect(dead.map(\.value) == [large, large])
        #expect(dead.first?.headers.contains("max.message.bytes") == true)
    }

    @Test("transforms change values; a key that they leave alone stays, and so does its partition")
    func transforms() async throws {
        let topic = Mirror.name("changed")
        try await judge.create(topic, partitions: 3)
        try await judge.produce(
            (1...30).map {
                .init(topic, Int32($0 % 3), key: #"{"id" : \#($0)}"#, value: #"{"n":\#($0)}"#)
            }
        )
        let mirror = try Mirror(
            roundTrip(
                topic,
                """
                transforms:
                      - {type: Filter, condition: '.n > 10'}
                      - {type: InsertField, static.field: seen, static.value: 'yes'}
                """
            )
        )
        try await mirror.run("--until-end")
        let read = try await judge.records(of: topic + "-out")
        #expect(read.count == 20)
        for record in read {
            let key = record.keyText ?? ""
            let number = Int32(key.dropFirst(8).dropLast()) ?? -1
            #expect(key == #"{"id" : \#(number)}"#)
            #expect(record.partition == number % 3)
            #expect(record.text == #"{"n":\#(number),"seen":"yes"}"#)
        }
    }

    @Test("a topic that does not exist, and is not to be created, stops the sink")
    func missing() async throws {
        let topic = Mirror.name("absent")
        try await judge.create(topic, partitions: 1)
        try await judge.produce([.init(topic, 0, key: nil, value: "1")])
        let mirror = try Mirror(roundTrip(topic, "auto.create: false"))
        let result = try await mirror.run("--until-end", expecting: 3)
        #expect(result.errors.contains("no topic `\(topic)-out`"), "\(result.errors)")
        #expect(result.errors.contains("auto.create"))
    }

    // D1 and D6, without transactions: what was told to be written is there.
    @Test("killed at any moment, a sink without transactions loses nothing and keeps the order")
    func kills() async throws {
        let topic = Mirror.name("killed")
        let mirror = try Mirror(
            """
            pipeline: out
            sources:
              lines: {connector: file, include: 'in/*.txt', format: lines, topic: lines}
            sinks:
              cluster:
                connector: kafka
                bootstrap.servers: \(broker.bootstrap)
                topics: [lines]
                topic: \(topic)
                exactly.once.support: disabled
                offset.flush.interval.ms: 20
            """
        )
        for round in 0..<6 {
            let lines = (round * 5_000 + 1...(round + 1) * 5_000).map { "\($0)\n" }
            try mirror.directory.write(lines.joined(), to: "in/\(round).txt")
            let command = try mirror.directory.start(["run", "p.yaml"])
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...900)))
            command.signal(SIGKILL)
            _ = try await command.wait()
        }
        try await mirror.run()
        var seen: Set<Int> = []
        let numbers = try await judge.records(of: topic).compactMap { $0.text.flatMap { Int($0) } }
        let firsts = numbers.filter { seen.insert($0).inserted }
        #expect(firsts == Array(1...30_000))
    }
}
