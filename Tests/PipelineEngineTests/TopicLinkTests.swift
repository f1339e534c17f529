import ConnectorSDK
import Testing
import TopicConnector
import Topics

@testable import PipelineEngine

@Suite("Topics into topics")
struct TopicLinkTests {
    private func link(
        _ kind: ConnectorDefinition.Kind,
        _ values: [String: String]
    ) -> ConnectorDefinition {
        ConnectorDefinition(name: "link", kind: kind, plugin: "topic", values: values)
    }

    @Test(
        "tasks share partitions, and those that come later are read",
        arguments: [1, 3],
        StoreKind.allCases
    )
    func tasks(_ tasks: Int, _ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", (0..<100).map(String.init), partitions: 4)
        let values = ["topics": "numbers,more", "topic": "all", "tasks.max": "\(tasks)"]
        let first = await bench.run(link(.source, values))
        #expect(first.connector("link")?.error != nil, "`more` does not exist yet")
        try await bench.fill("more", (100..<150).map(String.init), partitions: 2)
        let second = await bench.run(link(.source, values))
        #expect(second.exitCode == 0, "\(String(describing: second.connector("link")?.error))")
        #expect(try bench.records("all").count == 150)
        #expect(try bench.store.describe("all")?.partitions == 4)
        for partition in 0..<4 {
            let all = try bench.records("all").filter { $0.partition == Int32(partition) }
            let own = all.compactMap { $0.value.flatMap { Int($0) } }.filter { $0 < 100 }
            #expect(own == (0..<100).filter { $0 % 4 == partition }, "D5")
        }
    }

    // Each offset and the records up to it are one commit, so a link that fails between any two
    // commits goes on where the target ends.
    @Test(
        "D2, D3: a link goes on where its target ends",
        arguments: [true, false],
        StoreKind.allCases
    )
    func restarts(_ isSource: Bool, _ kind: StoreKind) async throws {
        let bench = try EngineBench(kind)
        try await bench.fill("numbers", (0..<3_000).map(String.init), partitions: 3)
        let values = ["topics": "numbers", "topic": "copy", "offset.flush.interval.ms": "1"]
            .filter { !isSource || $0.key != "offset.flush.interval.ms" }
        for stop in 0..<4 {
            let runner = bench.runner([
                bench.pipeline("p", [link(isSource ? .source : .sink, values)])
            ])
            async let summary = runner.run()
            // Somewhere in the middle, however fast the machine is.
            try await bench.waitForRecords(stop * 400, of: "copy")
            runner.stop()
            #expect(await summary.connector("link")?.error == nil)
        }
        let last = await bench.run(link(isSource ? .source : .sink, values))
        #expect(last.exitCode == 0)
        #expect(try bench.values("copy").count == 3_000)
        #expect(Set(try bench.values("copy")).count == 3_000)
        let group = try bench.store.groupOffsets("connect-link")
        #expect(group.count == 3)
        for (partition, offset) in group {
            // Behind the last record there may be a commit's offset.
            let behind = try bench.store.offsets(of: partition).end - offset
            #expect(behind == 0 || behind == 1 && kind == .kafka)
        }
    }

    @Test("latest begins behind what is there, and goes on from there later")
    func latest() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", ["1", "2"])
        let values = [
            "topics": "numbers", "topic": "copy", "consumer.override.auto.offset.reset": "latest",
        ]
        _ = await bench.run(link(.source, values))
        #expect(try bench.store.describe("copy") == nil)
        let store = bench.store
        let producer = try store.makeProducer()
        let builder = producer.makeBuilder()
        "3".utf8CString.withUnsafeBytes { bytes in
            builder.append(
                timestamp: 5,
                key: nil,
                value: UnsafeRawBufferPointer(rebasing: bytes.prefix(1))
            )
        }
        var unit = CommitUnit()
        let batch = try builder.finish(compression: .none, now: 5, timestampType: .createTime)
        unit.batches.append((TopicPartition("numbers", 0), batch))
        _ = try producer.waitUntilDurable(through: try producer.submit(unit), deadline: nil)
        _ = await bench.run(link(.source, values))
        #expect(try bench.values("copy") == ["3"])
    }

    @Test("D6: what retention removed before it was read is an error with numbers")
    func lost() async throws {
        let bench = try EngineBench()
        var settings = TopicSettings()
        settings.segmentBytes = 1
        settings.retentionHoldSinks = false
        try bench.store.create("numbers", partitions: 1, settings: settings)
        let values = ["topics": "numbers", "topic": "copy"]
        try await bench.fill("numbers", ["0", "1"])
        _ = await bench.run(link(.source, values))
        for start in [2, 4, 6] { try await bench.fill("numbers", ["\(start)", "\(start + 1)"]) }
        try bench.removeOldRecords(of: "numbers")
        let summary = await bench.run(link(.source, values))
        let error = try #require(summary.connector("link")?.error)
        #expect(error.code.rawValue == "engine.records_lost")
        #expect(
            error.message.contains("numbers, partition 0: offsets 2 to 5 (4)"),
            "\(error.message)"
        )
        #expect(try bench.values("copy") == ["0", "1"])
    }

    @Test("a key that no transform touches stays as it is, another one chooses the partition")
    func keys() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: "numbers", schema: Schema(["n"]))
            for number in 0..<30 {
                let row = batch.appendRow()
                batch[row, 0] = .int(Int64(number))
            }
            batch.addKeys(.opaque)
            for row in batch.indices {
                let text = Array("plain \(row % 7)".utf8)
                let bytes = text.withUnsafeBytes { batch.arena.copy($0) }
                batch.keyRow(row)?.pointee = .slice(.string, bytes)
            }
            let position = SourcePosition(partition: "p", offset: "1")
            try await run.outlet.send(batch, position: position)
        }
        let settings = TopicSettings()
        let topics = ["numbers", "kept", "changed"].map {
            TopicDefinition(name: $0, partitions: 4, settings: settings)
        }
        let marked = ["transforms": "m", "transforms.m.type": "Mark"]
        let summary = await bench.run(
            .source("in", script),
            ConnectorDefinition(
                name: "kept",
                kind: .source,
                plugin: "topic",
                values: ["topics": "numbers", "topic": "kept"].merging(marked) { $1 }
            ),
            ConnectorDefinition(
                name: "changed",
                kind: .source,
                plugin: "topic",
                values: ["topics": "numbers", "topic": "changed", "key.fields": "n"]
            ),
            topics: topics
        )
        #expect(summary.exitCode == 0)
        let original = try bench.records("numbers")
        let kept = try bench.records("kept")
        #expect(kept.map(\.key) == original.map(\.key))
        #expect(kept.map(\.partition) == original.map(\.partition))
        #expect(kept.allSatisfy { $0.value?.contains("\"seen\":true") ?? false })
        let changed = try bench.records("changed")
        #expect(Set(changed.compactMap(\.key)) == Set((0..<30).map { "{\"n\":\($0)}" }))
        for record in changed {
            let key = Array((record.key ?? "").utf8)
            let hash = key.withUnsafeBytes { Murmur2.partition(forKey: $0, count: 4) }
            #expect(record.partition == hash)
        }
    }
}
