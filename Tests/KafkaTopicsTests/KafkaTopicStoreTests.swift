import ConnectorSDK
import Foundation
import KafkaTopics
import TestServices
import Testing
import Topics

/// The store's promises, kept on a real broker.
@Suite("Kafka topic store", .timeLimit(.minutes(10)))
struct KafkaTopicStoreTests {
    let broker: [String: String]
    let name = "store-" + UUID().uuidString.lowercased()
    let store: KafkaTopicStore
    let partition = TopicPartition("t-" + UUID().uuidString.lowercased(), 0)

    init() throws {
        broker = ["bootstrap.servers": try KafkaBroker.shared().bootstrap]
        store = try Self.makeStore(broker, name)
    }

    private static func makeStore(
        _ broker: [String: String],
        _ name: String
    ) throws -> KafkaTopicStore {
        var options = KafkaStoreOptions()
        options.name = name
        options.replicationFactor = 1
        options.timeout = .seconds(120)
        return try KafkaTopicStore(broker: broker, options: options)
    }

    private func batch(_ values: [String], _ producer: any TopicProducer) throws -> EncodedBatch {
        let builder = producer.makeBuilder()
        for value in values {
            var value = value
            value.withUTF8 { bytes in
                builder.append(
                    timestamp: 1_700_000_000_000,
                    key: UnsafeRawBufferPointer(bytes),
                    value: UnsafeRawBufferPointer(bytes)
                )
            }
        }
        return try builder.finish(compression: .none, now: 0, timestampType: .createTime)
    }

    private func read(_ reader: any PartitionReader, _ count: Int) throws -> [String] {
        let batch = RecordBatch()
        batch.reset(topic: partition.topic)
        // Attempts as well as time: a loaded machine may stop this process for long.
        for _ in 0..<6_000 where batch.count < count {
            if try reader.read(into: batch) == 0 { usleep(20_000) }
        }
        return batch.indices.map { row in
            String(decoding: batch.metadata(row).pointee.raw, as: UTF8.self)
        }
    }

    @Test("a topic is created, described and deleted")
    func topics() throws {
        var settings = TopicSettings()
        settings.cleanupPolicy = .compact
        try store.create(partition.topic, partitions: 3, settings: settings)
        let found = try #require(try store.describe(partition.topic))
        #expect(found.partitions == 3)
        #expect(found.settings.cleanupPolicy == .compact)
        #expect(try store.topics().map(\.name).contains(partition.topic))
        let again = #expect(throws: ConnectorError.self) {
            try store.create(partition.topic, partitions: 3, settings: settings)
        }
        #expect(again?.code.rawValue == "topics.exists")
        try store.delete(partition.topic)
        #expect(try store.describe(partition.topic) == nil)
    }

    // D3: records and positions are one commit.
    @Test("a unit's records, positions, group offsets and states are there together")
    func unit() throws {
        try store.create(partition.topic, partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        defer { producer.close() }
        let values = (0..<1_000).map { "value \($0)" }
        var unit = CommitUnit()
        unit.batches.append((partition, try batch(values, producer)))
        unit.positions.append(("source", SourcePosition(partition: "file", offset: "{\"byte\":9}")))
        unit.positions.append(("source", SourcePosition(partition: "gone", offset: "1")))
        unit.groupOffsets.append((name + "-group", partition, 5))
        let changes = StateChanges()
        changes.set(part: 3, Array("key".utf8), Array("remembered".utf8))
        unit.states.append(("source", "dedupe", changes))
        #expect(try producer.submit(unit) == 1)
        var second = CommitUnit()
        second.forgotten.append(("source", "gone"))
        #expect(try producer.submit(second) == 2)
        #expect(try producer.waitUntilDurable(through: 2, deadline: nil) == 2)

        let other = try Self.makeStore(broker, name)
        #expect(try other.positions(of: "source") == ["file": "{\"byte\":9}"])
        #expect(try other.connectorsWithPositions() == ["source"])
        #expect(try other.groupOffsets(name + "-group") == [partition: 5])
        #expect(
            try other.transformStates(of: "source") == [
                "dedupe": [
                    StateEntry(part: 3, key: Array("key".utf8), value: Array("remembered".utf8))
                ]
            ]
        )
        #expect(try read(other.makeReader(partition, from: 0), 1_000) == values)
        #expect(try other.removeTransformStates(of: "source") == 1)
        #expect(try other.transformStates(of: "source").isEmpty)
    }

    @Test("two readers of one partition each read it from where they want")
    func twoReaders() throws {
        try store.create(partition.topic, partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer()
        defer { producer.close() }
        var unit = CommitUnit()
        unit.batches.append((partition, try batch(["a", "b", "c"], producer)))
        _ = try producer.waitUntilDurable(through: producer.submit(unit), deadline: nil)
        let first = try store.makeReader(partition, from: 0)
        let second = try store.makeReader(partition, from: 2)
        #expect(try read(first, 3) == ["a", "b", "c"])
        #expect(try read(second, 1) == ["c"])
        try second.seek(to: 1)
        #expect(try read(second, 2) == ["b", "c"])
    }

    @Test("whoever waits for records is woken")
    func signals() throws {
        try store.create(partition.topic, partitions: 1, settings: TopicSettings())
        let reader = try store.makeReader(partition, from: 0)
        let signal = AppendSignal()
        try store.add(signal, for: [partition])
        #expect(try read(reader, 0).isEmpty)
        let producer = try store.makeProducer()
        defer { producer.close() }
        var unit = CommitUnit()
        unit.batches.append((partition, try batch(["late"], producer)))
        _ = try producer.waitUntilDurable(through: producer.submit(unit), deadline: nil)
        var texts: [String] = []
        for _ in 0..<600 where texts.isEmpty {
            signal.wait(timeout: .seconds(1))
            let batch = RecordBatch()
            if try reader.read(into: batch) > 0 {
                texts = [String(decoding: batch.metadata(0).pointee.raw, as: UTF8.self)]
            }
        }
        #expect(texts == ["late"])
        store.remove(signal)
    }

    @Test("a schema has one id, in every process")
    func schemas() throws {
        let other = try Self.makeStore(broker, name)
        let id = try store.register("{\"a\":1}")
        #expect(try other.register("{\"a\":1}") == id)
        let second = try other.register("{\"b\":2}")
        #expect(second != id)
        #expect(try store.schema(second) == "{\"b\":2}")
        #expect(try store.schema(id) == "{\"a\":1}")
        #expect(try store.schema(9_999) == nil)
    }

    @Test("a task's second producer fences its first")
    func fencing() throws {
        try store.create(partition.topic, partitions: 1, settings: TopicSettings())
        let zombie = try store.makeProducer(ofTask: "orders-0")
        defer { zombie.close() }
        var unit = CommitUnit()
        unit.batches.append((partition, try batch(["first"], zombie)))
        _ = try zombie.waitUntilDurable(through: zombie.submit(unit), deadline: nil)
        let successor = try store.makeProducer(ofTask: "orders-0")
        defer { successor.close() }
        var later = CommitUnit()
        later.batches.append((partition, try batch(["second"], successor)))
        _ = try successor.waitUntilDurable(through: successor.submit(later), deadline: nil)
        let failure = #expect(throws: ConnectorError.self) {
            var unit = CommitUnit()
            unit.batches.append((partition, try batch(["zombie"], zombie)))
            _ = try zombie.waitUntilDurable(through: zombie.submit(unit), deadline: nil)
        }
        #expect(failure?.code.rawValue == "topics.fenced")
    }

    @Test("group offsets are set, told and removed")
    func groupOffsets() throws {
        try store.create(partition.topic, partitions: 1, settings: TopicSettings())
        let group = name + "-set"
        #expect(try store.groupOffsets(group).isEmpty)
        try store.commitGroupOffsets(group, [partition: 7])
        #expect(try store.groupOffsets(group) == [partition: 7])
        #expect(try store.groups().contains(group))
    }

    @Test("nobody listens: the error has the environment's exit code and may be tried again")
    func unreachable() throws {
        var options = KafkaStoreOptions()
        options.timeout = .seconds(3)
        let store = try KafkaTopicStore(
            broker: ["bootstrap.servers": "127.0.0.1:1"],
            options: options
        )
        let failure = #expect(throws: ConnectorError.self) { _ = try store.topics() }
        #expect(failure?.code.rawValue == "topics.unreachable")
        #expect(failure?.kind == .environment)
        #expect(failure?.disposition == .retry(after: nil))
        #expect(failure?.configurationKey == "bootstrap.servers")
    }

    // D7 and D3: what waits is bounded, and nobody is kept waiting longer than a run may take.
    @Test("a producer whose broker has gone takes so much and no more, and can be given up")
    func outage() async throws {
        let broker = try KafkaBroker(failing: [])
        var options = KafkaStoreOptions()
        options.replicationFactor = 1
        options.bytesInFlight = 1 << 20
        let store = try KafkaTopicStore(
            broker: ["bootstrap.servers": broker.bootstrap],
            options: options
        )
        try store.create(partition.topic, partitions: 1, settings: TopicSettings())
        let producer = try store.makeProducer(ofTask: "numbers-0")
        broker.stop()
        let limit = ContinuousClock.now + .seconds(3)
        store.stopWaiting(after: .seconds(3))
        var submitted = 0
        let failure = #expect(throws: ConnectorError.self) {
            for _ in 0..<1_000 {
                var unit = CommitUnit()
                let text = String(repeating: "x", count: 100_000)
                unit.batches.append((partition, try batch([text], producer)))
                _ = try producer.submit(unit)
                submitted += 1
            }
        }
        #expect(failure?.disposition == .retry(after: nil))
        // One that was being committed does not count any more; the rest is the limit.
        #expect(submitted <= 24)
        producer.close()
        // Without a limit it would be the 60 s that a request may take.
        #expect(ContinuousClock.now - limit < .seconds(40))
    }
}
