import ConnectorSDK
import Foundation
import KafkaClient
import Logging
import TestServices
import Testing
import TopicLog
import Topics

@testable import KafkaTopics

/// A partition that is copied to a cluster.
@Suite("Copies of embedded topics", .timeLimit(.minutes(10)))
struct TopicCopyTests {
    private let directory: TemporaryDirectory
    private let broker: KafkaBroker
    private let source: EmbeddedTopicStore
    private let name = "copy-" + UUID().uuidString.lowercased()
    private let target: KafkaTopicStore
    private let partition = TopicPartition("t-" + UUID().uuidString.lowercased(), 0)

    init() throws {
        directory = try TemporaryDirectory()
        broker = try KafkaBroker.shared()
        var options = StoreOptions()
        // Tests ask for it.
        options.maintenanceInterval = nil
        source = try EmbeddedTopicStore(
            directory: directory.file("data"),
            mode: .readWrite,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            options: options
        )
        target = try Self.makeTarget(broker, name)
    }

    private static func makeTarget(
        _ broker: KafkaBroker,
        _ name: String,
        usesTransactions: Bool = true
    ) throws -> KafkaTopicStore {
        var options = KafkaStoreOptions()
        options.name = name
        options.replicationFactor = 1
        options.timeout = .seconds(120)
        options.usesTransactions = usesTransactions
        return try KafkaTopicStore(
            broker: ["bootstrap.servers": broker.bootstrap],
            options: options
        )
    }

    // MARK: Records

    private struct Entry: Equatable {
        var offset: Int64 = 0
        var timestamp: Int64 = 1_700_000_000_000
        var key: String?
        var value: String?
        var headers: [UInt8] = []
        var headerCount = 0
    }

    /// Two headers: `a` of two bytes, and `b` without a value.
    private static let headers: [UInt8] = [2, 97, 4, 120, 121, 2, 98, 1]

    private func append(
        _ entries: [Entry],
        _ compression: TopicSettings.CompressionType = .none
    ) throws {
        let producer = try source.makeProducer()
        defer { producer.close() }
        let builder = producer.makeBuilder()
        for entry in entries {
            Self.withBytes(entry.key) { key in
                Self.withBytes(entry.value) { value in
                    entry.headers.withUnsafeBytes {
                        builder.append(
                            timestamp: entry.timestamp,
                            key: key,
                            value: value,
                            headers: $0,
                            headerCount: entry.headerCount
                        )
                    }
                }
            }
        }
        let kind = try source.describe(partition.topic)?.settings.timestampType ?? .createTime
        let batch = try builder.finish(
            compression: compression,
            now: 1_600_000_000_000,
            timestampType: kind
        )
        var unit = CommitUnit()
        unit.batches.append((partition, batch))
        _ = try producer.waitUntilDurable(through: producer.submit(unit), deadline: nil)
    }

    private static func withBytes(_ text: String?, _ body: (UnsafeRawBufferPointer?) -> Void) {
        guard let text else { return body(nil) }
        // An empty array has no address, and no address is no value.
        (Array(text.utf8) + [0]).withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0.dropLast()))
        }
    }

    private func numbers(_ range: Range<Int>) -> [Entry] {
        range.map { Entry(key: "key \($0)", value: "value \($0)") }
    }

    private func read(_ store: any TopicStore, from offset: Int64 = 0) throws -> [Entry] {
        let start = max(try store.offsets(of: partition).start, offset)
        let cursor = try RecordCursor(store, partition, from: start)
        var entries: [Entry] = []
        try cursor.advance()
        while cursor.hasRecord {
            entries.append(
                Entry(
                    offset: cursor.offset,
                    timestamp: cursor.timestamp,
                    key: cursor.key.map { String(decoding: $0, as: UTF8.self) },
                    value: cursor.value.map { String(decoding: $0, as: UTF8.self) },
                    headers: Array(cursor.headers),
                    headerCount: cursor.headerCount
                )
            )
            try cursor.advance()
        }
        return entries
    }

    private func create(_ change: (inout TopicSettings) -> Void = { _ in }) throws {
        var settings = TopicSettings()
        settings.segmentBytes = 1
        change(&settings)
        try source.create(partition.topic, partitions: 1, settings: settings)
    }

    private func copy(
        to target: KafkaTopicStore? = nil,
        translating offsets: [Int64] = []
    ) throws -> CopiedPartition {
        let target = target ?? self.target
        let topic = try #require(try source.describe(partition.topic))
        try target.prepareCopy(of: topic)
        return try target.copy(partition, from: source, translating: offsets) { _ in }
    }

    /// Leaves of the segments only the last.
    private func removeOldRecords() throws {
        var settings = try #require(try source.describe(partition.topic)).settings
        settings.retentionBytes = 1
        try source.alter(partition.topic, settings: settings)
        try source.runMaintenance(now: 0)
    }

    // MARK: What is the same

    @Test(
        "records keep offset, time, key, value and headers, whatever their batch's codec",
        arguments: [TopicSettings.CompressionType.none, .lz4, .zstd]
    )
    func contents(compression: TopicSettings.CompressionType) async throws {
        try create()
        let some = [
            Entry(key: "k", value: "v"), Entry(key: nil, value: "no key"),
            Entry(key: "gone", value: nil), Entry(key: nil, value: nil),
            Entry(key: "", value: ""),
            Entry(timestamp: 1, key: "h", value: "v", headers: Self.headers, headerCount: 2),
            Entry(timestamp: 0, key: "then", value: "librdkafka has no word for it"),
        ]
        try append(some, compression)
        try append(numbers(0..<500), compression)
        let result = try copy()
        #expect((result.records, result.found, result.gaps, result.restamped) == (507, 0, 0, 1))
        let expected = try read(source)
        var there = try read(target)
        #expect(there[6].timestamp > 1_700_000_000_000)
        there[6].timestamp = 0
        #expect(there == expected)
        let judged = try await KafkaJudge(broker).records(of: partition.topic)
        #expect(judged.count == 507)
        #expect(judged[5].headers == [["a", "7879"], ["b", nil]])
        #expect(judged.map(\.offset) == (0..<507).map { Int64($0) })
    }

    @Test("times that the broker gave stay, and the topic gets its settings when all is there")
    func settings() throws {
        try create {
            $0.timestampType = .logAppendTime
            $0.cleanupPolicy = .compact
            $0.segmentBytes = 1 << 20
        }
        try append(numbers(0..<3))
        _ = try copy()
        #expect(
            try read(target).map(\.timestamp) == [Int64](repeating: 1_600_000_000_000, count: 3)
        )
        var found = try #require(try target.describe(partition.topic)).settings
        #expect(found.retentionMilliseconds == -1)
        #expect((found.cleanupPolicy, found.timestampType) == (.delete, .createTime))
        try target.finishCopy(of: try #require(try source.describe(partition.topic)))
        found = try #require(try target.describe(partition.topic)).settings
        #expect((found.cleanupPolicy, found.timestampType) == (.compact, .logAppendTime))
    }

    // MARK: Offsets

    @Test("offsets stay where retention has removed the beginning", arguments: [2, 3, 40])
    func beginning(removed: Int) throws {
        try create()
        try append(numbers(0..<removed))
        try append(numbers(removed..<50))
        try removeOldRecords()
        let start = Int64(removed)
        #expect(try source.offsets(of: partition).start == start)
        let result = try copy(translating: [0, start, 45, 50])
        #expect(result.gaps == 0)
        #expect(result.offsets == [0: 0, start: start, 45: 45, 50: 50])
        #expect(try read(target) == read(source))
        #expect(try target.offsets(of: partition).end == 50)
    }

    @Test("where they cannot stay, an offset becomes that of the same record")
    func shifted() throws {
        try create {
            $0.cleanupPolicy = .compact; $0.minCleanableDirtyRatio = 0
        }
        for start in stride(from: 0, to: 60, by: 5) {
            // One of ten is the only one of its key, the others leave gaps between those.
            let entries = (start..<start + 5).map { number in
                Entry(key: number % 10 == 3 ? "own \(number)" : "\(number % 7)", value: "\(number)")
            }
            try append(entries)
        }
        try source.runMaintenance(now: 1_700_000_000_000)
        let kept = try read(source)
        #expect(kept.count < 60)
        let offsets = Array(Int64(0)...60)
        let result = try copy(translating: offsets)
        #expect(result.gaps > 0)
        let there = try read(target)
        #expect(there.map(\.value) == kept.map(\.value))
        for old in offsets {
            let new = try #require(result.offsets[old])
            // Whoever goes on at either reads the same.
            let rest = kept.filter { $0.offset >= old }.map(\.value)
            #expect(there.filter { $0.offset >= new }.map(\.value) == rest, "\(old) is \(new)")
        }
        #expect(try target.offsets(of: partition).end == result.offsets[60])
    }

    @Test("without transactions the records begin at 0, and offsets become theirs")
    func withoutTransactions() throws {
        try create()
        try append(numbers(0..<10))
        try append(numbers(10..<20))
        try removeOldRecords()
        let plain = try Self.makeTarget(broker, name, usesTransactions: false)
        let result = try copy(to: plain, translating: [10, 15, 20])
        #expect(result.gaps == 10)
        #expect(result.offsets == [10: 0, 15: 5, 20: 10])
        #expect(try read(plain).map(\.offset) == (0..<10).map { Int64($0) })
    }

    @Test("one offset is taken by nothing alone, and all others by the least transactions")
    func steps() {
        for gap in Int64(2)...40 {
            var rest = gap
            while rest > 0 {
                guard let step = GapFiller.step(rest, most: 5) else { break }
                #expect((2...5).contains(step))
                rest -= step
            }
            #expect(rest == 0, "\(gap)")
        }
        #expect(GapFiller.step(1) == nil)
    }

    // MARK: What is there already

    @Test("a copy goes on behind what an earlier one has written")
    func goesOn() throws {
        try create()
        try append(numbers(0..<10))
        try append(numbers(10..<300))
        try removeOldRecords()
        // An earlier process was killed while it took the offsets of the beginning.
        let topic = try #require(try source.describe(partition.topic))
        try target.prepareCopy(of: topic)
        try target.provisionOwnTopics()
        let settings = KafkaSettings(["bootstrap.servers": broker.bootstrap])
        let killed = try KafkaProducer(settings, transactionalID: "\(name)-copy")
        try killed.initTransactions(.seconds(60))
        try killed.beginTransaction()
        let delivery = KafkaDelivery()
        for _ in 0..<5 {
            let place = KafkaPartition(partition.topic, 0)
            try killed.produce(to: place, key: [0], value: nil, into: delivery)
        }
        while delivery.pending > 0 { killed.poll(.milliseconds(100)) }
        #expect(try copy().found == 0)
        #expect(try read(target) == read(source))
        try append(numbers(300..<500))
        let second = try copy(translating: [10, 400])
        #expect((second.records, second.found) == (490, 290))
        #expect(second.offsets == [10: 10, 400: 400])
        #expect(try read(target) == read(source))
        #expect(try copy().found == 490)
        killed.close()
    }

    @Test("what is not from here is not added to", arguments: ["value", "key", "headers", "more"])
    func wrong(kind: String) async throws {
        try create()
        try append([Entry(timestamp: 5, key: "k", value: "v")])
        let judge = KafkaJudge(broker)
        try await judge.create(partition.topic, partitions: 1)
        func record(_ key: String, _ value: String, _ headers: [(String, String?)] = [])
            -> KafkaJudge.Record
        {
            KafkaJudge.Record(
                partition.topic,
                0,
                key: key,
                value: value,
                headers: headers,
                timestamp: 5
            )
        }
        let records =
            switch kind {
            case "value": [record("k", "w")]
            case "key": [record("l", "v")]
            case "headers": [record("k", "v", [("a", nil)])]
            default: [record("k", "v"), record("k", "v")]
            }
        try await judge.produce(records)
        let error = #expect(throws: ConnectorError.self) { try copy() }
        #expect(error?.code.rawValue == "copy.target", "\(String(describing: error))")
        #expect(try await judge.records(of: partition.topic).count == records.count)
        let other = TopicDescription(
            name: partition.topic,
            partitions: 2,
            settings: TopicSettings()
        )
        let counts = #expect(throws: ConnectorError.self) { try target.prepareCopy(of: other) }
        #expect(counts?.message.contains("1 partition(s) on the cluster and 2 here") == true)
    }

    // D6
    @Test("what somebody else writes meanwhile is found when all is read back")
    func disturbed() throws {
        try create()
        try append(numbers(0..<20))
        try target.prepareCopy(of: try #require(try source.describe(partition.topic)))
        let other = try KafkaProducer(KafkaSettings(["bootstrap.servers": broker.bootstrap]))
        let error = #expect(throws: ConnectorError.self) {
            _ = try target.copy(partition, from: source, translating: []) { _ in
                let delivery = KafkaDelivery()
                let place = KafkaPartition(partition.topic, 0)
                try? other.produce(to: place, key: nil, value: [1], into: delivery)
                while delivery.pending > 0 { other.poll(.milliseconds(100)) }
            }
        }
        #expect(error?.code.rawValue == "copy.differs", "\(String(describing: error))")
        #expect(error?.message.contains("at offset 20: there is one record more") == true)
        other.close()
    }

    @Test("schemas keep their ids, and a cluster that has others is refused")
    func schemas() throws {
        let texts = (1...3).map { "{\"fields\":[\($0)]}" }
        for (index, text) in texts.enumerated() {
            #expect(try source.register(text) == Int32(index + 1))
        }
        #expect(try target.copySchemas(from: source) == 3)
        #expect(try target.copySchemas(from: source) == 3)
        for (index, text) in texts.enumerated() {
            #expect(try target.schema(Int32(index + 1)) == text)
            #expect(try target.register(text) == Int32(index + 1))
        }
        #expect(try target.register("{\"fields\":[4]}") == 4)
        #expect(try target.copySchemas(from: source) == 3)
        let other = try Self.makeTarget(broker, name + "-other")
        #expect(try other.register("{\"fields\":[9]}") == 0)
        let error = #expect(throws: ConnectorError.self) { try other.copySchemas(from: source) }
        #expect(error?.code.rawValue == "copy.target")
        #expect(error?.hint?.contains("--broker cluster=NAME") == true)
    }
}
