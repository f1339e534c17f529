import Foundation
import KafkaClient
import TestServices
import Testing

@Suite("Kafka source", .timeLimit(.minutes(10)))
struct KafkaSourceTests {
    let broker: KafkaBroker
    let judge: KafkaJudge

    init() throws {
        broker = try KafkaBroker.shared()
        judge = KafkaJudge(broker)
    }

    private func pipeline(_ keys: String) -> String {
        """
        pipeline: mirror
        sources:
          cluster:
            connector: kafka
            bootstrap.servers: \(broker.bootstrap)
            \(keys)
        """
    }

    /// The times of records begin here: retention takes older ones away while a test runs.
    private static let time = Int64(Date().timeIntervalSince1970) * 1_000

    private func numbers(_ range: ClosedRange<Int>, _ topic: String, of partitions: Int32 = 3)
        -> [KafkaJudge.Record]
    {
        range.map {
            KafkaJudge.Record(
                topic,
                Int32($0) % partitions,
                key: "k\($0)",
                value: #"{"n":\#($0)}"#,
                timestamp: Self.time + Int64($0)
            )
        }
    }

    @Test("keeps partition, key, value, headers and time of each record, and reads none again")
    func mirror() async throws {
        let topic = Mirror.name("orders")
        try await judge.create(topic, partitions: 3)
        let time = Self.time
        try await judge.produce([
            .init(topic, 2, key: "a", value: "no JSON {", timestamp: time),
            .init(topic, 2, key: "a", value: nil, timestamp: time + 1),
            .init(topic, 0, key: nil, value: "", timestamp: time + 2),
            .init(topic, 1, key: "", value: "x", headers: [("h", "1"), ("h", nil), ("i", "")]),
        ])
        let mirror = try Mirror(pipeline("topics: [\(topic)]"))
        try await mirror.run("--until-end")
        let read = try await mirror.records(of: topic)
        try #require(read.count == 4)
        let sorted = read.sorted { ($0.partition, $0.timestamp) < ($1.partition, $1.timestamp) }
        #expect(sorted.map(\.partition) == [0, 1, 2, 2])
        #expect(sorted.map(\.value) == ["", "x", "no JSON {", "<null>"])
        #expect(sorted.map(\.key) == ["<null>", "", "a", "a"])
        let times = [sorted[0], sorted[2], sorted[3]].map { $0.timestamp - Int(time) }
        #expect(times == [2, 0, 1])
        let headers = sorted[1].headers
        for part in ["h", "i", "null"] { #expect(headers.contains(part), "\(headers)") }
        // D3: a second run goes on where the first ended.
        try await judge.produce([.init(topic, 0, key: "b", value: "later")])
        try await mirror.run("--until-end")
        #expect(try await mirror.records(of: topic).count == 5)
    }

    @Test("tasks share partitions, and transforms see fields")
    func tasks() async throws {
        let topic = Mirror.name("events")
        try await judge.create(topic, partitions: 3)
        try await judge.produce(numbers(1...300, topic))
        let mirror = try Mirror(
            pipeline(
                """
                topics: [\(topic)]
                    topic: 'here-${topic}'
                    tasks: 2
                    transforms: [{type: Filter, condition: '.n > 100'}]
                """
            )
        )
        try await mirror.run("--until-end")
        let read = try await mirror.records(of: "here-\(topic)")
        #expect(read.count == 200)
        #expect(Set(read.map(\.key)) == Set((101...300).map { "k\($0)" }))
        for record in read {
            let number = Int(record.key.dropFirst()) ?? 0
            #expect(record.partition == number % 3)
            #expect(record.timestamp == Int(Self.time) + number)
        }
    }

    @Test("topics that match and are created later are read from their first record")
    func discovery() async throws {
        let prefix = Mirror.name("found")
        try await judge.create("\(prefix)-a", partitions: 1)
        try await judge.produce([.init("\(prefix)-a", 0, key: nil, value: "old")])
        let mirror = try Mirror(
            pipeline(
                """
                topics.regex: '\(prefix)-.*'
                    topic: all
                    partition: hash
                    auto.offset.reset: latest
                    topic.metadata.refresh.interval.ms: 200
                """
            )
        )
        let command = try mirror.directory.start(["run", "p.yaml"])
        // The start at the end is known before the next record comes.
        for _ in 0..<600 {
            let shown = try await mirror.directory.millrace("offsets", "show", "cluster")
            if shown.output.contains("\(prefix)-a-0") { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        try await judge.create("\(prefix)-b", partitions: 2)
        try await judge.produce([.init("\(prefix)-b", 1, key: nil, value: "new")])
        try await judge.produce([.init("\(prefix)-a", 0, key: nil, value: "next")])
        try await mirror.wait(for: 2, in: "all", while: command)
        command.signal(SIGTERM)
        #expect(try await command.wait().exitCode == 0)
        #expect(Set(try await mirror.records(of: "all").map(\.value)) == ["new", "next"])
        // D6: what appeared while it was down is read from its first record as well.
        try await judge.create("\(prefix)-c", partitions: 1)
        try await judge.produce([.init("\(prefix)-c", 0, key: nil, value: "meanwhile")])
        try await mirror.run("--until-end")
        let values = try await mirror.records(of: "all").map(\.value)
        #expect(values.sorted() == ["meanwhile", "new", "next"])
    }

    // D3: a broker that has just started may not know of a topic yet.
    @Test("a topic that is away for a while goes on where it was")
    func absence() async throws {
        let topic = Mirror.name("away")
        try await judge.create(topic, partitions: 1)
        try await judge.produce(numbers(1...5, topic, of: 1))
        let mirror = try Mirror(
            pipeline(
                """
                topics.regex: '\(topic)'
                    topic: back
                    topic.metadata.refresh.interval.ms: 100
                """
            )
        )
        let command = try mirror.directory.start(["run", "p.yaml"])
        try await mirror.wait(for: 5, in: "back", while: command)
        let admin = try KafkaAdmin(KafkaSettings(["bootstrap.servers": broker.bootstrap]))
        try admin.deleteTopic(topic)
        try await mirror.wait(until: command) { $0.contains("is gone") }
        try await judge.create(topic, partitions: 1)
        try await judge.produce(numbers(1...9, topic, of: 1))
        try await mirror.wait(for: 9, in: "back", while: command)
        command.signal(SIGTERM)
        #expect(try await command.wait().exitCode == 0)
        let read = try await mirror.records(of: "back").map(\.key)
        #expect(read == (1...9).map { "k\($0)" })
    }

    @Test("a consumer group shows how far the source is")
    func group() async throws {
        let topic = Mirror.name("watched")
        try await judge.create(topic, partitions: 1)
        try await judge.produce(numbers(1...7, topic, of: 1))
        let group = Mirror.name("viewers")
        let mirror = try Mirror(pipeline("topics: [\(topic)]\n    group.id: \(group)"))
        try await mirror.run("--until-end")
        let admin = try KafkaAdmin(KafkaSettings(["bootstrap.servers": broker.bootstrap]))
        #expect(try admin.offsets(ofGroup: group) == [KafkaPartition(topic, 0): 7])
    }

    // D1, D3 and D6: what a kill could break is counted.
    @Test("killed at any moment, it loses and doubles nothing")
    func kills() async throws {
        let topic = Mirror.name("killed")
        try await judge.create(topic, partitions: 3)
        let mirror = try Mirror(pipeline("topics: [\(topic)]\n    tasks: 2"))
        for round in 0..<8 {
            try await judge.produce(numbers(round * 2_000 + 1...(round + 1) * 2_000, topic))
            let command = try mirror.directory.start(["run", "p.yaml"])
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...900)))
            command.signal(SIGKILL)
            _ = try await command.wait()
        }
        try await mirror.run("--until-end")
        let read = try await mirror.records(of: topic)
        #expect(read.count == 16_000)
        for partition in 0..<3 {
            let own = read.filter { $0.partition == partition }.map(\.key)
            #expect(own == (1...16_000).filter { $0 % 3 == partition }.map { "k\($0)" })
        }
    }
}
