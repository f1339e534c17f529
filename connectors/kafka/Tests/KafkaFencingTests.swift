import Foundation
import TestServices
import Testing

@Suite("Kafka sinks of one name", .timeLimit(.minutes(10)))
struct KafkaFencingTests {
    let broker: KafkaBroker
    let judge: KafkaJudge

    init() throws {
        broker = try KafkaBroker.shared()
        judge = KafkaJudge(broker)
    }

    // D2: what two processes of one name write cannot mix.
    @Test("a second process of the same transactional.id takes over, and the first stops")
    func fencing() async throws {
        let topic = Mirror.name("owned")
        func mirror(_ here: String) throws -> Mirror {
            let mirror = try Mirror(
                """
                pipeline: out
                sources:
                  lines:
                    connector: file
                    include: in.txt
                    format: lines
                    topic: \(here)
                    follow: true
                sinks:
                  cluster:
                    connector: kafka
                    bootstrap.servers: \(broker.bootstrap)
                    topics: [\(here)]
                    topic: \(topic)
                    transactional.id: \(topic)
                    offsets.topic: \(topic)-offsets
                """
            )
            try mirror.directory.write("\(here) 1\n", to: "in.txt")
            return mirror
        }
        let (first, second) = (try mirror("a"), try mirror("b"))
        let before = try first.directory.start(["run", "p.yaml"])
        try await waitForRecords(1, of: topic)
        let after = try second.directory.start(["run", "p.yaml"])
        try await waitForRecords(2, of: topic)
        _ = try await first.directory.bash("echo 'a 2' >> in.txt")
        // Its source goes on, as sources do whose sinks fail.
        for _ in 0..<300 where !before.errorsSoFar.contains("kafka.fenced") {
            try await Task.sleep(for: .milliseconds(200))
        }
        before.signal(SIGTERM)
        let result = try await before.wait()
        #expect(result.exitCode == 1, "\(result.errors)")
        #expect(result.errors.contains("kafka.fenced"), "\(result.errors)")
        after.signal(SIGTERM)
        #expect(try await after.wait().exitCode == 0)
        #expect(try await judge.records(of: topic).map(\.text) == ["a 1", "b 1"])
    }

    private func waitForRecords(_ count: Int, of topic: String) async throws {
        for _ in 0..<300 {
            if let found = try? await judge.records(of: topic).count, found >= count { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        Issue.record("\(topic) has less than \(count) records")
    }
}
