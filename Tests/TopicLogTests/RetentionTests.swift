import ConnectorSDK
import Testing
import Topics

@testable import TopicLog

@Suite("Retention")
struct RetentionTests {
    static let partition = TopicPartition("t", 0)

    /// Ten segments of ten records each; segment n has timestamps 1000 n + 0...9.
    static func tenSegments(_ change: (inout TopicSettings) -> Void) throws
        -> (ScratchStore, EmbeddedTopicStore)
    {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.segmentMilliseconds = 500
        settings.retentionMilliseconds = -1
        change(&settings)
        try store.create("t", partitions: 1, settings: settings)
        let batches = (0..<10).map { segment in
            (0..<10).map { number in
                TestRecord(value: "some text", timestamp: Int64(segment * 1_000 + number))
            }
        }
        try store.makeProducer().append(batches: batches)
        #expect(try SegmentFiles("\(scratch.path)/topics/t-0").baseOffsets.count == 10)
        return (scratch, store)
    }

    static let ages: [(Int64, Int64)] = [
        (0, 0), (2_009, 0), (2_010, 10), (5_010, 40), (10_009, 80), (11_009, 90), (11_010, 100),
        (.max, 100),
    ]

    @Test("removes segments whose newest record is too old", arguments: ages)
    func byTime(now: Int64, start: Int64) throws {
        let (scratch, store) = try Self.tenSegments { $0.retentionMilliseconds = 2_000 }
        // Segment n is too old when now exceeds 1000 n + 9 + 2000.
        try store.runMaintenance(now: now)
        #expect(try store.offsets(of: Self.partition) == OffsetRange(start: start, end: 100))
        let bases = try SegmentFiles("\(scratch.path)/topics/t-0").baseOffsets
        #expect(bases == stride(from: start, to: 100, by: 10).map { $0 })
        #expect(try store.records(from: start).count == 100 - Int(start))
        store.close()
        let reopened = try scratch.open()
        #expect(reopened.recovery.findings.isEmpty)
        #expect(
            try reopened.offsets(of: Self.partition) == OffsetRange(start: start, end: 100)
        )
        // Offsets go on where they were, also when every segment is gone.
        try reopened.makeProducer().append(["next"], timestamp: 99_999)
        #expect(try reopened.records(from: 100).map(\.offset) == [100])
    }

    @Test("removes the oldest segments while the rest is large enough")
    func bySize() throws {
        let (scratch, store) = try Self.tenSegments { _ in }
        let size = Int64(try readFile(scratch.file()).count)
        var settings = try #require(try store.describe("t")).settings
        for (limit, start) in [(10 * size, Int64(0)), (10 * size - 1, 0), (7 * size, 30)] {
            settings.retentionBytes = limit
            try store.alter("t", settings: settings)
            try store.runMaintenance(now: 0)
            #expect(try store.offsets(of: Self.partition).start == start)
        }
    }

    @Test("reading what retention has removed is an error with numbers")
    func lostRecords() throws {
        // D6: never silence.
        let (_, store) = try Self.tenSegments { $0.retentionMilliseconds = 2_000 }
        let reader = try store.makeReader(Self.partition, from: 0)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try reader.read(into: batch) > 0)
        let next = reader.nextOffset
        try store.runMaintenance(now: 5_010)
        if next < 40 {
            let error = #expect(throws: ConnectorError.self) { try reader.read(into: batch) }
            #expect(error?.code == .topicOffsetOutOfRange)
            #expect(error?.message.contains("\(40 - next) offsets were removed") == true)
            #expect(error?.message.contains("40 to 100") == true)
        }
        try reader.seek(to: 40)
        #expect(try reader.readAll().count == 60)
    }

    @Test("keeps what a registered sink has not read, and nothing for other groups")
    func holdForSinks() throws {
        let (_, store) = try Self.tenSegments { $0.retentionMilliseconds = 0 }
        try store.commitGroupOffsets("connect-slow", [Self.partition: 35])
        try store.commitGroupOffsets("connect-fast", [Self.partition: 80])
        try store.commitGroupOffsets("someone", [Self.partition: 0])
        try store.runMaintenance(now: 1_000_000)
        #expect(try store.offsets(of: Self.partition).start == 30)
        try store.commitGroupOffsets("connect-slow", [Self.partition: nil])
        try store.runMaintenance(now: 1_000_000)
        #expect(try store.offsets(of: Self.partition).start == 80)
        var settings = try #require(try store.describe("t")).settings
        settings.retentionHoldSinks = false
        try store.alter("t", settings: settings)
        try store.runMaintenance(now: 1_000_000)
        #expect(try store.offsets(of: Self.partition).start == 100)
    }

    @Test("a crash between the new start and the removal of files is made up for")
    func interrupted() throws {
        let (scratch, store) = try Self.tenSegments { $0.retentionMilliseconds = 2_000 }
        let old = try scratch.copy()
        try store.runMaintenance(now: 5_010)
        store.close()
        for base in stride(from: Int64(0), to: 40, by: 10) {
            try writeFile(scratch.file(base: base), try readFile(old.file(base: base)))
        }
        let reopened = try scratch.open()
        #expect(reopened.recovery.findings.allSatisfy { $0.kind == .leftover })
        #expect(try reopened.offsets(of: Self.partition).start == 40)
        #expect(!Directory.exists(scratch.file(base: 30)))
        #expect(throws: ConnectorError.self) { try reopened.values(from: 30) }
    }

    @Test("a reader that has a removed segment open is not disturbed by what follows")
    func readerKeepsFile() throws {
        let (_, store) = try Self.tenSegments { $0.retentionMilliseconds = 2_000 }
        let reader = try store.makeReader(Self.partition, from: 45)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        _ = try reader.read(into: batch)
        try store.runMaintenance(now: 5_010)
        var count = batch.count
        count += try reader.readAll().count
        #expect(count == 55)
    }
}
