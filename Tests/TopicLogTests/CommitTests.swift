import ConnectorSDK
import Glibc
import Testing
import Topics

@testable import TopicLog

@Suite("Committing")
struct CommitTests {
    @Test("tickets count up from 1, and become durable in order")
    func tickets() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        let tickets = try (0..<10).map { try producer.submit([TestRecord(value: "\($0)")]) }
        #expect(tickets == Array(1...10))
        try producer.wait(10)
        #expect(try producer.durableTicket() == 10)
        let past = ContinuousClock.now
        #expect(try producer.waitUntilDurable(through: 11, deadline: past) == 10)
    }

    @Test("records and their position are durable together, wherever the process ends")
    func positionsAreAtomic() throws {
        // D3: a copy is taken between every write, every fdatasync and every commit.
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        try store.create("t", partitions: 2, settings: TopicSettings())
        let copies = Monitor<[ScratchStore]>([])
        files.setHook { _ in
            if let copy = try? scratch.copy() { copies.withLock { $0.append(copy) } }
        }
        let producer = try store.makeProducer()
        for number in 0..<6 {
            var unit = CommitUnit()
            for partition in 0..<2 {
                let batch = try producer.batch([TestRecord(value: "\(number)")])
                unit.batches.append((TopicPartition("t", Int32(partition)), batch))
            }
            let position = SourcePosition(partition: "p", offset: "\(number)")
            let part = SourcePosition(partition: "part-\(number)", offset: "")
            unit.positions = [("source", position), ("source", part)]
            unit.forgotten = [("source", "part-\(number - 1)")]
            unit.groupOffsets = [("g", TopicPartition("in", 0), Int64(number))]
            try producer.wait(try producer.submit(unit))
        }
        files.setHook(nil)
        let all = copies.withLock { $0 }
        #expect(all.count >= 6 * 4)
        for copy in all {
            let reopened = try copy.open()
            let position = try reopened.positions(of: "source")["p"].flatMap { Int($0) } ?? -1
            let parts = try reopened.positions(of: "source").keys.filter { $0 != "p" }
            #expect(parts == (position >= 0 ? ["part-\(position)"] : []))
            let expected = (0..<position + 1).map { "\($0)" }
            for partition in 0..<2 {
                #expect(try reopened.values(TopicPartition("t", Int32(partition))) == expected)
            }
            let offset = try reopened.groupOffsets("g")[TopicPartition("in", 0)] ?? -1
            #expect(offset == Int64(position))
            #expect(!reopened.recovery.findings.contains { $0.isLoss })
        }
    }

    @Test("nobody sees a record before it is durable")
    func readersStayBelowTheHighWatermark() throws {
        // D4: while fdatasync runs, the bytes are in the file, and neither a reader of this process
        // nor one of another sees them.
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        try producer.append(["old"])
        let size = try readFile(scratch.file()).count
        let seen = Monitor<[(values: [String], other: [String], bytes: Int)]>([])
        files.setHook { call in
            guard call == .synchronize, let other = try? scratch.open(.readOnly),
                let values = try? store.values(), let others = try? other.values(),
                let bytes = try? readFile(scratch.file()).count
            else { return }
            seen.withLock { $0.append((values, others, bytes)) }
        }
        try producer.append(["new"])
        files.setHook(nil)
        let first = try #require(seen.withLock { $0.first })
        #expect(first.values == ["old"])
        #expect(first.other == ["old"])
        #expect(first.bytes > size)
        #expect(try store.values() == ["old", "new"])
    }

    @Test("submit blocks while too many bytes wait, and goes on when they are durable")
    func backPressure() throws {
        // D7: the bytes in flight are bounded.
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let gate = Monitor(false)
        let store = try scratch.open {
            $0.operations = files.operations
            $0.bytesInFlight = 1_000
        }
        try store.create("t", partitions: 1, settings: TopicSettings())
        files.setHook { call in
            if call == .synchronize { _ = gate.wait { $0 ? true : nil } }
        }
        let submitted = Monitor(0)
        let thread = StoreThread("test") {
            guard let producer = try? store.makeProducer() else { return }
            for _ in 0..<5 {
                let value = String(repeating: "x", count: 600)
                _ = try? producer.submit([TestRecord(value: value)])
                submitted.update { $0 += 1 }
            }
            _ = try? producer.waitUntilDurable(through: 5, deadline: nil)
        }
        _ = submitted.wait { $0 >= 1 ? true : nil }
        let deadline = ContinuousClock.now + .milliseconds(50)
        #expect(submitted.wait(until: deadline, for: { $0 >= 2 ? true : nil }) == nil)
        gate.update { $0 = true }
        thread.join()
        #expect(submitted.withLock { $0 } == 5)
        #expect(try store.values().count == 5)
    }

    @Test("a batch larger than all bytes in flight is accepted by itself")
    func oversizedUnit() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open { $0.bytesInFlight = 10 }
        try store.create("t", partitions: 1, settings: TopicSettings())
        try store.makeProducer().append(numbered(0..<100))
        #expect(try store.values().count == 100)
    }

    @Test("what cannot be stored is refused before it costs others their group")
    func refusals() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.maxMessageBytes = 1_024
        try store.create("t", partitions: 1, settings: settings)
        settings.cleanupPolicy = .compact
        try store.create("keyed", partitions: 1, settings: settings)
        let producer = try store.makeProducer()
        let large = TestRecord(value: String(repeating: "x", count: 2_000))
        let cases: [(ConnectorError.Code, TopicPartition, TestRecord)] = [
            (.topicUnknown, TopicPartition("nope", 0), TestRecord(value: "a")),
            (.topicUnknown, TopicPartition("t", 1), TestRecord(value: "a")),
            (.topicUnknown, TopicPartition("t", -1), TestRecord(value: "a")),
            (.topicRecordTooLarge, TopicPartition("t", 0), large),
            (.topicKeyMissing, TopicPartition("keyed", 0), TestRecord(value: "a")),
        ]
        for (code, partition, record) in cases {
            let error = #expect(throws: ConnectorError.self) {
                try producer.submit([record], to: partition)
            }
            #expect(error?.code == code)
        }
        try producer.append(["still works"])
    }

    @Test("closing makes durable what was submitted, and ends everything else")
    func closing() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        for number in 0..<50 { try producer.submit([TestRecord(value: "\(number)")]) }
        store.close()
        store.close()
        #expect(try producer.durableTicket() == 50)
        let error = #expect(throws: ConnectorError.self) {
            try producer.submit([TestRecord(value: "late")])
        }
        #expect(error?.code == .topicsClosed)
        #expect(try scratch.open().values().count == 50)
    }

    @Test("a producer that is closed has no further effect")
    func closedProducer() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        producer.close()
        #expect(throws: ConnectorError.self) { try producer.submit([TestRecord(value: "a")]) }
        try store.makeProducer().append(["b"])
        #expect(try store.values() == ["b"])
    }

    @Test("durability os survives the end of the process, records and position alike")
    func lazyDurability() throws {
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        var settings = TopicSettings()
        settings.durability = .os
        try store.create("t", partitions: 1, settings: settings)
        let producer = try store.makeProducer()
        for number in 0..<5 { try producer.append(["\(number)"], position: "\(number)") }
        #expect(files.count(.synchronize) == 0)
        let directory = try scratch.copy()
        let copy = try directory.open()
        #expect(try copy.values().count == 5)
        #expect(try copy.positions(of: "source") == ["p": "4"])
    }
}
