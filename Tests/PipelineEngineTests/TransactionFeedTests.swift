import ConnectorSDK
import Glibc
import Testing
import Topics

@testable import PipelineEngine

@Suite("Captured transactions at a sink")
struct TransactionFeedTests {
    /// A captured row, or the end of a transaction when it has no order.
    private struct Change {
        var topic: String
        var text: String
        var mark: TransactionMark?

        init(_ topic: String, _ text: String, _ sequence: UInt64? = nil, _ order: UInt64? = nil) {
            self.topic = topic
            self.text = text
            mark = sequence.map { TransactionMark(sequence: $0, order: order) }
        }

        static func end(_ sequence: UInt64) -> Change { Change("ends", "end", sequence) }
    }

    private static func send(
        _ changes: [Change],
        to run: SourceScript.Run,
        as name: String
    ) async throws(ConnectorError) {
        for (index, change) in changes.enumerated() {
            let batch = run.outlet.makeBatch(topic: change.topic, schema: .opaque)
            batch.appendText(change.text)
            if let mark = change.mark {
                let order = mark.order.map(String.init) ?? "end"
                batch.setTransaction("\(mark.sequence):\(order)")
            }
            try await run.outlet.send(
                batch,
                position: SourcePosition(partition: name, offset: "\(index)")
            )
        }
    }

    private func write(_ changes: [Change], to bench: EngineBench, as name: String) async throws {
        let script = SourceScript { (run) async throws(ConnectorError) in
            try await Self.send(changes, to: run, as: name)
        }
        for topic in ["a", "b", "ends"] where try bench.store.describe(topic) == nil {
            try bench.store.create(topic, partitions: 1, settings: TopicSettings())
        }
        let summary = await bench.runner(
            [bench.pipeline(name, [.source(name, script, topic: nil)])]
        ).run()
        #expect(summary.exitCode == 0)
    }

    private let values = ["transaction.topic": "ends"]

    @Test("rows of several topics come in commit order, snapshots before, and all once")
    func commitOrder() async throws {
        let bench = try EngineBench()
        try await write(
            [
                Change("a", "snapshot a"), Change("b", "snapshot b"),
                Change("b", "t1 b1", 10, 1), Change("a", "t1 a2", 10, 2),
                Change("b", "t1 b3", 10, 3),
                .end(10),
                Change("a", "t2 a1", 20, 1), Change("a", "t2 a2", 20, 2),
                Change("b", "t2 b3", 20, 3),
                .end(20),
            ],
            to: bench,
            as: "changes"
        )
        let script = SinkScript()
        let summary = await bench.run(.sink("out", script, topics: "a,b", values))
        #expect(summary.exitCode == 0)
        let written = script.target.writes.flatMap { $0 }
        #expect(written.count == 8)
        #expect(Set(written.prefix(2)) == ["snapshot a", "snapshot b"])
        #expect(
            Array(written.dropFirst(2))
                == ["t1 b1", "t1 a2", "t1 b3", "t2 a1", "t2 a2", "t2 b3"]
        )
        #expect(summary.connector("out")?.lag == 0)
        let again = await bench.run(.sink("out", script, topics: "a,b", values))
        #expect(again.connector("out")?.records == 0)
    }

    @Test("D6: rows whose transaction is not complete wait, and come when its end does")
    func incomplete() async throws {
        let bench = try EngineBench()
        try await write(
            [
                Change("a", "t1 a1", 10, 1), .end(10),
                Change("a", "t2 a1", 20, 1), Change("b", "t2 b2", 20, 2),
            ],
            to: bench,
            as: "first"
        )
        let script = SinkScript()
        _ = await bench.run(.sink("out", script, topics: "a,b", values))
        #expect(script.rows == ["t1 a1"])
        try await write([Change("a", "t2 a3", 20, 3), .end(20)], to: bench, as: "second")
        _ = await bench.run(.sink("out", script, topics: "a,b", values))
        #expect(
            script.target.writes.flatMap { $0 } == ["t1 a1", "t2 a1", "t2 b2", "t2 a3"]
        )
    }

    @Test("D2: no commit of the target divides a transaction, however often it wants to commit")
    func wholeCommits() async throws {
        let bench = try EngineBench()
        var changes: [Change] = []
        for transaction in 1...20 as ClosedRange<UInt64> {
            for order in 1...7 as ClosedRange<UInt64> {
                let topic = order % 2 == 0 ? "a" : "b"
                changes.append(Change(topic, "\(transaction)", transaction, order))
            }
            changes.append(.end(transaction))
        }
        try await write(changes, to: bench, as: "changes")
        // Each commit compares what is durable: seven rows of each transaction, or none.
        let script = SinkScript(
            preferredRecords: 1,
            onWrite: { (script, _) throws(ConnectorError) in
                let durable = Dictionary(grouping: script.rows) { $0 }
                if durable.values.contains(where: { $0.count != 7 }) {
                    throw ConnectorError(.init("test.divided"), .failTask, "Divided.")
                }
            }
        )
        let summary = await bench.run(.sink("out", script, topics: "a,b", values))
        #expect(summary.exitCode == 0)
        #expect(script.rows.count == 140)
        #expect(script.target.commits > 10)
    }

    @Test("D2: a target that loses answers and restarts has each row once, in order")
    func restarts() async throws {
        let bench = try EngineBench()
        let changes = (1...30).flatMap { transaction in
            [
                Change("a", "\(transaction)a", UInt64(transaction), 1),
                Change("b", "\(transaction)b", UInt64(transaction), 2), .end(UInt64(transaction)),
            ]
        }
        try await write(changes, to: bench, as: "changes")
        let script = SinkScript(
            preferredRecords: 1,
            afterCommit: { (commits) throws(ConnectorError) in
                if commits % 3 == 0, commits < 30 { throw .passing }
            }
        )
        let summary = await bench.run(.sink("out", script, topics: "a,b", values))
        #expect(summary.exitCode == 0)
        let rows = script.target.rows
        #expect(rows[TopicPartition("a", 0)] == (1...30).map { "\($0)a" })
        #expect(rows[TopicPartition("b", 0)] == (1...30).map { "\($0)b" })
        #expect(script.target.opened.count > 5)
    }

    @Test("rows of a snapshot come before there was any transaction")
    func snapshotAlone() async throws {
        let bench = try EngineBench()
        let target = SinkScript()
        let source = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "a", schema: .opaque)
            batch.appendText("read")
            try await run.outlet.send(batch, position: SourcePosition(partition: "s", offset: "1"))
        }
        let summary = await bench.runner(
            [
                bench.pipeline(
                    "p",
                    [.source("in", source, topic: nil), .sink("out", target, topics: "a", values)]
                )
            ]
        ).run()
        #expect(summary.exitCode == 0)
        #expect(target.target.rows[TopicPartition("a", 0)] == ["read"])
    }

    @Test("D6: a topic that a transaction brings is read before the transaction's end is passed")
    func newTopic() async throws {
        let bench = try EngineBench()
        let target = SinkScript()
        for topic in ["a", "ends"] {
            try bench.store.create(topic, partitions: 1, settings: TopicSettings())
        }
        let source = SourceScript { (run) async throws(ConnectorError) in
            let deadline = ContinuousClock.now + .seconds(180)
            while target.target.opened.isEmpty, .now < deadline { usleep(1_000) }
            let changes = [
                Change("b", "b1", 10, 1), Change("a", "a2", 10, 2), .end(10),
                Change("c", "c1", 20, 1), Change("b", "b2", 20, 2), .end(20),
            ]
            try await Self.send(changes, to: run, as: "s")
        }
        let summary = await bench.runner(
            [
                bench.pipeline(
                    "p",
                    [
                        .source("in", source, topic: nil),
                        .sink("out", target, topics: "a,b,c", values),
                    ]
                )
            ]
        ).run()
        #expect(summary.exitCode == 0)
        let rows = target.target.rows
        #expect(rows[TopicPartition("a", 0)] == ["a2"])
        #expect(rows[TopicPartition("b", 0)] == ["b1", "b2"])
        #expect(rows[TopicPartition("c", 0)] == ["c1"])
    }

    @Test("rows of a transaction whose end was passed come when their topic is read later")
    func laterTopic() async throws {
        let bench = try EngineBench()
        try await write(
            [Change("a", "a1", 10, 1), Change("b", "b2", 10, 2), .end(10)],
            to: bench,
            as: "s"
        )
        let target = SinkScript()
        #expect(await bench.run(.sink("out", target, topics: "a", values)).exitCode == 0)
        #expect(await bench.run(.sink("out", target, topics: "a,b", values)).exitCode == 0)
        #expect(target.target.rows[TopicPartition("a", 0)] == ["a1"])
        #expect(target.target.rows[TopicPartition("b", 0)] == ["b2"])
    }

    @Test("a transaction topic that cannot be used is refused with its key")
    func refused() async throws {
        let bench = try EngineBench()
        try bench.store.create("a", partitions: 1, settings: TopicSettings())
        let missing = await bench.run(.sink("out", SinkScript(), topics: "a", values))
        #expect(missing.connector("out")?.error?.configurationKey == "transaction.topic")
        #expect(missing.exitCode == 2)
        try bench.store.create("ends", partitions: 2, settings: TopicSettings())
        let wide = await bench.run(.sink("out", SinkScript(), topics: "a", values))
        #expect(wide.connector("out")?.error?.configurationKey == "transaction.topic")
        let tasks = await bench.run(
            .sink("out", SinkScript(), topics: "a", values.merging(["tasks.max": "2"]) { $1 })
        )
        #expect(tasks.connector("out")?.error?.configurationKey == "tasks.max")
    }
}
