import ConnectorSDK
import Testing
import Topics

@testable import PipelineEngine

@Suite("Sink tasks")
struct SinkRunTests {
    private let lines = (0..<100).map { "\($0)" }

    @Test(
        "reads everything, commits the target and then the group, and ends",
        arguments: [true, false],
        StoreKind.allCases
    )
    func everything(_ transactional: Bool, _ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines, partitions: 3)
        let script = SinkScript(isTransactional: transactional)
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 0)
        #expect(summary.connector("out")?.records == 100)
        #expect(summary.connector("out")?.lag == 0)
        for partition in 0..<3 {
            let expected = lines.enumerated().filter { $0.offset % 3 == partition }.map(\.element)
            #expect(script.target.rows[TopicPartition("numbers", Int32(partition))] == expected)
        }
        for (partition, offset) in try bench.store.groupOffsets("connect-out") {
            #expect(try bench.store.offsets(of: partition).end == offset)
        }
        #expect(script.target.closed == 1)
    }

    @Test(
        "D2: a transactional sink is exactly once, whatever fails and whenever it is restarted",
        arguments: StoreKind.allCases
    )
    func exactlyOnce(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines, partitions: 2)
        // The target commits, the answer is lost, and the same records come again.
        let script = SinkScript(
            onWrite: { (script, _) throws(ConnectorError) in
                if script.target.opened.count == 1 { throw .passing }
            },
            afterCommit: { (commits) throws(ConnectorError) in
                if commits <= 2 { throw .passing }
            }
        )
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 0)
        #expect(script.target.opened.count >= 3)
        #expect(script.rows.count == 100)
        #expect(Set(script.rows) == Set(lines))
        let again = await bench.run(.sink("out", script))
        #expect(again.connector("out")?.records == 0)
        #expect(script.rows.count == 100)
    }

    @Test(
        "D6: a record among several batches that are refused together is found",
        arguments: StoreKind.allCases
    )
    func refusedTogether(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines, partitions: 2)
        let script = SinkScript(preferredRecords: 60, refusesTogether: true) { $0 == "70" }
        var values = RejectionTests.tolerant
        // No time is spent on it that a failure may take.
        values["errors.retry.timeout"] = "0"
        let summary = await bench.run(.sink("out", script, values))
        #expect(summary.exitCode == 0)
        #expect(summary.connector("out")?.rejected == 1)
        #expect(Set(script.rows) == Set(lines).subtracting(["70"]))
        #expect(script.rows.count == 99)
        #expect(script.target.answersEachBatch == [false, true])
        #expect(try bench.values("dead") == ["70"])
    }

    @Test(
        "D1: a sink without offsets of its own loses nothing when an answer is lost",
        arguments: StoreKind.allCases
    )
    func atLeastOnce(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines)
        let script = SinkScript(
            isTransactional: false,
            afterCommit: { (commits) throws(ConnectorError) in
                if commits == 1 { throw .passing }
            }
        )
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 0)
        #expect(Set(script.rows) == Set(lines))
        #expect(script.rows.count == 200, "the batch whose answer was lost was written again")
    }

    @Test("two tasks split the partitions between them", arguments: StoreKind.allCases)
    func twoTasks(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines, partitions: 5)
        let script = SinkScript()
        let summary = await bench.run(.sink("out", script, ["tasks.max": "2"]))
        #expect(summary.exitCode == 0)
        let opened = script.target.opened
        #expect(opened.count == 2)
        #expect(Set(opened.flatMap { $0 }).count == 5)
        #expect(opened.map(\.count).sorted() == [2, 3])
        #expect(Set(script.rows) == Set(lines))
    }

    @Test(
        "more tasks than partitions leave some without work, and all end",
        arguments: StoreKind.allCases
    )
    func idleTasks(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines)
        let script = SinkScript()
        let summary = await bench.run(.sink("out", script, ["tasks.max": "3"]))
        #expect(summary.exitCode == 0)
        #expect(script.target.opened.count == 1)
        #expect(script.rows == lines)
    }

    @Test(
        "starts at the end when told to, and stays there after a restart",
        arguments: StoreKind.allCases
    )
    func latest(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines)
        let values = ["consumer.override.auto.offset.reset": "latest"]
        let script = SinkScript(isTransactional: false)
        _ = await bench.run(.sink("out", script, values))
        #expect(script.rows.isEmpty)
        let source = SourceScript.counting(to: 3)
        let summary = await bench.run(.source("in", source), .sink("out", script, values))
        #expect(summary.exitCode == 0)
        #expect(script.rows == ["part-0:0", "part-0:1", "part-0:2"])
    }

    @Test("refuses to choose an offset when told not to, and a topic that was made anew")
    func impossibleOffsets() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", lines)
        let values = ["consumer.override.auto.offset.reset": "none"]
        let none = await bench.run(.sink("out", SinkScript(), values))
        #expect(none.exitCode == 2)
        let script = SinkScript()
        script.note { $0.offsets[TopicPartition("numbers", 0)] = 5_000 }
        let beyond = await bench.run(.sink("other", script))
        let error = try #require(beyond.connector("other")?.error)
        #expect(error.code.rawValue == "engine.offset_beyond_end")
        #expect(error.message.contains("5000") && error.message.contains("100"))
    }

    @Test(
        "a topic that does not exist and that nobody writes is an error, with a suggestion",
        arguments: StoreKind.allCases
    )
    func missingTopic(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", lines)
        let summary = await bench.run(.sink("out", SinkScript(), topics: "nubmers"))
        #expect(summary.exitCode == 2)
        #expect(summary.connector("out")?.error?.hint == "Did you mean `numbers`?")
    }

    @Test(
        "a pattern finds topics that are created while it runs, but not its own dead letters",
        arguments: StoreKind.allCases
    )
    func pattern(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let sink = SinkScript()
        let source = SourceScript { (run) async throws(ConnectorError) in
            for topic in ["a.one", "a.two", "b.three"] {
                let batch = run.outlet.makeBatch(topic: topic, schema: .opaque)
                batch.appendText(topic)
                let position = SourcePosition(partition: topic, offset: "1")
                try await run.outlet.send(batch, position: position)
                try await run.outlet.settle()
            }
        }
        let values = [
            "topics.regex": "a\\..*", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": "a.dead",
        ]
        // The pattern matches the name, so validation refuses it.
        let refused = await bench.run(.sink("out", sink, values))
        #expect(refused.exitCode == 2)
        let summary = await bench.run(
            .source("in", source, topic: nil),
            .sink("out", sink, ["topics.regex": "a\\..*"])
        )
        #expect(summary.exitCode == 0)
        #expect(sink.rows.sorted() == ["a.one", "a.two"])
    }

    @Test(
        "keys and values become fields, and a transform decides what goes on",
        arguments: StoreKind.allCases
    )
    func fields(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let source = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: Schema(["id", "drop"]))
            batch.append(["id": .int(1), "drop": .bool(false)])
            batch.append(["id": .int(2), "drop": .bool(true)])
            batch.append(["id": .int(3), "drop": .bool(false)])
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
        let transforms = ["transforms": "mark", "transforms.mark.type": "Mark"]
        let fields = SinkScript(input: .fields), opaque = SinkScript(input: .opaque)
        let summary = await bench.run(
            .source("in", source, ["key.fields": "id"]),
            .sink("fields", fields, transforms),
            .sink("opaque", opaque, transforms)
        )
        #expect(summary.exitCode == 0)
        #expect(
            fields.rows == ["id=1|id=1,drop=false,seen=true", "id=3|id=3,drop=false,seen=true"]
        )
        #expect(opaque.rows.first == "{\"id\":1}|{\"id\":1,\"drop\":false,\"seen\":true}")
        #expect(opaque.rows.count == 2)
    }

    @Test("records whose fields come in another order reach the sink in order")
    func fieldOrder() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", ["{\"a\":1,\"b\":2}", "{\"b\":3,\"a\":4}", "{\"a\":5}"])
        let script = SinkScript(input: .fields)
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 0)
        #expect(script.rows == ["a=1,b=2", "b=3,a=4", "a=5"])
    }
}
