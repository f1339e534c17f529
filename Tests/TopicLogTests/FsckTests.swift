import ConnectorSDK
import Testing
import Topics

@testable import TopicLog

@Suite("fsck")
struct FsckTests {
    static let partition = TopicPartition("t", 0)

    /// Five segments of four batches of five records.
    static func fiveSegments() throws -> ScratchStore {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.segmentBytes = 720
        try store.create("t", partitions: 1, settings: settings)
        let batches = (0..<20).map { round in
            (0..<5).map { number in
                let value = "the value of \(round * 5 + number)".padded(to: 16)
                return TestRecord(value: value, timestamp: Int64(round))
            }
        }
        try store.makeProducer().append(batches: batches)
        store.close()
        return scratch
    }

    static func check(
        _ scratch: ScratchStore,
        repair: Bool = false,
        quarantine: Bool = false
    ) throws -> FsckReport {
        try EmbeddedTopicStore.fsck(
            directory: scratch.path,
            repair: repair,
            quarantine: quarantine
        )
    }

    @Test("finds nothing in a sound directory, and counts what it read")
    func sound() throws {
        let scratch = try Self.fiveSegments()
        let report = try Self.check(scratch)
        #expect(report.problems.isEmpty, "\(report)")
        #expect(report.isClean)
        #expect(report.topics == 1)
        #expect(report.partitions == 1)
        #expect(report.segments == 5)
        #expect(report.batches == 20)
        #expect(report.records == 100)
        #expect(report.description.contains("Found no problem."))
    }

    @Test("looks while a worker writes, and repairs only when it does not")
    func live() throws {
        let scratch = try Self.fiveSegments()
        let store = try scratch.open()
        try store.makeProducer().append(["a"])
        let report = try Self.check(scratch)
        #expect(report.isLive)
        #expect(report.problems.isEmpty, "\(report)")
        let error = #expect(throws: ConnectorError.self) { try Self.check(scratch, repair: true) }
        #expect(error?.code == .topicsLocked)
    }

    @Test("needs a data directory")
    func noDirectory() throws {
        let scratch = try ScratchStore()
        #expect(throws: ConnectorError.self) { try Self.check(scratch) }
    }

    /// What can be wrong that a repair puts right without losing anything.
    static let repairable: [(FsckReport.Problem.Kind, @Sendable (ScratchStore) throws -> Void)] = [
        (.index, { try Directory.removeFile($0.file(base: 20, ending: ".index")) }),
        (.index, { try Directory.removeFile($0.file(base: 80, ending: ".timeindex")) }),
        (.index, { try writeFile($0.file(base: 0, ending: ".timeindex"), [1, 2]) }),
        (.index, { try flipByte($0.file(base: 40, ending: ".timeindex"), at: 3) }),
        (.uncommitted, { try writeFile($0.file(base: 100), [1, 2, 3]) }),
        (
            .uncommitted,
            { try writeFile($0.file(base: 80), try readFile($0.file(base: 80)) + [0]) }
        ),
        (.leftover, { try writeFile($0.file(base: 20, ending: ".log.cleaned"), [1]) }),
    ]

    @Test("finds and repairs what loses nothing", arguments: repairable.indices)
    func repairs(index: Int) throws {
        let (kind, damage) = Self.repairable[index]
        let scratch = try Self.fiveSegments()
        try damage(scratch)
        let found = try Self.check(scratch)
        #expect(found.problems.map(\.kind) == [kind], "\(found)")
        #expect(!found.isClean)
        #expect(!found.problems.contains { $0.isLoss })
        let repaired = try Self.check(scratch, repair: true)
        #expect(repaired.isClean, "\(repaired)")
        #expect(repaired.problems.map(\.kind) == [kind])
        #expect(try Self.check(scratch).problems.isEmpty)
        #expect(try scratch.open().records().count == 100)
    }

    /// What is lost for good, with the offsets that cannot be read.
    static let lossCases: [(Range<Int64>, @Sendable (ScratchStore) throws -> Void)] = [
        (25..<30, { try $0.damage(base: 20, batch: 1, at: 80) }),
        (20..<25, { try $0.damage(base: 20, batch: 0, at: 17) }),
        (35..<40, { try $0.damage(base: 20, batch: 3, at: 16) }),
        (25..<30, { try $0.damage(base: 20, batch: 1, at: 8) }),
        (25..<30, { try $0.damage(base: 20, batch: 1, at: 11) }),
        (25..<30, { try $0.damage(base: 20, batch: 1, at: 0) }),
        (95..<100, { try $0.damage(base: 80, batch: 3, at: 100) }),
        (0..<5, { try $0.damage(base: 0, batch: 0, at: 30) }),
        (20..<40, { try Directory.removeFile($0.file(base: 20)) }),
        (0..<20, { try Directory.removeFile($0.file(base: 0)) }),
        (80..<100, { try Directory.removeFile($0.file(base: 80)) }),
        (
            95..<100,
            { scratch in
                let bytes = try readFile(scratch.file(base: 80))
                try writeFile(scratch.file(base: 80), Array(bytes.dropLast(1)))
            }
        ),
        (
            25..<30,
            { scratch in
                var bytes = try readFile(scratch.file(base: 20))
                let size = bytes.count / 4
                bytes.removeSubrange(size..<2 * size)
                try writeFile(scratch.file(base: 20), bytes)
            }
        ),
    ]

    @Test(
        "names the offsets that are lost, and changes nothing unless asked",
        arguments: lossCases.indices
    )
    func losses(index: Int) throws {
        let (offsets, damage) = Self.lossCases[index]
        let scratch = try Self.fiveSegments()
        try damage(scratch)
        let before = try scratch.files()
        for repair in [false, true] {
            let report = try Self.check(scratch, repair: repair)
            let losses = report.problems.filter(\.isLoss)
            #expect(losses.map(\.offsets) == [offsets], "\(report)")
            #expect(!report.isClean)
        }
        #expect(
            try scratch.files().filter { $0.hasSuffix(".log") }
                == before.filter { $0.hasSuffix(".log") }
        )
        // Put aside: what is left can be read, offsets are what they were, the original is kept.
        let report = try Self.check(scratch, repair: true, quarantine: true)
        #expect(report.isClean, "\(report)")
        #expect(try Self.check(scratch).problems.isEmpty)
        let store = try scratch.open()
        #expect(!store.recovery.findings.contains { $0.isLoss })
        let expected = (0..<100).filter { !offsets.contains($0) }
        #expect(try store.records().map(\.offset) == expected.map { Int64($0) })
        #expect(try store.offsets(of: Self.partition) == OffsetRange(start: 0, end: 100))
        try store.makeProducer().append(["next"])
        #expect(try store.records(from: 95).last?.offset == 100)
        let isKept = try scratch.files().contains { $0.hasSuffix(".corrupt") }
        let damaged = SegmentName.stem(offsets.lowerBound / 20 * 20) + ".log"
        #expect(isKept || !before.contains(damaged))
    }

    @Test("reports files and directories of no topic")
    func unknownFiles() throws {
        let scratch = try Self.fiveSegments()
        try Directory.create(scratch.path + "/topics/stray-3")
        try writeFile(scratch.path + "/topics/t-0/notes", [])
        let report = try Self.check(scratch, repair: true)
        #expect(report.problems.map(\.kind) == [.unknownFile, .unknownFile])
        #expect(Directory.exists(scratch.path + "/topics/stray-3"))
    }

    @Test("reports a state database that is none", arguments: [false, true])
    func damagedState(repair: Bool) throws {
        let scratch = try Self.fiveSegments()
        try writeFile(scratch.path + "/state.db", Array("this is no database".utf8))
        for name in ["/state.db-wal", "/state.db-shm"] {
            try Directory.removeFile(scratch.path + name)
        }
        let report = try Self.check(scratch, repair: repair)
        #expect(report.problems.contains { $0.kind == .state })
        #expect(!report.isClean)
    }
}

extension ScratchStore {
    /// Changes a byte of the n-th of a segment's four batches, which are of one size.
    fileprivate func damage(base: Int64, batch: Int, at position: Int) throws {
        let size = try readFile(file(base: base)).count / 4
        try flipByte(file(base: base), at: batch * size + position)
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
