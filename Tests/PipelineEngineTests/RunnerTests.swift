import ConnectorSDK
import Testing
import Topics

@testable import PipelineEngine

@Suite("Runs")
struct RunnerTests {
    @Test(
        "a sink gets all that a source brings while both run, and the run ends",
        arguments: StoreKind.allCases
    )
    func together(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let sink = SinkScript()
        let summary = await bench.run(
            .source("in", .counting(to: 5_000, batch: 100)),
            .sink("out", sink)
        )
        #expect(summary.exitCode == 0)
        #expect(sink.rows == (0..<5_000).map { "part-0:\($0)" })
        #expect(summary.pipelines.map(\.name) == ["test"])
        #expect(summary.pipelines[0].connectors.map(\.state) == [.done, .done])
        #expect(summary.connector("out")?.records == 5_000)
    }

    @Test("a second run finds nothing to do", arguments: StoreKind.allCases)
    func again(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let source = SourceScript.counting(to: 30), sink = SinkScript()
        for _ in 0..<2 { _ = await bench.run(.source("in", source), .sink("out", sink)) }
        #expect(sink.rows.count == 30)
        #expect(try bench.values("numbers").count == 30)
    }

    @Test(
        "a failing sink ends neither the source nor the other sink",
        arguments: StoreKind.allCases
    )
    func failingSink(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let good = SinkScript()
        let bad = SinkScript(onWrite: { (_, _) throws(ConnectorError) in
            throw ConnectorError(.init("x.full"), .failTask, "Full.", kind: .environment)
        })
        let summary = await bench.run(
            .source("in", .counting(to: 100)),
            .sink("bad", bad),
            .sink("good", good)
        )
        #expect(summary.exitCode == 3)
        #expect(summary.connector("bad")?.state == .failed)
        #expect(summary.connector("good")?.state == .done)
        #expect(summary.connector("in")?.state == .done)
        #expect(good.rows.count == 100)
        #expect(bad.target.closed == 1)
    }

    @Test("sinks write what a failed source brought, and end", arguments: StoreKind.allCases)
    func failingSource(_ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        let source = SourceScript.counting(to: 100) { (_, number) throws(ConnectorError) in
            if number == 50 { throw ConnectorError(.init("x.bad"), .failTask, "Bad.") }
        }
        let sink = SinkScript()
        let summary = await bench.run(.source("in", source), .sink("out", sink))
        #expect(summary.exitCode == 1)
        #expect(summary.connector("out")?.state == .done)
        #expect(sink.rows.count <= 50)
        #expect(try bench.values("numbers").count == sink.rows.count)
    }

    @Test("one pipeline's wrong configuration does not keep another from running")
    func pipelines() async throws {
        let bench = try EngineBench()
        let sink = SinkScript()
        let good = bench.pipeline("good", [.source("in", .counting(to: 10)), .sink("out", sink)])
        var bad = bench.pipeline("bad", [.source("other", .counting(to: 10), ["topik": "x"])])
        bad.connectors.append(ConnectorDefinition(name: "csw", kind: .source, plugin: "scriptd"))
        let summary = await bench.runner([bad, good]).run()
        #expect(summary.exitCode == 2)
        #expect(summary.connector("other")?.error?.hint == "Did you mean `topic`?")
        #expect(summary.connector("csw")?.error?.hint == "Did you mean `scripted`?")
        #expect(sink.rows.count == 10)
    }

    @Test("a connector's name can be used once, for its positions are kept by it")
    func names() async throws {
        let bench = try EngineBench()
        let one = bench.pipeline("one", [.source("in", .counting(to: 10))])
        let two = bench.pipeline("two", [.source("in", .counting(to: 10))])
        let summary = await bench.runner([one, two]).run()
        #expect(summary.pipelines.map { $0.connectors.map(\.state) } == [[.done], [.failed]])
    }

    @Test("declared topics are created as declared, and a different count is refused")
    func topics() async throws {
        let bench = try EngineBench()
        var settings = TopicSettings()
        settings.retentionMilliseconds = 7
        let declared = TopicDefinition(name: "numbers", partitions: 4, settings: settings)
        let source = SourceScript.counting(to: 10)
        _ = await bench.run(.source("in", source), topics: [declared])
        #expect(try bench.store.describe("numbers")?.partitions == 4)
        #expect(try bench.store.describe("numbers")?.settings == settings)
        var altered = declared
        altered.settings.retentionMilliseconds = 8
        _ = await bench.run(.source("in", source), topics: [altered])
        #expect(try bench.store.describe("numbers")?.settings.retentionMilliseconds == 8)
        let other = TopicDefinition(name: "numbers", partitions: 5, settings: settings)
        let refused = await bench.run(.source("in", source), topics: [other])
        #expect(refused.exitCode == 2)
        let message = refused.connector("in")?.error?.message
        #expect(message?.contains("has 4 partitions, and 5 are declared") == true)
    }

    @Test(
        "a stop lets sinks write what the run brought, and ends an endless source",
        .timeLimit(.minutes(10))
    )
    func stop() async throws {
        let bench = try EngineBench()
        let source = SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            var next = 0
            while !run.outlet.isStopping {
                let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
                for _ in 0..<10 {
                    batch.appendText("\(next)")
                    next += 1
                }
                let position = SourcePosition(partition: "p", offset: "\(next)")
                try await run.outlet.send(batch, position: position)
            }
        }
        let sink = SinkScript()
        let pipeline = bench.pipeline("test", [.source("in", source), .sink("out", sink)])
        let runner = bench.runner([pipeline])
        async let summary = runner.run()
        while sink.rows.count < 100 { await Task.yield() }
        runner.stop()
        let ended = await summary
        #expect(ended.exitCode == 0)
        #expect(ended.connector("in")?.state == .stopped)
        #expect(ended.connector("out")?.state == .stopped)
        #expect(try bench.values("numbers") == sink.rows)
        #expect(ended.connector("out")?.lag == 0)
    }

    @Test("a stop ends a task that waits to try again", .timeLimit(.minutes(10)))
    func stopWhileWaiting() async throws {
        let bench = try EngineBench()
        let source = SourceScript { (_) async throws(ConnectorError) in
            throw ConnectorError(.init("x.down"), .retry(after: .seconds(3_600)), "Down.")
        }
        let runner = bench.runner([bench.pipeline("test", [.source("in", source)])])
        async let summary = runner.run()
        while runner.progress().first?.state != .restarting { await Task.yield() }
        #expect(runner.progress().first?.error?.code.rawValue == "x.down")
        runner.stop()
        #expect(await summary.connector("in")?.state == .stopped)
    }

    @Test("an endless source counts as bounded when the run is until the end")
    func untilEnd() async throws {
        let bench = try EngineBench()
        let source = SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            #expect(run.context.untilEnd)
        }
        try await bench.fill("numbers", ["a"])
        let sink = SinkScript()
        let connectors = [
            ConnectorDefinition.source("in", source, topic: "other"), .sink("out", sink),
        ]
        let summary = await bench.runner([bench.pipeline("test", connectors)], untilEnd: true).run()
        #expect(summary.exitCode == 0)
        #expect(sink.rows == ["a"])
    }

    @Test("dead letters of one sink reach the sink of their topic in the same run")
    func deadLetterSink() async throws {
        let bench = try EngineBench()
        let sink = SinkScript(refuses: { $0.hasSuffix("5") }), archive = SinkScript()
        let summary = await bench.run(
            .source("in", .counting(to: 20)),
            .sink("out", sink, RejectionTests.tolerant),
            .sink("archive", archive, topics: "dead")
        )
        #expect(summary.exitCode == 0)
        #expect(sink.rows.count == 18)
        #expect(archive.rows == ["part-0:5", "part-0:15"])
    }
}
