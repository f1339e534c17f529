import ConnectorSDK
import Foundation
import Testing
import Topics

@testable import PipelineEngine

@Suite("Source tasks")
struct SourceRunTests {
    @Test(
        "D5: records reach the topic in order, and the source is acknowledged",
        arguments: StoreKind.allCases
    )
    func order(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let script = SourceScript.counting(to: 95)
        let summary = await bench.run(.source("in", script))
        #expect(summary.exitCode == 0)
        #expect(try bench.values("numbers") == (0..<95).map { "part-0:\($0)" })
        #expect(script.log.acknowledged.last == SourcePosition(partition: "part-0", offset: "95"))
        let progress = try #require(summary.connector("in"))
        #expect(progress.state == .done)
        #expect(progress.records == 95)
        #expect(try bench.store.positions(of: "in") == ["part-0": "95"])
    }

    @Test("what was read counts as progress, whatever transforms leave of it")
    func progress() async throws {
        let bench = try EngineBench()
        let script = SourceScript(
            inputBytes: 1_000,
            body: SourceScript.counting(to: 10).body
        )
        let transforms = ["transforms": "drop", "transforms.drop.type": "Drop"]
        let summary = await bench.run(.source("in", script, transforms))
        let progress = try #require(summary.connector("in"))
        #expect(progress.bytes == 0)
        #expect(progress.readBytes == 10 * Int64("part-0:0".utf8.count))
        #expect(progress.totalBytes == 1_000)
    }

    @Test(
        "D1: nothing is acknowledged that the store has not made durable",
        arguments: StoreKind.allCases
    )
    func acknowledgements(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let store = bench.store
        let script = SourceScript(
            onAcknowledge: { (positions) throws(ConnectorError) in
                let durable = try store.positions(of: "in")
                for position in positions {
                    let known = durable[position.partition].flatMap { Int($0) } ?? -1
                    guard known >= Int(position.offset) ?? .max else {
                        throw ConnectorError(.init("test.early"), .failTask, "Too early.")
                    }
                }
            },
            body: SourceScript.counting(to: 300, batch: 3).body
        )
        let summary = await bench.run(.source("in", script))
        #expect(summary.connector("in")?.error == nil)
        #expect(script.log.acknowledged.last?.offset == "300")
    }

    @Test(
        "a part that a source forgets has no position any more, once the run is over",
        arguments: StoreKind.allCases
    )
    func forgets(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let script = SourceScript { (run) throws(ConnectorError) in
            let outlet = run.outlet
            for part in ["a", "b", "c"] {
                let position = SourcePosition(partition: part, offset: "1")
                try await outlet.advance(to: position)
            }
            try await outlet.forget("b")
            try await outlet.forget("never known")
            try await outlet.settle()
        }
        let summary = await bench.run(.source("in", script))
        #expect(summary.exitCode == 0)
        #expect(try bench.store.positions(of: "in") == ["a": "1", "c": "1"])
        #expect(script.log.acknowledged.map(\.partition).sorted() == ["a", "b", "c"])
    }

    @Test(
        "D3: after an error that may pass, a new instance goes on where the topic ends",
        arguments: StoreKind.allCases
    )
    func restart(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let script = SourceScript.counting(to: 100) { (attempt, number) throws(ConnectorError) in
            if attempt < 3, number >= 30 * (attempt + 1) { throw .passing }
        }
        let summary = await bench.run(.source("in", script))
        #expect(summary.exitCode == 0)
        #expect(script.log.attempts == 4)
        // Nothing lost, nothing doubled, whatever was durable when the error came.
        #expect(try bench.values("numbers") == (0..<100).map { "part-0:\($0)" })
        for positions in script.log.positions.dropFirst() {
            #expect(Int(positions["part-0"] ?? "0").map { $0 % 10 } == 0)
        }
    }

    @Test("fails with the error when it does not pass in time")
    func gaveUp() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (_) async throws(ConnectorError) in
            throw ConnectorError(.init("x.down"), .retry(after: .zero), "Down.", kind: .environment)
        }
        let values = ["errors.retry.timeout": "30ms"]
        let summary = await bench.run(.source("in", script, values))
        #expect(summary.connector("in")?.state == .failed)
        #expect(summary.connector("in")?.error?.code.rawValue == "x.down")
        #expect(summary.exitCode == 3)
        #expect(script.log.attempts >= 2)
    }

    @Test("two tasks share the work, each with positions of its own", arguments: StoreKind.allCases)
    func twoTasks(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let script = SourceScript.counting(to: 50)
        let values = ["tasks.max": "2", "topic.creation.default.partitions": "3"]
        let summary = await bench.run(.source("in", script, values))
        #expect(summary.connector("in")?.records == 100)
        #expect(try bench.store.describe("numbers")?.partitions == 3)
        let expected = (0..<2).flatMap { task in (0..<50).map { "part-\(task):\($0)" } }
        #expect(try Set(bench.values("numbers")) == Set(expected))
        #expect(try bench.store.positions(of: "in") == ["part-0": "50", "part-1": "50"])
    }

    @Test(
        "D5: records with one key stay in one partition, in source order",
        arguments: StoreKind.allCases
    )
    func keys(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let script = SourceScript { (run) async throws(ConnectorError) in
            for start in stride(from: 0, to: 200, by: 50) {
                let batch = run.outlet.makeBatch(topic: "numbers", schema: Schema(["id", "n"]))
                for number in start..<start + 50 {
                    batch.append(["id": .int(Int64(number % 7)), "n": .int(Int64(number))])
                }
                let position = SourcePosition(partition: "p", offset: "\(start)")
                try await run.outlet.send(batch, position: position)
            }
        }
        let values = ["key.fields": "id", "topic.creation.default.partitions": "4"]
        let summary = await bench.run(.source("in", script, values))
        #expect(summary.exitCode == 0)
        let records = try bench.records("numbers")
        #expect(records.count == 200)
        for key in 0..<7 {
            let own = records.filter { $0.key == "{\"id\":\(key)}" }
            #expect(Set(own.map(\.partition)).count == 1)
            let expected = (0..<200).filter { $0 % 7 == key }.map { "{\"id\":\(key),\"n\":\($0)}" }
            #expect(own.compactMap(\.value) == expected)
        }
    }

    @Test("a batch larger than the topic allows is split, and a record too large is rejected")
    func largeRecords() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            for number in 0..<40 {
                batch.appendText(String(repeating: "\(number % 10)", count: 200))
            }
            batch.appendText(String(repeating: "x", count: 3_000), line: 41, byte: 8_040)
            batch.appendText("last")
            let position = SourcePosition(partition: "p", offset: "1")
            try await run.outlet.send(batch, position: position)
        }
        let values = [
            "topic.creation.default.max.message.bytes": "2048", "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": "dead",
        ]
        let summary = await bench.run(.source("in", script, values))
        #expect(summary.exitCode == 0)
        let values2 = try bench.values("numbers")
        #expect(values2.count == 41)
        #expect(values2.last == "last")
        #expect(values2[13] == String(repeating: "3", count: 200))
        let dead = try #require(try bench.records("dead").first)
        #expect(dead.value?.count == 3_000)
        #expect(dead.headers["__connect.errors.stage"] == "KAFKA_PRODUCE")
        #expect(dead.headers["millrace.errors.line"] == "41")
        #expect(dead.headers["millrace.errors.byte"] == "8040")
    }

    @Test(
        "positions without records are stored too, and a partition that does not exist is refused"
    )
    func positionsAlone() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            try await run.outlet.advance(to: SourcePosition(partition: "file", offset: "end"))
            try await run.outlet.settle()
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            batch.appendText("x", line: 3, byte: 17)
            batch.origin = "inbox/a.txt"
            batch.metadata(0).pointee.partition = 9
            let position = SourcePosition(partition: "file", offset: "more")
            try await run.outlet.send(batch, position: position)
        }
        let summary = await bench.run(.source("in", script))
        #expect(try bench.store.positions(of: "in") == ["file": "end"])
        let error = try #require(summary.connector("in")?.error)
        #expect(error.message.hasPrefix("inbox/a.txt, line 3, byte 17: rejected in KAFKA_PRODUCE"))
        #expect(error.hint?.contains("errors.tolerance: all") == true)
    }

    @Test("D3: batches of several topics and the position after them are one commit")
    func severalTopics() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            let start = Int(run.positions["log"] ?? "0") ?? 0
            for number in start..<20 {
                let batches = ["even", "odd"].map { topic in
                    let batch = run.outlet.makeBatch(topic: topic, schema: .opaque)
                    batch.appendText("\(number)")
                    return batch
                }
                if number == 11, run.attempt == 0 {
                    // Too large for its topic: what stands before it must not arrive either.
                    batches[1].appendText(String(repeating: "x", count: 5_000))
                }
                let position = SourcePosition(partition: "log", offset: "\(number + 1)")
                do throws(ConnectorError) {
                    try await run.outlet.send(batches, position: position)
                } catch {
                    throw .passing
                }
            }
        }
        let values = ["topic.creation.default.max.message.bytes": "2048"]
        let summary = await bench.run(.source("in", script, values))
        #expect(summary.exitCode == 0)
        for topic in ["even", "odd"] {
            #expect(try bench.values(topic) == (0..<20).map { "\($0)" })
        }
        #expect(try bench.store.positions(of: "in") == ["log": "20"])
    }

    @Test("a waker ends idling from another thread, or the next idling", .timeLimit(.minutes(10)))
    func waker() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            let wake = run.outlet.makeWaker()
            wake()
            try await run.outlet.idle(for: .seconds(600))
            let thread = Thread { wake() }
            thread.start()
            try await run.outlet.idle(for: .seconds(600))
        }
        let summary = await bench.run(.source("in", script))
        #expect(summary.exitCode == 0)
    }

    @Test(
        "idling ends when the run stops, and acknowledges what became durable meanwhile",
        .timeLimit(.minutes(10))
    )
    func idle() async throws {
        let bench = try EngineBench()
        let script = SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            batch.appendText("one")
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
            while !run.outlet.isStopping { try await run.outlet.idle(for: .seconds(600)) }
        }
        let sink = SinkScript()
        let runner = bench.runner([
            bench.pipeline("test", [.source("in", script), .sink("out", sink)])
        ])
        async let summary = runner.run()
        while script.log.acknowledged.isEmpty || sink.rows.isEmpty { await Task.yield() }
        runner.stop()
        runner.stop()
        let ended = await summary
        #expect(ended.exitCode == 0)
        #expect(ended.connector("in")?.state == .stopped)
        #expect(sink.rows == ["one"])
    }
}
