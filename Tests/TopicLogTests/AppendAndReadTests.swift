import ConnectorSDK
import Testing
import Topics

@testable import TopicLog

@Suite("Appending and reading")
struct AppendAndReadTests {
    @Test("gives back what was appended, in order, also after reopening")
    func roundTrip() throws {
        let scratch = try ScratchStore()
        do {
            let store = try scratch.open()
            try store.create("t", partitions: 2, settings: TopicSettings())
            let producer = try store.makeProducer()
            try producer.append(numbered(0..<100))
            try producer.append(numbered(100..<150))
            try producer.append(["other"], to: TopicPartition("t", 1))
            #expect(try store.values() == numbered(0..<150))
            #expect(try store.values(TopicPartition("t", 1)) == ["other"])
            store.close()
        }
        let store = try scratch.open()
        #expect(store.recovery.findings.isEmpty)
        #expect(try store.values() == numbered(0..<150))
        #expect(try store.records().map(\.offset) == Array(0..<150))
        #expect(try store.offsets(of: TopicPartition("t", 0)) == OffsetRange(start: 0, end: 150))
        // D5: appending goes on where it ended.
        try store.makeProducer().append(["next"])
        #expect(try store.records(from: 149).map(\.value) == ["value-149", "next"])
    }

    @Test(
        "keeps keys, null values, timestamps and empty keys",
        arguments: [
            TopicSettings.CompressionType.none, .lz4, .zstd,
        ]
    )
    func recordParts(compression: TopicSettings.CompressionType) throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let records = [
            TestRecord(offset: 0, key: "a", value: "1", timestamp: 5),
            TestRecord(offset: 1, key: "b", value: nil, timestamp: 4),
            TestRecord(offset: 2, key: nil, value: String(repeating: "x", count: 10_000)),
            TestRecord(offset: 3, key: "", value: "", timestamp: -7),
        ]
        let producer = try store.makeProducer()
        try producer.wait(try producer.submit(records, compression: compression))
        #expect(try store.records() == records)
    }

    @Test("starts in the middle of a batch", arguments: [0, 1, 49, 50, 51, 99, 100, 149, 150])
    func startAnywhere(offset: Int64) throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        for start in [0, 50, 100] { try producer.append(numbered(start..<start + 50)) }
        let reader = try store.makeReader(TopicPartition("t", 0), from: offset)
        #expect(try reader.readAll().map(\.offset) == Array(offset..<150))
        #expect(reader.nextOffset == 150)
        try reader.seek(to: 20)
        #expect(try reader.readAll().count == 130)
    }

    @Test("a batch that is larger than the read buffer is read whole")
    func hugeRecord() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let huge = String(repeating: "y", count: 5 << 20)
        try store.makeProducer().append(["before", huge, "after"])
        try store.makeProducer().append(["last"])
        let values = try store.values()
        #expect(values == ["before", huge, "after", "last"])
        #expect(try store.values(from: 2) == ["after", "last"])
    }

    @Test("a reader goes on when there is more, and never blocks")
    func tailing() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let reader = try store.makeReader(TopicPartition("t", 0), from: 0)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try reader.read(into: batch) == 0)
        let producer = try store.makeProducer()
        for round in 0..<20 {
            try producer.append(["\(round)"])
            batch.reset(topic: "t")
            #expect(try reader.read(into: batch) == 1)
            #expect(TestRecord(batch, 0).value == "\(round)")
        }
    }

    @Test("a batch keeps its records while the reader goes on")
    func batchesKeepMemory() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        for start in stride(from: 0, to: 400, by: 100) {
            try producer.append(numbered(start..<start + 100))
        }
        let reader = try store.makeReader(TopicPartition("t", 0), from: 0)
        let first = RecordBatch(), rest = RecordBatch()
        first.reset(topic: "t")
        _ = try reader.read(into: first)
        rest.reset(topic: "t")
        while try reader.read(into: rest) > 0 { rest.reset(topic: "t") }
        #expect(first.indices.map { TestRecord(first, $0).value } == numbered(0..<first.count))
    }

    @Test("raises a signal for a partition that has new records, and for no other")
    func signals() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 2, settings: TopicSettings())
        let signal = AppendSignal()
        try store.add(signal, for: [TopicPartition("t", 1)])
        let producer = try store.makeProducer()
        try producer.append(["a"])
        #expect(!signal.wait(timeout: .zero))
        try producer.append(["a"], to: TopicPartition("t", 1))
        #expect(signal.wait(timeout: .seconds(5)))
        store.remove(signal)
        try producer.append(["a"], to: TopicPartition("t", 1))
        #expect(!signal.wait(timeout: .zero))
    }

    @Test("an offset outside the partition is an error with numbers", arguments: [-1, 4, 1_000])
    func outOfRange(offset: Int64) throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        try store.makeProducer().append(["a", "b", "c"])
        let reader = try store.makeReader(TopicPartition("t", 0), from: offset)
        let error = #expect(throws: ConnectorError.self) { try reader.readAll() }
        #expect(error?.code == .topicOffsetOutOfRange)
        #expect(error?.message.contains("\(offset) of t-0") == true)
        #expect(error?.message.contains("0 to 3") == true)
    }

    @Test("many producers and readers at once lose nothing and keep each producer's order")
    func concurrency() async throws {
        let scratch = try ScratchStore()
        let store = try scratch.open { $0.bytesInFlight = 4_096 }
        try store.create("t", partitions: 2, settings: TopicSettings())
        let rounds = 60
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                let partition = TopicPartition("t", Int32(number % 2))
                group.addTask {
                    let producer = try store.makeProducer()
                    var ticket: Int64 = 0
                    for round in 0..<rounds {
                        let record = TestRecord(value: "\(number) \(round)")
                        ticket = try producer.submit([record], to: partition)
                    }
                    try producer.wait(ticket)
                }
            }
            try await group.waitForAll()
        }
        for partition in 0..<2 {
            let values = try store.values(TopicPartition("t", Int32(partition)))
            #expect(values.count == 2 * rounds)
            for number in [partition, partition + 2] {
                let own = values.filter { $0.hasPrefix("\(number) ") }
                #expect(own == (0..<rounds).map { "\(number) \($0)" })
            }
        }
    }
}
