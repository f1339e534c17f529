import ConnectorSDK
import SQLiteClient
import Testing
import Topics

@testable import TopicLog

@Suite("Topics, positions, groups, schemas")
struct StateTests {
    @Test("lists, describes, alters and keeps topics")
    func topics() throws {
        let scratch = try ScratchStore()
        var settings = TopicSettings()
        settings.cleanupPolicy = .compactAndDelete
        settings.retentionMilliseconds = 5
        settings.retentionBytes = 6
        settings.retentionHoldSinks = false
        settings.segmentBytes = 7
        settings.segmentMilliseconds = 8
        settings.compressionType = .zstd
        settings.timestampType = .logAppendTime
        settings.maxMessageBytes = 9_000
        settings.deleteRetentionMilliseconds = 10
        settings.minCompactionLagMilliseconds = 11
        settings.minCleanableDirtyRatio = 0.25
        settings.durability = .os
        do {
            let store = try scratch.open()
            try store.create("b", partitions: 3, settings: TopicSettings())
            try store.create("a", partitions: 1, settings: settings)
            #expect(try store.topics().map(\.name) == ["a", "b"])
            try store.alter("b", settings: settings)
            #expect(try store.describe("b")?.settings == settings)
            #expect(try store.describe("c") == nil)
            store.close()
        }
        let store = try scratch.open()
        for (name, partitions) in [("a", Int32(1)), ("b", 3)] {
            let expected = TopicDescription(
                name: name,
                partitions: partitions,
                settings: settings
            )
            #expect(try store.describe(name) == expected)
        }
        let error = #expect(throws: ConnectorError.self) {
            try store.create("a", partitions: 1, settings: TopicSettings())
        }
        #expect(error?.code == .topicExists)
        let unknown = #expect(throws: ConnectorError.self) {
            try store.alter("nope", settings: TopicSettings())
        }
        #expect(unknown?.code == .topicUnknown)
    }

    static let invalid: [(String, Int32)] = [
        ("", 1), (".", 1), ("..", 1), ("a/b", 1), ("ä", 1), ("a b", 1), ("ok", 0), ("ok", -1),
        ("ok", 1_000_000), (String(repeating: "x", count: 250), 1),
    ]

    @Test("refuses names and partition counts that cannot work", arguments: invalid)
    func invalidTopics(name: String, partitions: Int32) throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        let error = #expect(throws: ConnectorError.self) {
            try store.create(name, partitions: partitions, settings: TopicSettings())
        }
        #expect(error?.code == .topicInvalid)
        #expect(error?.kind == .configuration)
        #expect(try store.topics().isEmpty)
    }

    @Test("a deleted topic is gone with its files and offsets, and its name is free")
    func deletion() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 2, settings: TopicSettings())
        try store.create("t-0", partitions: 1, settings: TopicSettings())
        try store.makeProducer().append(["old"])
        try store.makeProducer().append(["neighbour"], to: TopicPartition("t-0", 0))
        try store.commitGroupOffsets("g", [TopicPartition("t", 0): 1])
        let reader = try store.makeReader(TopicPartition("t", 0), from: 0)
        let producer = try store.makeProducer()
        try store.delete("t")
        #expect(try store.topics().map(\.name) == ["t-0"])
        #expect(try Directory.list(scratch.path + "/topics") == ["t-0-0"])
        #expect(try store.groupOffsets("g").isEmpty)
        for body in [{ _ = try reader.readAll() }, { _ = try producer.submit([TestRecord()]) }] {
            let error = #expect(throws: ConnectorError.self) { try body() }
            #expect(error?.code == .topicUnknown)
        }
        try store.create("t", partitions: 1, settings: TopicSettings())
        #expect(try store.values() == [])
        try store.makeProducer().append(["new"])
        #expect(try store.values() == ["new"])
        #expect(throws: ConnectorError.self) { try reader.readAll() }
        #expect(try store.values(TopicPartition("t-0", 0)) == ["neighbour"])
    }

    @Test("files of a deleted topic that a crash left are removed at the next start")
    func interruptedDeletion() throws {
        let scratch = try ScratchStore()
        do {
            let store = try scratch.open()
            try store.create("t", partitions: 2, settings: TopicSettings())
            try store.makeProducer().append(["old"])
            try store.data.perform { (worker) throws(ConnectorError) in
                try worker.transaction {
                    () throws(SQLiteFailure) in try worker.state.removeTopic(1, name: "t")
                }
            }
            store.close()
        }
        let store = try scratch.open()
        #expect(try store.topics().isEmpty)
        #expect(try Directory.list(scratch.path + "/topics").isEmpty)
    }

    @Test("keeps positions of sources, replaces and removes them")
    func positions() throws {
        let scratch = try ScratchStore()
        do {
            let store = try scratch.open()
            try store.setPositions(of: "a", to: ["x": "{\"byte\":1}", "y": "2"])
            try store.setPositions(of: "b", to: ["x": "3"])
            try store.setPositions(of: "a", to: ["x": nil, "y": "4", "z": "5"])
            try store.setPositions(of: "a", to: [:])
            #expect(try store.positions(of: "a") == ["y": "4", "z": "5"])
            store.close()
        }
        let store = try scratch.open()
        #expect(try store.positions(of: "a") == ["y": "4", "z": "5"])
        #expect(try store.positions(of: "nobody") == [:])
        #expect(try store.connectorsWithPositions() == ["a", "b"])
    }

    @Test("keeps offsets of groups, replaces and removes them")
    func groups() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        let first = TopicPartition("t", 0), second = TopicPartition("t", 1)
        try store.commitGroupOffsets("g", [first: 1, second: 2])
        try store.commitGroupOffsets("h", [first: 9])
        try store.commitGroupOffsets("g", [first: nil, second: 3])
        #expect(try store.groupOffsets("g") == [second: 3])
        #expect(try store.groupOffsets("nobody") == [:])
        #expect(try store.groups() == ["g", "h"])
    }

    @Test("registers a schema once")
    func schemas() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        let first = try store.register("{\"a\":1}")
        let second = try store.register("{\"a\":2}")
        #expect(first != second)
        #expect(try store.register("{\"a\":1}") == first)
        #expect(try store.schema(first) == "{\"a\":1}")
        #expect(try store.schema(second) == "{\"a\":2}")
        #expect(try store.schema(99) == nil)
        store.close()
        #expect(try scratch.open().register("{\"a\":2}") == second)
    }
}
