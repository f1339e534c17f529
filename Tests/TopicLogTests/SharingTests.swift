import ConnectorSDK
import Glibc
import Testing
import Topics

@testable import TopicLog

@Suite("Several processes and one directory")
struct SharingTests {
    @Test("a second writer is refused, and told who the first one is")
    func secondWriter() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        let error = #expect(throws: ConnectorError.self) { try scratch.open() }
        #expect(error?.code == .topicsLocked)
        #expect(error?.kind == .environment)
        #expect(error?.message.contains("process \(getpid())") == true)
        #expect(error?.message.contains(CommandLine.arguments[0]) == true)
        #expect(error?.hint?.contains("--data-dir") == true)
        store.close()
        try scratch.open().close()
        // A lock file that tells nothing is no reason to tell nothing.
        let third = try scratch.open()
        try writeFile(scratch.path + "/lock", [0, 255, 10])
        let vague = #expect(throws: ConnectorError.self) { try scratch.open() }
        #expect(vague?.message.contains("another process") == true)
        third.close()
    }

    @Test("reading needs a directory that is one")
    func noDirectory() throws {
        let scratch = try ScratchStore()
        let error = #expect(throws: ConnectorError.self) { try scratch.open(.readOnly) }
        #expect(error?.code == .topicState)
        #expect(try Directory.list(scratch.path).isEmpty)
    }

    @Test("a reader follows what the writer commits, creates, rolls, lets go and deletes")
    func following() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        let other = try scratch.open(.readOnly)
        #expect(try other.topics().isEmpty)
        var settings = TopicSettings()
        settings.segmentBytes = 2_000
        settings.retentionBytes = 2_000
        try store.create("t", partitions: 1, settings: settings)
        #expect(try other.topics().map(\.name) == ["t"])
        let partition = TopicPartition("t", 0)
        let reader = try other.makeReader(partition, from: 0)
        #expect(try reader.readAll() == [])
        var written: [String] = []
        for round in 0..<10 {
            let values = numbered(round * 50..<round * 50 + 50)
            try store.makeProducer().append(values)
            written += values
            #expect(try reader.readAll().map(\.value) == values)
            #expect(try other.offsets(of: partition).end == Int64(written.count))
        }
        #expect(try other.values() == written)
        try store.runMaintenance(now: 1_000)
        let start = try store.offsets(of: partition).start
        #expect(start > 0)
        #expect(try other.offsets(of: partition) == OffsetRange(start: start, end: 500))
        #expect(try other.values(from: start) == Array(written[Int(start)...]))
        let lost = #expect(throws: ConnectorError.self) { try other.values(from: 0) }
        #expect(lost?.code == .topicOffsetOutOfRange)
        try store.commitGroupOffsets("g", [partition: 7])
        #expect(try other.groupOffsets("g") == [partition: 7])
        try store.delete("t")
        #expect(try other.describe("t") == nil)
        #expect(throws: ConnectorError.self) { try reader.readAll() }
    }

    @Test("a reader's signal is raised by what another process commits")
    func followingSignals() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 2, settings: TopicSettings())
        let other = try scratch.open(.readOnly)
        let signal = AppendSignal()
        try other.add(signal, for: [TopicPartition("t", 1)])
        try store.makeProducer().append(["a"], to: TopicPartition("t", 1))
        #expect(signal.wait(timeout: .seconds(10)))
        #expect(try other.values(TopicPartition("t", 1)) == ["a"])
    }

    @Test("a store opened for reading changes nothing")
    func readOnly() throws {
        let scratch = try ScratchStore()
        do {
            let store = try scratch.open()
            try store.create("t", partitions: 1, settings: TopicSettings())
            try store.makeProducer().append(["a"])
            store.close()
        }
        let bytes = try readFile(scratch.file())
        try writeFile(scratch.file(), bytes + [1, 2, 3])
        let store = try scratch.open(.readOnly)
        #expect(try store.values() == ["a"])
        let changes: [() throws -> Void] = [
            { _ = try store.makeProducer() },
            { try store.create("x", partitions: 1, settings: TopicSettings()) },
            { try store.alter("t", settings: TopicSettings()) },
            { try store.delete("t") },
            { try store.setPositions(of: "c", to: ["p": "1"]) },
            { try store.commitGroupOffsets("g", [TopicPartition("t", 0): 1]) },
            { _ = try store.register("{}") },
            { try store.runMaintenance(now: 0) },
        ]
        for change in changes {
            let error = #expect(throws: ConnectorError.self) { try change() }
            #expect(error?.code == .topicsReadOnly)
        }
        #expect(try readFile(scratch.file()) == bytes + [1, 2, 3])
    }
}
