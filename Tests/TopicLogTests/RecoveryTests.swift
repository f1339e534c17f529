import ConnectorSDK
import Glibc
import SQLiteClient
import Testing
import Topics

@testable import TopicLog

@Suite("Recovery")
struct RecoveryTests {
    /// A directory with three batches of five records in one segment.
    static func threeBatches() throws -> ScratchStore {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        for start in [0, 5, 10] { try producer.append(numbered(start..<start + 5)) }
        store.close()
        return scratch
    }

    @Test("bytes behind the committed end are dropped and reported", arguments: [1, 60, 61, 5_000])
    func uncommittedBytes(count: Int) throws {
        let scratch = try Self.threeBatches()
        let bytes = try readFile(scratch.file())
        // What follows may be garbage, zeros or the beginning of a batch: it makes no difference.
        for filler in [[UInt8](repeating: 0, count: count), Array(bytes.prefix(count))] {
            try writeFile(scratch.file(), bytes + filler)
            let store = try scratch.open()
            #expect(store.recovery.findings.map(\.kind) == [.uncommitted])
            #expect(try store.values() == numbered(0..<15))
            store.close()
            #expect(try readFile(scratch.file()) == bytes)
        }
    }

    @Test("a segment that was never committed is dropped and reported")
    func uncommittedSegment() throws {
        let scratch = try Self.threeBatches()
        try writeFile(scratch.file(base: 15), try readFile(scratch.file()))
        let store = try scratch.open()
        #expect(store.recovery.findings.map(\.kind) == [.uncommitted])
        #expect(try store.values() == numbered(0..<15))
        #expect(!Directory.exists(scratch.file(base: 15)))
        try store.makeProducer().append(["next"])
        #expect(try store.values(from: 15) == ["next"])
    }

    @Test("a damaged committed batch is an error with its offset, and never silently dropped")
    func damagedTail() throws {
        let scratch = try Self.threeBatches()
        let bytes = try readFile(scratch.file())
        let start = bytes.count / 3 * 2
        for position in stride(from: start, to: bytes.count, by: 7) {
            // Bytes 12 to 16 hold the leader epoch, which means nothing here and has no checksum.
            if (12..<16).contains(position - start) { continue }
            let copy = try scratch.copy()
            try flipByte(copy.file(), at: position)
            let store = try copy.open()
            #expect(store.recovery.findings.contains { $0.kind == .damage }, "byte \(position)")
            #expect(try store.offsets(of: TopicPartition("t", 0)).end == 15)
            let reader = try store.makeReader(TopicPartition("t", 0), from: 0)
            let batch = RecordBatch()
            batch.reset(topic: "t")
            #expect(try reader.read(into: batch) == 10, "byte \(position)")
            let error = #expect(throws: ConnectorError.self) { try reader.read(into: batch) }
            #expect(error?.code == .topicCorrupt)
            #expect(error?.message.contains("10") == true)
            // What is written from now on is not affected, and what there was is still there.
            try store.makeProducer().append(["next"])
            #expect(try store.values(from: 15) == ["next"])
            #expect(try readFile(copy.file()).count == bytes.count)
        }
    }

    @Test("a committed end that is missing is an error", arguments: [0, 1, 100, 200])
    func missingEnd(kept: Int) throws {
        let scratch = try Self.threeBatches()
        let bytes = try readFile(scratch.file())
        try writeFile(scratch.file(), Array(bytes.prefix(kept)))
        let store = try scratch.open()
        #expect(store.recovery.findings.contains { $0.kind == .damage })
        let error = #expect(throws: ConnectorError.self) { try store.values() }
        #expect(error?.code == .topicCorrupt)
        try store.makeProducer().append(["next"])
        #expect(try store.values(from: 15) == ["next"])
        store.close()
        // The damage is still reported the next time.
        #expect(throws: ConnectorError.self) { try scratch.open().values() }
    }

    @Test("a committed segment that is missing is an error")
    func missingSegment() throws {
        let scratch = try Self.threeBatches()
        try Directory.removeFile(scratch.file())
        let store = try scratch.open()
        #expect(store.recovery.findings.contains { $0.kind == .damage })
        let error = #expect(throws: ConnectorError.self) { try store.values() }
        #expect(error?.code == .topicCorrupt)
    }

    @Test("a power failure may take the end of a topic with durability os, and says so")
    func lostEnd() throws {
        let scratch = try ScratchStore()
        do {
            let store = try scratch.open()
            var settings = TopicSettings()
            settings.durability = .os
            try store.create("t", partitions: 1, settings: settings)
            for start in [0, 5, 10] {
                try store.makeProducer().append(numbered(start..<start + 5))
            }
            store.close()
        }
        let bytes = try readFile(scratch.file())
        let zeros = [UInt8](repeating: 0, count: bytes.count / 3)
        for content in [Array(bytes.dropLast(10)), Array(bytes.dropLast(zeros.count)) + zeros] {
            let copy = try scratch.copy()
            try writeFile(copy.file(), content)
            let store = try copy.open()
            #expect(store.recovery.findings.map(\.kind).contains(.lostEnd))
            #expect(try store.values() == numbered(0..<10))
            try store.makeProducer().append(["next"])
            #expect(try store.values(from: 10) == ["next"])
            store.close()
            #expect(try copy.open().recovery.findings.isEmpty)
        }
    }

    @Test(
        "indexes that are missing, short or wrong are built anew",
        arguments: [
            ".index", ".timeindex",
        ]
    )
    func indexes(ending: String) throws {
        let scratch = try ScratchStore()
        var settings = TopicSettings()
        settings.segmentBytes = 40_000
        do {
            let store = try scratch.open()
            try store.create("t", partitions: 1, settings: settings)
            for round in 0..<60 {
                let value = String(repeating: "v", count: 3_000) + "\(round)"
                try store.makeProducer().append([value], timestamp: Int64(round * 10))
            }
            store.close()
        }
        let bases = try SegmentFiles("\(scratch.path)/topics/t-0").baseOffsets
        #expect(bases.count > 3)
        for base in [bases[1], bases[bases.count - 1]] {
            let path = scratch.file(base: base, ending: ending)
            let good = try readFile(path)
            #expect(!good.isEmpty)
            let bad: [[UInt8]?] = [
                nil, [], [1, 2, 3], good + [9], good.map { $0 ^ 0xff }, Array(good.dropLast(5)),
            ]
            for bytes in bad {
                if let bytes { try writeFile(path, bytes) } else { try Directory.removeFile(path) }
                let store = try scratch.open()
                #expect(try store.values().count == 60)
                #expect(try store.values(from: base + 3).count == 60 - Int(base) - 3)
                let partition = TopicPartition("t", 0)
                #expect(try store.offset(of: partition, atOrAfter: 10 * (base + 2)) == base + 2)
                store.close()
                let report = try EmbeddedTopicStore.fsck(directory: scratch.path, repair: false)
                #expect(report.problems.isEmpty)
            }
        }
    }

    @Test("directories of no topic are reported and left alone")
    func unknownFiles() throws {
        let scratch = try Self.threeBatches()
        try Directory.create(scratch.path + "/topics/stray-0")
        try writeFile(scratch.path + "/topics/t-0/notes.txt", [1])
        let store = try scratch.open()
        #expect(store.recovery.findings.map(\.kind) == [.unknownFile, .unknownFile])
        #expect(Directory.exists(scratch.path + "/topics/stray-0"))
        #expect(Directory.exists(scratch.path + "/topics/t-0/notes.txt"))
    }

    @Test("a database of a later release is refused")
    func laterVersion() throws {
        let scratch = try Self.threeBatches()
        do {
            let state = try StateDatabase(directory: scratch.path, mode: .readWrite)
            try state.database.execute("PRAGMA user_version = 99")
        }
        for mode in [EmbeddedTopicStore.Mode.readWrite, .readOnly] {
            let error = #expect(throws: ConnectorError.self) { try scratch.open(mode) }
            #expect(error?.code == .topicState)
            #expect(error?.message.contains("later release") == true)
        }
    }
}
