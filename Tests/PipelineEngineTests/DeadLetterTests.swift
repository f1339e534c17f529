import ConnectorSDK
import Testing
import Topics

@testable import PipelineEngine

@Suite("Dead letters")
struct DeadLetterTests {
    private func bench() async throws -> EngineBench {
        let bench = try EngineBench()
        try await bench.fill("numbers", (0..<12).map { "\($0)" }, partitions: 3)
        let script = SinkScript(refuses: { ["2", "4", "5", "10"].contains($0) })
        _ = await bench.run(.sink("out", script, RejectionTests.tolerant))
        return bench
    }

    @Test("topics that hold dead letters are found, with how many are left")
    func list() async throws {
        let bench = try await bench()
        let letters = DeadLetters(store: bench.store)
        #expect(try letters.topics() == [DeadLetterTopic(name: "dead", count: 4)])
        try letters.discard("dead", DeadLetterSelection(limit: 1))
        #expect(try letters.topics() == [DeadLetterTopic(name: "dead", count: 3)])
    }

    @Test("each says where it came from")
    func context() async throws {
        let bench = try await bench()
        var found: [DeadLetter] = []
        try DeadLetters(store: bench.store).forEach(in: "dead") { (letter) throws(ConnectorError) in
            found.append(letter)
            return true
        }
        let two = try #require(found.first { $0.value == Array("2".utf8) })
        #expect(two.context.topic == "numbers")
        #expect(two.context.partition == 2)
        #expect(two.context.offset == 0)
        #expect(two.context.stage == "TASK_PUT")
        #expect(two.context.code == "scripted.refused")
        #expect(two.headers.isEmpty)
    }

    @Test("D5: replay puts them back into their partitions, in order, without the error headers")
    func replay() async throws {
        let bench = try await bench()
        let letters = DeadLetters(store: bench.store)
        #expect(try bench.replay(DeadLetterSelection(limit: 3)).replayed == 3)
        #expect(try bench.replay().replayed == 1)
        #expect(try bench.replay().replayed == 0)
        #expect(try letters.topics() == [DeadLetterTopic(name: "dead", count: 0)])
        let records = try bench.records("numbers")
        #expect(records.count == 16)
        #expect(records.allSatisfy { $0.headers.isEmpty })
        for partition in 0..<3 as Range<Int32> {
            let own = records.filter { $0.partition == partition }.compactMap(\.value)
            let original = (0..<12).filter { $0 % 3 == Int(partition) }.map { "\($0)" }
            let replayed = original.filter { ["2", "4", "5", "10"].contains($0) }
            #expect(own == original + replayed)
        }
        let mended = SinkScript()
        _ = await bench.run(.sink("out", mended, RejectionTests.tolerant))
        #expect(mended.rows.count == 16)
    }

    // D6
    @Test("what cannot be put back stays, with the reason, and the others are put back")
    func impossible() async throws {
        let bench = try await bench()
        try await bench.fill("others", ["a", "b"])
        let script = SinkScript(refuses: { $0 == "a" })
        _ = await bench.run(.sink("out", script, topics: "others", RejectionTests.tolerant))
        try bench.store.delete("numbers")
        let outcome = try bench.replay()
        #expect(outcome.replayed == 1)
        #expect(
            outcome.kept.map(\.reason.code.rawValue) == Array(repeating: "dlq.no_topic", count: 4)
        )
        #expect(try bench.values("others") == ["a", "b", "a"])
        let letters = DeadLetters(store: bench.store)
        #expect(try letters.topics() == [DeadLetterTopic(name: "dead", count: 4)])
        let unknown = try #require(throws: ConnectorError.self) { try letters.discard("daed") }
        #expect(unknown.hint == "Did you mean `dead`?")
    }

    @Test("one in the middle can be replayed, and one discarded, and the others stay")
    func one() async throws {
        let bench = try await bench()
        let letters = DeadLetters(store: bench.store)
        #expect(try bench.replay(DeadLetterSelection(offset: 2)).replayed == 1)
        #expect(try letters.discard("dead", DeadLetterSelection(offset: 1)) == 1)
        #expect(try letters.discard("dead", DeadLetterSelection(offset: 1)) == 0)
        #expect(try bench.replay(DeadLetterSelection(offset: 2)).replayed == 0)
        #expect(try letters.topics() == [DeadLetterTopic(name: "dead", count: 2)])
        #expect(try bench.replay().replayed == 2)
        #expect(try bench.records("numbers").count == 12 + 3)
    }

    @Test("headers survive encoding and decoding, empty and null values too")
    func headers() {
        var bytes: [UInt8] = []
        RecordHeaders.append("a", "x", to: &bytes)
        RecordHeaders.append("empty", [], to: &bytes)
        RecordHeaders.append("null", nil, to: &bytes)
        RecordHeaders.append("long", String(repeating: "y", count: 300), to: &bytes)
        let decoded = bytes.withUnsafeBytes { RecordHeaders.decode($0, count: 4) }
        #expect(decoded.map(\.key) == ["a", "empty", "null", "long"])
        #expect(decoded.map { $0.value?.count } == [1, 0, nil, 300])
        // D9: a length that lies ends the list and nothing else.
        let cut = Array(bytes.dropLast(10))
        #expect(cut.withUnsafeBytes { RecordHeaders.decode($0, count: 4) }.count == 3)
        let noise: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]
        #expect(noise.withUnsafeBytes { RecordHeaders.decode($0, count: 9) }.isEmpty)
    }

    @Test("a mark covers only what was rejected since the last commit, and not after a reset")
    func marks() throws {
        let mark = try #require(SinkDeadLetters.Mark("{\"next\":20,\"committed\":10}"))
        #expect(mark == SinkDeadLetters.Mark(next: 20, committed: 10))
        #expect(SinkDeadLetters.Mark(mark.text) == mark)
        #expect(mark.covers(10, committed: 10))
        #expect(mark.covers(19, committed: 10))
        #expect(!mark.covers(20, committed: 10))
        #expect(!mark.covers(12, committed: 15), "the group is past it: it is read on purpose")
        #expect(!mark.covers(15, committed: 0), "somebody reset the group")
        #expect(SinkDeadLetters.Mark("nonsense") == nil)
    }
}
