import ConnectorSDK
import Testing
import Topics

@testable import TopicLog

@Suite("Segments")
struct SegmentTests {
    @Test("a segment is closed when it is full, and named by its first offset")
    func rollingBySize() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.segmentBytes = 1_000
        try store.create("t", partitions: 1, settings: settings)
        for round in 0..<12 {
            try store.makeProducer().append(numbered(round * 20..<round * 20 + 20))
        }
        let bases = try SegmentFiles("\(scratch.path)/topics/t-0").baseOffsets
        #expect(bases == stride(from: 0, to: 240, by: 40).map { $0 })
        for base in bases {
            let size = try readFile(scratch.file(base: base)).count
            #expect(size <= 1_000)
        }
        #expect(try store.values() == numbered(0..<240))
        store.close()
        let reopened = try scratch.open()
        #expect(reopened.recovery.findings.isEmpty)
        #expect(try reopened.values(from: 77) == numbered(77..<240))
    }

    @Test("a segment is closed when its records span too much time")
    func rollingByTime() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.segmentMilliseconds = 100
        try store.create("t", partitions: 1, settings: settings)
        for timestamp in [0, 50, 100, 101, 150, 202, Int64.max, Int64.min + 1] {
            try store.makeProducer().append(["a"], timestamp: timestamp)
        }
        let bases = try SegmentFiles("\(scratch.path)/topics/t-0").baseOffsets
        #expect(bases == [0, 3, 5, 6])
        #expect(try store.values().count == 8)
    }

    @Test("a group may fill several segments, all or none of them")
    func rollingWithinAGroup() throws {
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        var settings = TopicSettings()
        settings.segmentBytes = 300
        try store.create("t", partitions: 1, settings: settings)
        func submit(_ range: Range<Int>) throws {
            let producer = try store.makeProducer()
            var unit = CommitUnit()
            for number in range {
                let batch = try producer.batch([TestRecord(value: "\(number)")])
                unit.batches.append((TopicPartition("t", 0), batch))
            }
            try producer.wait(try producer.submit(unit))
        }
        try submit(0..<3)
        let before = try scratch.files()
        files.inject(.fail(28), into: .write, number: 15)
        #expect(throws: ConnectorError.self) { try submit(3..<23) }
        #expect(try scratch.files() == before)
        try submit(3..<23)
        #expect(try store.values() == (0..<23).map { "\($0)" })
        store.close()
        let reopened = try scratch.open()
        #expect(reopened.recovery.findings.isEmpty)
        #expect(try reopened.values() == (0..<23).map { "\($0)" })
    }

    @Test("index entries point to the batch whose last offset they name, every 4096 bytes")
    func indexEntries() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        for round in 0..<30 {
            let value = String(repeating: "v", count: 1_500)
            try store.makeProducer().append([value, value], timestamp: Int64(100 - round))
        }
        store.close()
        let index = try readFile(scratch.file(ending: ".index"))
        let entries = stride(from: 0, to: index.count, by: 8).map { start in
            Array(index[start..<start + 8]).withUnsafeBytes { SegmentIndex.OffsetEntry($0) }
        }
        let batch = try readFile(scratch.file()).count / 30
        // After 4096 bytes, that is in front of every second batch of some 3,070 bytes.
        #expect(
            entries.map { Int($0.position) } == stride(from: 2, to: 30, by: 2).map { $0 * batch }
        )
        #expect(entries.map(\.relativeOffset) == stride(from: 5, to: 60, by: 4).map { Int32($0) })
        // Timestamps fall, so that one entry says all there is.
        let times = try readFile(scratch.file(ending: ".timeindex"))
        #expect(times.count == 12)
        let first = times.withUnsafeBytes { SegmentIndex.TimeEntry($0) }
        #expect(first == SegmentIndex.TimeEntry(timestamp: 100, relativeOffset: 1))
    }

    static let moments: [(Int64, Int64)] = [
        (.min, 0), (0, 0), (1, 1), (10, 1), (11, 2), (30, 3), (31, 4), (900, 90), (989, 99),
        (990, 99), (991, 100), (.max, 100),
    ]

    @Test("finds the first record from a moment on")
    func timestamps() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.segmentBytes = 2_000
        try store.create("t", partitions: 1, settings: settings)
        let batches = stride(from: 0, to: 100, by: 5).map { start in
            (start..<start + 5).map { number in
                TestRecord(value: "some text \(number)", timestamp: Int64(number * 10))
            }
        }
        try store.makeProducer().append(batches: batches)
        store.close()
        let partition = TopicPartition("t", 0)
        for opened in [store, try scratch.open(), try scratch.open(.readOnly)] {
            for (moment, expected) in Self.moments {
                #expect(try opened.offset(of: partition, atOrAfter: moment) == expected)
            }
        }
    }

    @Test("an offset is found by moment also where timestamps are in no order")
    func unorderedTimestamps() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        var settings = TopicSettings()
        settings.segmentBytes = 9_000
        try store.create("t", partitions: 1, settings: settings)
        let filler = String(repeating: "f", count: 500)
        var generator = SystemRandomNumberGenerator()
        let timestamps = (0..<200).map { _ in Int64.random(in: 0..<1_000, using: &generator) }
        let batches = stride(from: 0, to: 200, by: 4).map { start in
            timestamps[start..<start + 4].map { TestRecord(value: filler, timestamp: $0) }
        }
        try store.makeProducer().append(batches: batches)
        for moment in stride(from: Int64(0), through: 1_000, by: 50) {
            let expected = timestamps.firstIndex { $0 >= moment } ?? 200
            let found = try store.offset(of: TopicPartition("t", 0), atOrAfter: moment)
            #expect(found == Int64(expected))
        }
    }
}
