import Foundation
import KafkaClient
import TestServices
import Testing

@Suite("Kafka sink with failing clusters", .timeLimit(.minutes(10)))
struct KafkaSinkErrorTests {
    let cluster: KafkaMockHandle

    init() throws {
        cluster = try KafkaMockHandle(brokers: 3)
        cluster.createTopic("out", partitions: 1, replication: 3)
        cluster.createTopic("millrace-sink-offsets", partitions: 1, replication: 3)
    }

    private func mirror(_ keys: String = "", to server: String? = nil) async throws -> Mirror {
        let mirror = try Mirror(
            """
            pipeline: out
            sources:
              lines: {connector: file, include: in.txt, format: lines, topic: lines}
            sinks:
              cluster:
                connector: kafka
                bootstrap.servers: \(server ?? cluster.bootstrap)
                topics: [lines]
                topic: out
                offset.flush.interval.ms: 50
                request.timeout.ms: 5s
                \(keys)
            """
        )
        let lines = (1...2_000).map { "\($0)" }.joined(separator: "\n")
        try mirror.directory.write(lines + "\n", to: "in.txt")
        return mirror
    }

    /// What is in the topic, by our own reader.
    private func values() throws -> [String] {
        let settings = KafkaSettings(["bootstrap.servers": cluster.bootstrap])
        let consumer = try KafkaConsumer(settings, isolation: .readCommitted)
        let queue = try consumer.open(KafkaPartition("out", 0), at: 0)
        var result: [String] = []
        // Whatever is not there after that long is missing.
        for _ in 0..<1_200 where !queue.isAtEnd || result.count < 2_000 {
            let size = try queue.take(.milliseconds(100))
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 1, alignment: 1)
            defer { memory.deallocate() }
            queue.copy(to: memory) { record in
                result.append(record.value.map { String(decoding: $0, as: UTF8.self) } ?? "null")
            }
        }
        try #require(queue.isAtEnd)
        return result
    }

    @Test(
        "answers that fail for a while lose and double nothing",
        arguments: ["required", "disabled"]
    )
    func passing(support: String) async throws {
        let mirror = try await mirror("exactly.once.support: \(support)")
        // NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS; then
        // COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
        cluster.fail(.produce, with: [6, 7, 19])
        cluster.fail(.addPartitionsToTransaction, with: [15, 16])
        cluster.fail(.endTransaction, with: [15, 16])
        cluster.moveLeader(of: "out", 0, to: 2)
        try await mirror.run()
        #expect(try values() == (1...2_000).map { "\($0)" })
    }

    // D2 and D3. The answer comes after the offsets of the same transaction were taken: who saw those
    // of an aborted transaction would believe that all is written.
    @Test("an answer that a record is too large makes the sink write it all again, once")
    func refused() async throws {
        // MESSAGE_TOO_LARGE, once: no record is at fault in the end.
        let broker = try KafkaBroker(failing: ["--refuse", "out=10"])
        let judge = KafkaJudge(broker)
        try await judge.create("out", partitions: 1)
        let mirror = try await mirror("errors: {retry.timeout: 300s}", to: broker.bootstrap)
        try await mirror.run()
        #expect(try await judge.records(of: "out").map(\.text) == (1...2_000).map { "\($0)" })
    }

    @Test("who may not write is told so, at once")
    func denied() async throws {
        // TOPIC_AUTHORIZATION_FAILED
        let broker = try KafkaBroker(failing: ["--refuse", "out=29,29,29,29"])
        try await KafkaJudge(broker).create("out", partitions: 1)
        let mirror = try await mirror(to: broker.bootstrap)
        let result = try await mirror.run(expecting: 3)
        #expect(result.errors.contains("out-0"), "\(result.errors)")
        #expect(result.errors.contains("kafka.denied"), "\(result.errors)")
    }

    // D7 and D1: nothing is read that cannot be written, and nothing is lost by waiting.
    @Test("a cluster that goes away and comes back gets every record once")
    func outage() async throws {
        let mirror = try await mirror()
        for broker: Int32 in 1...3 { cluster.setDown(broker, true) }
        let command = try mirror.directory.start(["run", "p.yaml"])
        try await Task.sleep(for: .seconds(3))
        for broker: Int32 in 1...3 { cluster.setDown(broker, false) }
        let result = try await command.wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try values() == (1...2_000).map { "\($0)" })
    }

    @Test("nobody listens: the error names the key, and the exit code the environment")
    func unreachable() async throws {
        let mirror = try await mirror(
            "errors: {retry.timeout: 0}",
            to: "127.0.0.1:1"
        )
        let result = try await mirror.run(expecting: 3)
        #expect(result.errors.contains("bootstrap.servers"), "\(result.errors)")
        #expect(result.errors.contains("127.0.0.1:1"))
    }
}
