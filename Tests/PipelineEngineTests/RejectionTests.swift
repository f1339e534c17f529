import ConnectorSDK
import TestServices
import Testing
import Topics

@testable import PipelineEngine

@Suite("Rejected records")
struct RejectionTests {
    static let tolerant = [
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
    ]

    private func source(
        _ change: @escaping @Sendable (RecordBatch) -> Void
    ) -> SourceScript {
        SourceScript { (run) async throws(ConnectorError) in
            guard run.positions.isEmpty else { return }
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            batch.origin = "inbox/a.csv"
            change(batch)
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
    }

    private static let unreadable = RejectedRecord(
        error: ConnectorError(.init("csv.quote"), .rejectRecord, "A quote is not closed."),
        topic: "numbers",
        value: "a,\"b".utf8,
        offset: 120,
        line: 3
    )

    @Test("D6: an unreadable line is a dead letter that says where it stood; the others go on")
    func unreadableLine() async throws {
        let bench = try EngineBench()
        let script = source { batch in
            batch.appendText("first")
            batch.reject(Self.unreadable)
            batch.appendText("last")
        }
        let summary = await bench.run(.source("in", script, Self.tolerant))
        #expect(summary.exitCode == 0)
        #expect(summary.connector("in")?.records == 2)
        #expect(summary.connector("in")?.rejected == 1)
        #expect(try bench.values("numbers") == ["first", "last"])
        let dead = try #require(try bench.records("dead").first)
        #expect(dead.value == "a,\"b")
        #expect(
            dead.headers == [
                "__connect.errors.topic": "numbers",
                "__connect.errors.connector.name": "in",
                "__connect.errors.task.id": "0",
                "__connect.errors.stage": "TASK_POLL",
                "__connect.errors.class.name": "scripted",
                "__connect.errors.exception.class.name": "csv.quote",
                "__connect.errors.exception.message": "A quote is not closed.",
                "millrace.errors.file": "inbox/a.csv",
                "millrace.errors.line": "3",
                "millrace.errors.byte": "120",
            ]
        )
        #expect(try bench.store.describe("dead")?.settings.retentionMilliseconds == -1)
    }

    @Test("D6: without tolerance it stops the task, names the place and keeps the batch out")
    func stops() async throws {
        let bench = try EngineBench()
        let script = source { batch in
            batch.appendText("first")
            batch.reject(Self.unreadable)
        }
        let summary = await bench.run(.source("in", script))
        #expect(summary.exitCode == 1)
        let error = try #require(summary.connector("in")?.error)
        #expect(
            error.message == "inbox/a.csv, line 3, byte 120: rejected in TASK_POLL by scripted: "
                + "A quote is not closed."
        )
        #expect(try bench.values("numbers").isEmpty)
        #expect(try bench.store.positions(of: "in").isEmpty)
    }

    @Test("tolerance without a dead letter topic is refused, for it would drop records")
    func noTopic() async throws {
        let bench = try EngineBench()
        let summary = await bench.run(
            .source("in", .counting(to: 1), ["errors.tolerance": "all"])
        )
        #expect(summary.exitCode == 2)
        #expect(
            summary.connector("in")?.error?.configurationKey
                == "errors.deadletterqueue.topic.name"
        )
    }

    @Test("a record of fields that a transform rejects is kept as JSON, as it was before")
    func fieldsRejected() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: Schema(["id", "fail"]))
            for id in 0..<4 { batch.append(["id": .int(Int64(id)), "fail": .bool(id == 2)]) }
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
        var values = Self.tolerant
        values["transforms"] = "a,b"
        values["transforms.a.type"] = "Mark"
        values["transforms.a.field"] = "early"
        values["transforms.b.type"] = "Mark"
        let summary = await bench.run(.source("in", script, values))
        #expect(summary.connector("in")?.error == nil)
        #expect(
            try bench.values("numbers").first
                == "{\"id\":0,\"fail\":false,\"early\":true,\"seen\":true}"
        )
        #expect(try bench.records("numbers").count == 3)
        #expect(try bench.values("dead") == ["{\"id\":2,\"fail\":true}"])
    }

    @Test("a record without a key field is rejected")
    func keyFieldMissing() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: Schema(["id", "n"]))
            batch.append(["id": .int(1), "n": .int(1)])
            batch.append(["id": .missing, "n": .int(2)])
            batch.append(["id": .null, "n": .int(3)])
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
        var values = Self.tolerant
        values["key.fields"] = "id"
        _ = await bench.run(.source("in", script, values))
        #expect(try bench.records("numbers").map(\.key) == ["{\"id\":1}", "{\"id\":null}"])
        #expect(try bench.values("dead") == ["{\"n\":2}"])
    }

    @Test(
        "D5, D6: a sink that refuses records gets all others, in order",
        arguments: [
            ["7"], ["0"], ["99"], ["3", "4", "5"], ["0", "50", "99"],
        ]
    )
    func narrowing(_ refused: [String]) async throws {
        let bench = try EngineBench()
        let lines = (0..<100).map { "\($0)" }
        try await bench.fill("numbers", lines)
        let script = SinkScript(refuses: { refused.contains($0) })
        let summary = await bench.run(.sink("out", script, Self.tolerant))
        #expect(summary.exitCode == 0)
        #expect(script.rows == lines.filter { !refused.contains($0) })
        #expect(summary.connector("out")?.rejected == Int64(refused.count))
        #expect(summary.connector("out")?.records == Int64(100 - refused.count))
        let dead = try bench.records("dead")
        #expect(dead.map(\.value) == refused)
        #expect(dead.map { $0.headers["__connect.errors.offset"] } == refused)
        #expect(dead.first?.headers["__connect.errors.topic"] == "numbers")
        #expect(dead.first?.headers["__connect.errors.partition"] == "0")
        #expect(dead.first?.headers["__connect.errors.stage"] == "TASK_PUT")
    }

    @Test("a sink's task that tolerates nothing stops with topic, partition and offset")
    func sinkStops() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", ["a", "b", "c"])
        let script = SinkScript(refuses: { $0 == "b" })
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 1)
        let message = summary.connector("out")?.error?.message
        #expect(message?.hasPrefix("numbers, partition 0, offset 1: rejected in TASK_PUT") == true)
        #expect(script.rows.isEmpty)
        #expect(script.target.closed == 1)
    }

    @Test("a sink's dead letters keep key, headers and timestamp")
    func original() async throws {
        let bench = try EngineBench()
        let source = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: Schema(["id", "fail"]))
            for id in 0..<3 {
                batch.append(["id": .int(Int64(id)), "fail": .bool(id == 1)])
                var headers: [UInt8] = []
                RecordHeaders.append("trace", "t\(id)", to: &headers)
                headers.withUnsafeBytes {
                    batch.metadata(id).pointee.headers = batch.arena.copy($0)
                }
                batch.metadata(id).pointee.headerCount = 1
            }
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
        var values = Self.tolerant
        values["transforms"] = "mark"
        values["transforms.mark.type"] = "Mark"
        let sink = SinkScript(input: .fields)
        let summary = await bench.run(
            .source("in", source, ["key.fields": "id"]),
            .sink("out", sink, values)
        )
        #expect(summary.exitCode == 0)
        #expect(sink.rows.count == 2)
        let dead = try #require(try bench.records("dead").first)
        #expect(dead.key == "{\"id\":1}")
        #expect(dead.value == "{\"id\":1,\"fail\":true}")
        #expect(dead.headers["trace"] == "t1")
        #expect(dead.headers["__connect.errors.stage"] == "TRANSFORMATION")
        #expect(dead.headers["__connect.errors.class.name"] == "Mark")
    }

    @Test("D3: dead letters are not doubled when the commit behind them fails")
    func notDoubled() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", (0..<20).map { "\($0)" })
        // The process would die between the dead letters and the commit: nothing is committed.
        let script = SinkScript(
            isTransactional: false,
            refuses: { ["3", "11"].contains($0) },
            afterCommit: { (commits) throws(ConnectorError) in
                if commits <= 2 { throw .passing }
            }
        )
        let summary = await bench.run(.sink("out", script, Self.tolerant))
        #expect(summary.exitCode == 0)
        #expect(script.target.opened.count == 3)
        #expect(try bench.values("dead") == ["3", "11"])
    }

    @Test("D6: after a reset of the offsets the same records are rejected again")
    func reset() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", (0..<20).map { "\($0)" })
        let script = SinkScript(isTransactional: false, refuses: { $0 == "3" })
        let sink = ConnectorDefinition.sink("out", script, Self.tolerant)
        _ = await bench.run(sink)
        try bench.store.commitGroupOffsets("connect-out", [TopicPartition("numbers", 0): 0])
        _ = await bench.run(sink)
        #expect(try bench.values("dead") == ["3", "3"])
    }

    @Test("too many rejected records stop the task before the dead letter topic is flooded")
    func breaker() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", (0..<100).map { "\($0)" })
        var values = Self.tolerant
        values["errors.deadletterqueue.breaker.rejected"] = "10"
        values["errors.deadletterqueue.breaker.window"] = "50"
        let script = SinkScript(refuses: { _ in true })
        let summary = await bench.run(.sink("out", script, values))
        #expect(summary.connector("out")?.error?.code.rawValue == "engine.too_many_rejected")
        #expect(try bench.values("dead").isEmpty)
        let few = SinkScript(refuses: { $0.hasSuffix("0") })
        let other = await bench.run(.sink("few", few, values))
        #expect(other.exitCode == 0)
        #expect(try bench.values("dead").count == 10)
    }

    @Test("D8: a secret that an error repeats reaches neither the summary nor a dead letter")
    func secrets() async throws {
        let bench = try EngineBench()
        try bench.directory.write("hunter2hunter2", to: "token")
        let error = ConnectorError(.init("x.y"), .rejectRecord, "No login with hunter2hunter2.")
        let script = source { batch in
            batch.reject(RejectedRecord(error: error, topic: "numbers", value: "x".utf8))
        }
        var values = Self.tolerant
        values["password"] = "${directory:.:token}"
        _ = await bench.run(.source("in", script, values))
        let dead = try #require(try bench.records("dead").first)
        let message = "__connect.errors.exception.message"
        #expect(dead.headers[message] == "No login with ${directory:.:token}.")
        let failing = await bench.run(
            .source("other", script, ["password": "${directory:.:token}"])
        )
        let shown = try #require(failing.connector("other")?.error)
        #expect(!shown.debugDescription.contains("hunter2"))
    }
}
