import Foundation
import KafkaClient
import Synchronization
import TestServices
import Testing

/// Against a real broker.
@Suite("Kafka client with a broker", .timeLimit(.minutes(10)))
struct KafkaBrokerTests {
    let settings: KafkaSettings
    let topic = "topic-" + UUID().uuidString.lowercased()
    let patience: Duration = .seconds(120)

    init() throws {
        settings = KafkaSettings(["bootstrap.servers": try KafkaBroker.shared().bootstrap])
    }

    private func createTopic(partitions: Int32 = 2) throws -> KafkaAdmin {
        let admin = try KafkaAdmin(settings, timeout: patience)
        try admin.createTopic(topic, partitions: partitions, replication: 1)
        return admin
    }

    private func produce(_ values: [String], to partition: Int32 = 0) throws {
        let producer = try KafkaProducer(settings)
        let delivery = KafkaDelivery()
        for value in values {
            try producer.produce(
                to: KafkaPartition(topic, partition),
                key: nil,
                value: Array(value.utf8),
                into: delivery
            )
        }
        try producer.flush(patience)
        #expect(delivery.isComplete)
    }

    @Test("a topic is created, described and deleted")
    func topics() throws {
        let admin = try createTopic(partitions: 3)
        #expect(try admin.metadata(topic: topic).topics[topic]?.map(\.id) == [0, 1, 2])
        #expect(try admin.metadata().topics[topic]?.count == 3)
        let again = #expect(throws: KafkaFailure.self) {
            try admin.createTopic(topic, partitions: 3, replication: 1)
        }
        #expect(again?.code == .topicAlreadyExists)
        #expect(again?.message.contains(topic) == true)
        try admin.deleteTopic(topic)
        #expect(try admin.metadata(topic: topic).topics[topic] == nil)
    }

    @Test("settings given to a topic are told")
    func topicSettings() throws {
        let admin = try KafkaAdmin(settings, timeout: patience)
        try admin.createTopic(
            topic,
            partitions: 1,
            replication: nil,
            configuration: ["cleanup.policy": "compact"]
        )
        let told = try admin.configuration(ofTopic: topic)
        #expect(told["cleanup.policy"]?.value == "compact")
    }

    @Test("keys, values, nulls, headers and timestamps come back as they were")
    func recordParts() throws {
        _ = try createTopic()
        let partition = KafkaPartition(topic, 1)
        let producer = try KafkaProducer(settings)
        let delivery = KafkaDelivery()
        let moment: Int64 = 1_700_000_000_123
        let cases: [(key: [UInt8]?, value: [UInt8]?)] = [
            ([1, 2, 3], [4, 5]), (nil, [6]), ([7], nil), ([], []), (nil, nil),
        ]
        for (key, value) in cases {
            try producer.produce(
                to: partition,
                key: key,
                value: value,
                timestamp: moment,
                into: delivery
            )
        }
        try producer.flush(patience)
        #expect(delivery.isComplete)
        let read = try Reading(settings, partition).records(5)
        #expect(read.map(\.key) == cases.map(\.key))
        #expect(read.map(\.value) == cases.map(\.value))
        #expect(read.allSatisfy { $0.timestamp == moment })
        #expect(read.map(\.offset) == [0, 1, 2, 3, 4])
    }

    @Test("records of an encoded batch are produced without copying their values")
    func encodedRecords() throws {
        _ = try createTopic()
        let partition = KafkaPartition(topic, 0)
        // length, attributes, timestamp, offset, key "k", value "hello", one header a=b
        let first: [UInt8] = [
            32, 0, 10, 0, 2, 0x6B, 10, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 2, 2, 0x61, 2, 0x62,
        ]
        // no key, no value, no headers
        let second: [UInt8] = [12, 0, 12, 2, 1, 1, 0]
        let bytes = first + second
        let producer = try KafkaProducer(settings)
        let delivery = KafkaDelivery()
        try bytes.withUnsafeBytes { buffer in
            try producer.produce(
                buffer,
                count: 2,
                baseTimestamp: 1_700_000_000_000,
                to: partition,
                into: delivery
            )
            try producer.flush(patience)
        }
        #expect(delivery.isComplete)
        let read = try Reading(settings, partition).records(2)
        #expect(read.map(\.key) == [[0x6B], nil])
        #expect(read.map(\.value) == [Array("hello".utf8), nil])
        #expect(read.map(\.timestamp) == [1_700_000_000_005, 1_700_000_000_006])
        #expect(read[0].headers == [2, 0x61, 2, 0x62])
        #expect(read.map(\.headerCount) == [1, 0])
    }

    // D9: bytes that are no records are an error and nothing else.
    @Test(
        "bytes that are no records are refused",
        arguments: [[UInt8]](
            [[], [200], [40, 0, 0], [12, 0, 0, 0, 1, 40, 0], [12, 0, 0, 0, 1, 1, 8]]
        )
    )
    func damagedRecords(_ bytes: [UInt8]) throws {
        _ = try createTopic()
        let producer = try KafkaProducer(settings)
        // An empty array has no address.
        (bytes + [0]).withUnsafeBytes { buffer in
            let failure = #expect(throws: KafkaFailure.self) {
                try producer.produce(
                    UnsafeRawBufferPointer(rebasing: buffer[..<bytes.count]),
                    count: 1,
                    baseTimestamp: 0,
                    to: KafkaPartition(topic, 0),
                    into: KafkaDelivery()
                )
            }
            #expect(failure != nil)
        }
    }

    @Test("a partition is read from an offset, and again after a seek")
    func seek() throws {
        _ = try createTopic()
        try produce((0..<100).map { "value \($0)" })
        let partition = KafkaPartition(topic, 0)
        let reading = try Reading(settings, partition, from: 90)
        #expect(try reading.records(10).map(\.text) == (90..<100).map { "value \($0)" })
        try reading.waitForEnd()
        #expect(reading.queue.nextOffset == 100)
        try reading.queue.seek(to: 3)
        #expect(try reading.records(97).map(\.offset) == Array(3..<100))
    }

    @Test("whoever waits is told that messages have arrived")
    func arrival() async throws {
        _ = try createTopic()
        let partition = KafkaPartition(topic, 0)
        let reading = try Reading(settings, partition)
        try reading.waitForEnd()
        let (arrivals, continuation) = AsyncStream.makeStream(
            of: Void.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        reading.queue.onArrival { continuation.yield() }
        try produce(["one"])
        for await _ in arrivals { break }
        #expect(try reading.records(1).map(\.text) == ["one"])
    }

    @Test("a transaction makes its records and a group's offsets visible together")
    func transaction() throws {
        let admin = try createTopic()
        let group = "group-" + topic
        let producer = try KafkaProducer(settings, transactionalID: "id-" + topic)
        try producer.initTransactions(patience)
        try producer.beginTransaction()
        let delivery = KafkaDelivery()
        try producer.produce(
            to: KafkaPartition(topic, 0),
            key: nil,
            value: [1],
            into: delivery
        )
        try producer.sendOffsets([KafkaPartition(topic, 1): 42], of: group, patience)
        try producer.commitTransaction(patience)
        #expect(delivery.isComplete)
        #expect(try Reading(settings, KafkaPartition(topic, 0)).records(1).map(\.value) == [[1]])
        #expect(try admin.offsets(ofGroup: group) == [KafkaPartition(topic, 1): 42])
    }

    @Test("a producer that was taken over is fenced")
    func fencing() throws {
        _ = try createTopic()
        let zombie = try KafkaProducer(settings, transactionalID: "id-" + topic)
        try zombie.initTransactions(patience)
        let successor = try KafkaProducer(settings, transactionalID: "id-" + topic)
        try successor.initTransactions(patience)
        let delivery = KafkaDelivery()
        let failure = #expect(throws: KafkaFailure.self) {
            try zombie.beginTransaction()
            try zombie.produce(
                to: KafkaPartition(topic, 0),
                key: nil,
                value: [1],
                into: delivery
            )
            try zombie.commitTransaction(patience)
        }
        #expect(failure?.kind == .fenced)
        #expect(failure?.configurationKey == "transactional.id")
        // Its messages are given up, which says less.
        for _ in 0..<1_200 where delivery.pending > 0 { zombie.poll(.milliseconds(100)) }
        #expect(delivery.failed == 1)
        #expect(zombie.failure(of: delivery, to: topic)?.kind == .fenced)
    }

    @Test("groups are listed, and their offsets set, told and deleted")
    func groups() throws {
        let admin = try createTopic()
        let group = "group-" + topic
        try admin.setOffsets(ofGroup: group, to: [KafkaPartition(topic, 0): 7])
        #expect(try admin.offsets(ofGroup: group) == [KafkaPartition(topic, 0): 7])
        #expect(try admin.groups().contains(group))
        #expect(try admin.describeGroup(group).members.isEmpty)
        try admin.deleteGroup(group)
        #expect(try !admin.groups().contains(group))
    }

    @Test("statistics arrive as JSON")
    func statistics() throws {
        var settings = settings
        settings["statistics.interval.ms"] = "50"
        let box = Box()
        let producer = try KafkaProducer(
            settings,
            observer: KafkaObserver(statistics: { json in box.text.withLock { $0 = json } })
        )
        for _ in 0..<1_200 where box.text.withLock({ $0.isEmpty }) {
            producer.poll(.milliseconds(100))
        }
        #expect(box.text.withLock { $0 }.contains("\"txmsgs\""))
    }

    private final class Box: Sendable {
        let text = Mutex("")
    }
}
