import ConnectorSDK
import Testing
import Topics

@testable import TopicLog

@Suite("Compaction")
struct CompactionTests {
    static let partition = TopicPartition("t", 0)

    static func open(
        _ scratch: ScratchStore,
        change: (inout TopicSettings) -> Void = { _ in }
    ) throws -> EmbeddedTopicStore {
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.cleanupPolicy = .compact
        settings.segmentBytes = 1_000
        settings.minCleanableDirtyRatio = 0
        settings.deleteRetentionMilliseconds = 1_000
        change(&settings)
        try store.create("t", partitions: 1, settings: settings)
        return store
    }

    /// Appends records as batches of five.
    static func append(
        _ records: [TestRecord],
        to store: EmbeddedTopicStore,
        compression: TopicSettings.CompressionType = .none
    ) throws {
        let batches = stride(from: 0, to: records.count, by: 5).map { start in
            Array(records[start..<min(start + 5, records.count)])
        }
        try store.makeProducer().append(batches: batches, compression: compression)
    }

    /// What a reader who knows nothing else believes each key's value to be.
    static func table(_ records: [TestRecord]) -> [String: String] {
        var table: [String: String] = [:]
        for record in records { if let key = record.key { table[key] = record.value } }
        return table
    }

    @Test(
        "keeps the last record of each key, at its offset, whatever the codec",
        arguments: [
            TopicSettings.CompressionType.none, .lz4, .zstd,
        ]
    )
    func latest(compression: TopicSettings.CompressionType) throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        let records = (0..<300).map { number in
            TestRecord(
                offset: Int64(number),
                key: "key-\(number % 7)",
                value: "value-\(number)-" + String(repeating: "\(number)", count: number % 30),
                timestamp: Int64(number)
            )
        }
        try Self.append(records, to: store, compression: compression)
        let active = try #require(
            try SegmentFiles("\(scratch.path)/topics/t-0").baseOffsets.last
        )
        try store.runMaintenance(now: 1_000)
        let kept = try store.records()
        // Below the active segment the last of each key, from there on everything.
        let expected = records.filter { record in
            record.offset >= active
                || !records.contains {
                    $0.key == record.key && $0.offset > record.offset && $0.offset < active
                }
        }
        #expect(kept == expected)
        #expect(try store.offsets(of: Self.partition) == OffsetRange(start: 0, end: 300))
        for offset in stride(from: Int64(0), to: 300, by: 13) {
            #expect(try store.records(from: offset) == expected.filter { $0.offset >= offset })
        }
        // Once more there is nothing to do, and after more records it goes on.
        try store.runMaintenance(now: 2_000)
        #expect(try store.records() == expected)
        try Self.append(records, to: store, compression: compression)
        try store.runMaintenance(now: 3_000)
        let again = try store.records()
        #expect(Self.table(again) == Self.table(records))
        #expect(again.count < expected.count + 60)
        store.close()
        let report = try EmbeddedTopicStore.fsck(directory: scratch.path, repair: false)
        #expect(report.problems.isEmpty, "\(report)")
        let reopened = try scratch.open()
        #expect(reopened.recovery.findings.isEmpty)
        #expect(try reopened.records() == again)
    }

    @Test("a consumer that reads from 0 within delete.retention.ms sees every delete")
    func tombstones() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        var records = (0..<40).map { TestRecord(key: "k\($0)", value: "some value \($0)") }
        records += (0..<40).map { TestRecord(key: "k\($0)", value: nil) }
        records += (0..<60).map { TestRecord(key: "filler \($0)", value: "x") }
        try Self.append(records, to: store)
        // The consumer begins here, and is slow: it takes its first batch before the compaction.
        let reader = try store.makeReader(Self.partition, from: 0)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        _ = try reader.read(into: batch)
        var seen = batch.indices.map { TestRecord(batch, $0) }
        try store.runMaintenance(now: 10_000)
        try store.runMaintenance(now: 10_999)
        seen += try reader.readAll()
        #expect(Self.table(seen).keys.allSatisfy { $0.hasPrefix("filler") })
        // Another one begins within the time: values are gone, every delete is there.
        let deletes = try store.records().filter { $0.key?.hasPrefix("k") == true }
        #expect(deletes.map(\.key) == (0..<40).map { "k\($0)" })
        #expect(deletes.allSatisfy { $0.value == nil && $0.timestamp == 1_000 })
        // After the time, compaction has no more reason to keep them; it runs when there is dirt.
        try Self.append((0..<60).map { TestRecord(key: "more \($0)", value: "x") }, to: store)
        try store.runMaintenance(now: 11_000)
        #expect(try store.records().allSatisfy { $0.value != nil })
        #expect(try store.offsets(of: Self.partition) == OffsetRange(start: 0, end: 200))
    }

    @Test("a tombstone that a later value replaces goes at once")
    func revivedKey() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        var records = [TestRecord(key: "a", value: nil), TestRecord(key: "a", value: "back")]
        records += (0..<60).map { TestRecord(key: "filler \($0)", value: "x") }
        try Self.append(records, to: store)
        try store.runMaintenance(now: 1)
        let own = try store.records().filter { $0.key == "a" }
        #expect(own.map(\.value) == ["back"])
        #expect(own.map(\.offset) == [1])
    }

    @Test("memory for few keys makes several passes, and the same result")
    func boundedMemory() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        let records = (0..<1_000).map { number in
            TestRecord(key: "key-\(number % 400)", value: "\(number)")
        }
        try Self.append(records, to: store)
        store.close()
        let small = try scratch.open { $0.compactionMemory = 100 * 24 }
        for now in 0..<20 { try small.runMaintenance(now: Int64(now)) }
        let kept = try small.records()
        #expect(Self.table(kept) == Self.table(records))
        #expect(kept.count < 500)
    }

    @Test("segments that are active, too young or held for a sink are left alone")
    func limits() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch) { $0.minCompactionLagMilliseconds = 100 }
        let records = (0..<200).map { number in
            TestRecord(key: "k", value: "\(number)", timestamp: Int64(number))
        }
        try Self.append(records, to: store)
        try store.runMaintenance(now: 100)
        #expect(try store.records().count == 200)
        try store.commitGroupOffsets("connect-slow", [Self.partition: 10])
        try store.runMaintenance(now: 10_000)
        #expect(try store.records().count == 200)
        try store.commitGroupOffsets("connect-slow", [Self.partition: 120])
        try store.runMaintenance(now: 10_000)
        let kept = try store.records()
        #expect(kept.count < 200)
        #expect(kept.filter { $0.offset >= 120 }.count == 80)
    }

    @Test("waits until enough of the log is dirty")
    func dirtyRatio() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch) { $0.minCleanableDirtyRatio = 0.5 }
        let records = (0..<400).map { TestRecord(key: "k\($0)", value: "value \($0)") }
        try Self.append(records, to: store)
        try store.runMaintenance(now: 1)
        try Self.append(Array(records[..<100]), to: store)
        try store.runMaintenance(now: 2)
        #expect(try store.records().count == 500)
    }

    @Test("a crash at any step of the exchange of files loses nothing")
    func interruptedSwap() throws {
        // D10: there is a way back, or forward, from every step.
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        let records = (0..<200).map { TestRecord(key: "k\($0 % 5)", value: "value \($0)") }
        try Self.append(records, to: store)
        let before = try scratch.copy()
        try store.runMaintenance(now: 1)
        store.close()
        let cleaned = try readFile(scratch.file())
        let table = Self.table(records)
        for step in 0..<4 {
            let crashed = try ScratchStore()
            do { try before.copyFiles(to: crashed) }
            switch step {
            case 0: try writeFile(crashed.file(ending: ".log.cleaned"), Array(cleaned.dropLast(9)))
            case 1: try writeFile(crashed.file(ending: ".log.swap"), cleaned)
            case 2:
                try writeFile(crashed.file(ending: ".log.swap"), cleaned)
                try writeFile(crashed.file(ending: ".log.tmp"), [])
            default:
                try writeFile(crashed.file(ending: ".log.swap"), cleaned)
                try writeFile(crashed.file(), cleaned)
            }
            let reopened = try crashed.open()
            #expect(!reopened.recovery.findings.contains { $0.isLoss })
            #expect(Self.table(try reopened.records()) == table, "step \(step)")
            #expect(try reopened.offsets(of: Self.partition).end == 200)
            #expect(try crashed.files().allSatisfy { !$0.hasSuffix(".swap") })
            try reopened.runMaintenance(now: 2)
            #expect(Self.table(try reopened.records()) == table)
            reopened.close()
            let report = try EmbeddedTopicStore.fsck(directory: crashed.path, repair: false)
            #expect(report.problems.isEmpty, "step \(step): \(report)")
        }
    }

    @Test("a damaged new segment takes the place of nothing")
    func damagedSwap() throws {
        // D10: cut between batches, cut within one, changed, and empty.
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        let records = (0..<200).map { TestRecord(key: "k\($0 % 5)", value: "value \($0)") }
        try Self.append(records, to: store)
        store.close()
        let original = try readFile(scratch.file())
        // A batch's length stands behind its base offset, and counts from there.
        let first = 12 + original[8..<12].reduce(0) { $0 << 8 | Int($1) }
        #expect(first < original.count)
        var changed = original
        changed[first / 2] ^= 1
        let damaged = [
            Array(original[..<first]), Array(original.dropLast(9)), changed, [],
        ]
        for (number, bytes) in damaged.enumerated() {
            let crashed = try scratch.copy()
            try writeFile(crashed.file(ending: ".log.swap"), bytes)
            let look = try EmbeddedTopicStore.fsck(directory: crashed.path, repair: false)
            #expect(look.problems.map(\.kind) == [.leftover], "damage \(number): \(look)")
            let reopened = try crashed.open()
            #expect(try reopened.records().count == 200, "damage \(number)")
            #expect(reopened.recovery.findings.contains { $0.message.contains(".log.swap") })
            #expect(!reopened.recovery.findings.contains { $0.isLoss })
            reopened.close()
            #expect(try crashed.files().allSatisfy { !$0.hasSuffix(".swap") })
            let report = try EmbeddedTopicStore.fsck(directory: crashed.path, repair: false)
            #expect(report.problems.isEmpty, "damage \(number): \(report)")
        }
    }

    @Test("a disk without room leaves the log as it was")
    func fullDisk() throws {
        let scratch = try ScratchStore()
        do {
            let store = try Self.open(scratch)
            let records = (0..<200).map { TestRecord(key: "k\($0 % 5)", value: "value \($0)") }
            try Self.append(records, to: store)
            store.close()
        }
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        let before = try scratch.files()
        files.setBytesLeft(10)
        let error = #expect(throws: ConnectorError.self) { try store.runMaintenance(now: 1) }
        #expect(error?.code == .topicDiskFull)
        #expect(try scratch.files() == before)
        #expect(try store.records().count == 200)
        files.setBytesLeft(nil)
        try store.runMaintenance(now: 1)
        #expect(try store.records().count < 100)
    }

    @Test("damage is never copied: compaction stops with an error")
    func damage() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch)
        let records = (0..<200).map { TestRecord(key: "k\($0 % 5)", value: "value \($0)") }
        try Self.append(records, to: store)
        try flipByte(scratch.file(), at: 100)
        let error = #expect(throws: ConnectorError.self) { try store.runMaintenance(now: 1) }
        #expect(error?.code == .topicCorrupt)
        #expect(try store.records(from: 100).count == 100)
    }

    @Test("records without a key, from before the topic was compacted, stay")
    func withoutKey() throws {
        let scratch = try ScratchStore()
        let store = try Self.open(scratch) { $0.cleanupPolicy = .delete }
        try Self.append((0..<100).map { TestRecord(value: "no key \($0)") }, to: store)
        var settings = try #require(try store.describe("t")).settings
        settings.cleanupPolicy = .compact
        try store.alter("t", settings: settings)
        try Self.append((0..<100).map { TestRecord(key: "k", value: "\($0)") }, to: store)
        try store.runMaintenance(now: 1)
        let kept = try store.records()
        #expect(kept.filter { $0.key == nil }.count == 100)
        #expect(kept.count < 180)
    }

    @Test("the hash is SipHash-2-4-128")
    func hashVectors() {
        // The first vectors of the reference implementation: key 00...0f, message 00, 01, ...
        let hash = KeyHash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
        let expected: [(UInt64, UInt64)] = [
            (0xe6a8_25ba_047f_81a3, 0x9302_55c7_1472_f66d),
            (0x44af_996b_d8c1_87da, 0x45fc_229b_1159_7634),
        ]
        for (count, value) in expected.enumerated() {
            let message = (0..<UInt8(count)).map { $0 }
            let result = message.withUnsafeBytes { hash($0) }
            #expect(result == KeyHash.Value(low: value.0, high: value.1))
        }
    }
}
