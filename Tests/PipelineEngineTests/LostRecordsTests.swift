import ConnectorSDK
import PipelineEngine
import Testing
import Topics

/// D6: what retention removes before a sink has read it is an error with numbers.
@Suite("Records that retention removed unread")
struct LostRecordsTests {
    private static let partitions = [TopicPartition("numbers", 0), TopicPartition("numbers", 1)]

    private static func lines(_ numbers: Range<Int>) -> [String] { numbers.map { "\($0)" } }

    /// Two partitions, with a segment of ten records for each batch of twenty.
    private func makeBench() async throws -> EngineBench {
        let bench = try EngineBench()
        var settings = TopicSettings()
        settings.segmentBytes = 1
        settings.retentionHoldSinks = false
        try bench.store.create("numbers", partitions: 2, settings: settings)
        try await bench.fill("numbers", Self.lines(0..<20), partitions: 2)
        return bench
    }

    private func addThreeSegments(_ bench: EngineBench) async throws {
        for start in [20, 40, 60] {
            try await bench.fill("numbers", Self.lines(start..<start + 20), partitions: 2)
        }
    }

    /// Published as ClickHouse/clickhouse-kafka-connect#511 and apache/kafka#23252: the sink went on
    /// behind what retention had removed, without a word.
    @Test(
        "a sink stopped longer than retention fails with the numbers of what is lost",
        arguments: [true, false],
        ["earliest", "latest", "none"]
    )
    func tooLate(isTransactional: Bool, reset: String) async throws {
        let bench = try await makeBench()
        let first = reset == "none" ? "earliest" : reset
        let key = "consumer.override.auto.offset.reset"
        let script = SinkScript(isTransactional: isTransactional)
        _ = await bench.run(.sink("out", script, [key: first]))
        try await addThreeSegments(bench)
        let known = script.rows
        try bench.removeOldRecords(of: "numbers")
        let summary = await bench.run(.sink("out", script, [key: reset]))
        let error = try #require(summary.connector("out")?.error)
        #expect(error.code.rawValue == "engine.records_lost")
        #expect(summary.exitCode == 1)
        for partition in 0..<2 {
            let range = "partition \(partition): offsets 10 to 29 (20)"
            #expect(error.message.contains(range), "\(error)")
        }
        #expect(error.message.contains("removed 40 offsets"))
        #expect(error.hint?.contains("offsets reset out --lost") == true)
        #expect(script.rows == known, "nothing is written behind a gap")
    }

    @Test("what is removed while a sink reads stops it, and what it has written stays")
    func whileReading() async throws {
        let bench = try await makeBench()
        try await addThreeSegments(bench)
        let script = SinkScript(onWrite: { (script, _) throws(ConnectorError) in
            guard script.target.writes.isEmpty else { return }
            do {
                try bench.removeOldRecords(of: "numbers")
            } catch {
                throw ConnectorError(.init("test"), .failTask, "\(error)")
            }
        })
        let summary = await bench.run(.sink("out", script))
        let error = try #require(summary.connector("out")?.error)
        #expect(error.code.rawValue == "engine.records_lost")
        // The first partition was read up to 10, the second not at all.
        #expect(error.message.contains("partition 0: offsets 10 to 29 (20)"), "\(error)")
        #expect(error.message.contains("partition 1: offsets 0 to 29 (30)"), "\(error)")
        #expect(script.rows.count == 10)
        #expect(script.target.offsets[Self.partitions[0]] == 10)
    }

    @Test(
        "a reset lets the sink go on behind what is lost, and repeats nothing",
        arguments: [true, false]
    )
    func skipping(isTransactional: Bool) async throws {
        let bench = try await makeBench()
        let script = SinkScript(isTransactional: isTransactional)
        _ = await bench.run(.sink("out", script))
        #expect(try OffsetReset.skipLost(of: "out", in: bench.store).isEmpty)
        try await addThreeSegments(bench)
        try bench.removeOldRecords(of: "numbers")
        let starts = try OffsetReset.skipLost(of: "out", in: bench.store)
        #expect(starts == [Self.partitions[0]: 30, Self.partitions[1]: 30])
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 0)
        #expect(Set(script.rows) == Set(Self.lines(0..<20) + Self.lines(60..<80)))
        #expect(script.rows.count == 40)
        #expect(try bench.store.groups() == ["connect-out"])
    }

    @Test("a reset leaves a target alone that is further than its group")  // D2
    func targetIsFurther() async throws {
        let bench = try await makeBench()
        let script = SinkScript()
        try await addThreeSegments(bench)
        _ = await bench.run(.sink("out", script))
        // As after a crash between the target's commit and the group's.
        try bench.store.commitGroupOffsets("connect-out", [Self.partitions[0]: 20])
        try bench.removeOldRecords(of: "numbers")
        let starts = try OffsetReset.skipLost(of: "out", in: bench.store)
        #expect(starts == [Self.partitions[0]: 30])
        let summary = await bench.run(.sink("out", script))
        #expect(summary.exitCode == 0)
        #expect(script.rows.count == 80)
    }

    @Test("a sink learns that no records come")
    func idling() async throws {
        let bench = try await makeBench()
        let script = SinkScript()
        let source = SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            while !run.outlet.isStopping { try await run.outlet.idle(for: .milliseconds(20)) }
        }
        let runner = bench.runner([
            bench.pipeline("idle", [.source("in", source), .sink("out", script)])
        ])
        async let summary = runner.run()
        let deadline = ContinuousClock.now + .seconds(120)
        var attempts = 0
        while script.target.idled < 2, .now < deadline || attempts < 500 {
            attempts += 1
            try await Task.sleep(for: .milliseconds(20))
        }
        runner.stop()
        #expect(await summary.exitCode == 0)
        #expect(script.target.idled >= 2)
        #expect(script.rows.count == 20)
    }
}
