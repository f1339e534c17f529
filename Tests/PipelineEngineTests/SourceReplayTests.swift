import ConnectorSDK
import Testing
import Topics

@testable import PipelineEngine

@Suite("Replaying what a source rejected")
struct SourceReplayTests {
    private static let marked = RejectionTests.tolerant.merging(
        ["transforms": "m", "transforms.m.type": "Mark"]
    ) { $1 }

    /// Sends one batch, once.
    private func once(
        _ schema: Schema = .opaque,
        _ fill: @escaping @Sendable (RecordBatch) -> Void
    ) -> SourceScript {
        let names = schema.names, isOpaque = schema.isOpaque
        return SourceScript { (run) async throws(ConnectorError) in
            guard run.positions.isEmpty else { return }
            let schema = isOpaque ? Schema.opaque : Schema(names)
            let batch = run.outlet.makeBatch(topic: "numbers", schema: schema)
            fill(batch)
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
    }

    /// Runs a source whose transform rejects its second record, which came as fields with a key.
    private func benchOfFields() async throws -> (EngineBench, ConnectorDefinition) {
        let bench = try EngineBench()
        // The timestamps are long ago, and retention must not have its way with them.
        var settings = TopicSettings()
        settings.retentionMilliseconds = -1
        try bench.store.create("numbers", partitions: 1, settings: settings)
        let script = once(Schema(["n", "fail"])) { batch in
            batch.addKeys(Schema(["id"]))
            for number in 1...3 {
                batch.append(["n": .int(Int64(number)), "fail": .bool(number == 2)])
                batch.keyRow(number - 1)?.pointee = .int(Int64(number))
                batch.metadata(number - 1).pointee.timestamp = 1_000 + Int64(number)
            }
        }
        let source = ConnectorDefinition.source("in", script, Self.marked)
        let summary = await bench.run(source)
        #expect(summary.connector("in")?.rejected == 1)
        return (bench, source)
    }

    private func letters(_ bench: EngineBench) throws -> [DeadLetter] {
        var found: [DeadLetter] = []
        try DeadLetters(store: bench.store).forEach(in: "dead") { (letter) throws(ConnectorError) in
            found.append(letter)
            return true
        }
        return found
    }

    // D6: the dead letter holds all of the record, and where it stood, it holds that record.
    @Test("a record that came as fields is kept with its key, and says that it is converted")
    func kept() async throws {
        let (bench, _) = try await benchOfFields()
        let letter = try #require(try letters(bench).first)
        #expect(letter.value.map { String(decoding: $0, as: UTF8.self) } == #"{"n":2,"fail":true}"#)
        #expect(letter.key.map { String(decoding: $0, as: UTF8.self) } == #"{"id":2}"#)
        #expect(letter.timestamp == 1_002)
        #expect(letter.context.isConverted)
        #expect(letter.context.partition == nil)
    }

    @Test("it goes through transforms and converters again, with its key and timestamp")
    func replayed() async throws {
        let (bench, source) = try await benchOfFields()
        let again = try bench.replay(source: source)
        #expect(again.replayed == 0)
        #expect(again.kept.map(\.reason.code.rawValue) == ["mark.failed"])
        #expect(try letters(bench).count == 1)

        let mended = Array(#"{"n":2,"fail":false}"#.utf8)
        #expect(try bench.replay(source: source, mended: mended).replayed == 1)
        let last = try #require(try bench.records("numbers").last)
        #expect(last.value == #"{"n":2,"fail":false,"seen":true}"#)
        #expect(last.key == #"{"id":2}"#)
        #expect(last.headers.isEmpty)
        #expect(try letters(bench).isEmpty)
        let place = TopicPartition("numbers", 0)
        #expect(try bench.store.offset(of: place, atOrAfter: 1_002) == 1, "by its timestamp")
    }

    @Test("the transforms are those that the source has now")
    func mendedConfiguration() async throws {
        let (bench, source) = try await benchOfFields()
        var without = source
        without.values["transforms"] = nil
        without.values["transforms.m.type"] = nil
        #expect(try bench.replay(source: without).replayed == 1)
        #expect(try bench.values("numbers").last == #"{"n":2,"fail":true}"#)
    }

    @Test(
        "a mended text that is no record, or more than one, is refused and the letter stays",
        arguments: ["", "{", "1 2"]
    )
    func notOne(_ text: String) async throws {
        let (bench, source) = try await benchOfFields()
        let outcome = try bench.replay(source: source, mended: Array(text.utf8))
        #expect(outcome.replayed == 0)
        #expect(outcome.kept.count == 1)
        #expect(try bench.records("numbers").count == 2)
        #expect(try letters(bench).count == 1)
    }

    @Test("the beginning of a record is not replayed, but the whole of it is")  // D6
    func cut() async throws {
        let bench = try EngineBench()
        let script = once { batch in
            var long = RejectedRecord(
                error: ConnectorError(.init("lines.too_long"), .rejectRecord, "Too long."),
                topic: "numbers",
                value: "begin".utf8
            )
            long.isCut = true
            batch.reject(long)
        }
        let source = ConnectorDefinition.source("in", script, RejectionTests.tolerant)
        _ = await bench.run(source)
        let outcome = try bench.replay(source: source)
        #expect(outcome.kept.map(\.reason.code.rawValue) == ["dlq.cut"])
        #expect(try bench.replay(source: source, mended: Array("beginning".utf8)).replayed == 1)
        #expect(try bench.values("numbers") == ["beginning"])
    }

    @Test("a source that is not in the pipeline any more is named")
    func noSource() async throws {
        let (bench, source) = try await benchOfFields()
        var other = source
        other.name = "other"
        let kept = try bench.replay(source: other).kept
        #expect(kept.map(\.reason.code.rawValue) == ["dlq.no_source"])
        #expect(kept.first?.reason.message.contains("`in`") == true)
    }

    @Test("a record that the source itself takes out of a batch is not taken for another")  // D6
    func ownRejection() async throws {
        let bench = try EngineBench()
        let script = once(Schema(["n"])) { batch in
            for number in 0..<3 { batch.append(["n": .int(Int64(number))]) }
            batch.reject(
                row: 1,
                ConnectorError(.init("source.odd"), .rejectRecord, "Odd.")
            )
        }
        _ = await bench.run(.source("in", script, RejectionTests.tolerant))
        let letter = try #require(try letters(bench).first)
        #expect(letter.value == [])
        #expect(letter.context.isCut)
    }
}

extension EngineBench {
    /// Replays dead letters of sinks.
    func replay(
        _ selection: DeadLetterSelection = DeadLetterSelection()
    ) throws -> ReplayOutcome {
        try DeadLetters(store: store).replay("dead", selection, catalog: Self.catalog) {
            (context) throws(ConnectorError) in
            throw .invalid("pipeline", "It is no source's.")
        }
    }

    /// Replays dead letters of a source as it is now.
    func replay(
        source: ConnectorDefinition,
        mended: [UInt8]? = nil
    ) throws -> ReplayOutcome {
        let pipeline = pipeline("test", [source])
        return try DeadLetters(store: store).replay(
            "dead",
            mended: mended,
            catalog: Self.catalog
        ) { (_) throws(ConnectorError) in pipeline }
    }
}
