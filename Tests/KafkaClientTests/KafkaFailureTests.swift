import KafkaClient
import TestServices
import Testing

/// What brokers do wrong, asked of librdkafka's own make-believe ones.
@Suite("Kafka client with failing brokers", .timeLimit(.minutes(10)))
struct KafkaFailureTests {
    let cluster: KafkaMockHandle
    let settings: KafkaSettings
    let partition = KafkaPartition("events", 0)
    let patience: Duration = .seconds(120)

    init() throws {
        cluster = try KafkaMockHandle(brokers: 3)
        cluster.createTopic("events", partitions: 2, replication: 3)
        settings = KafkaSettings([
            "bootstrap.servers": cluster.bootstrap, "retry.backoff.ms": "20",
            "reconnect.backoff.max.ms": "200",
        ])
    }

    private func produce(_ count: Int, with producer: KafkaProducer) throws -> KafkaDelivery {
        let delivery = KafkaDelivery()
        for index in 0..<count {
            try producer.produce(
                to: partition,
                key: nil,
                value: Array("\(index)".utf8),
                into: delivery
            )
        }
        return delivery
    }

    @Test("nobody listens: the error names the server, the key and a way out")
    func unreachable() throws {
        let admin = try KafkaAdmin(
            KafkaSettings(["bootstrap.servers": "127.0.0.1:1"]),
            timeout: .seconds(3)
        )
        let failure = #expect(throws: KafkaFailure.self) { _ = try admin.metadata() }
        #expect(failure?.kind == .unreachable)
        #expect(failure?.isRetriable == true)
        #expect(failure?.configurationKey == "bootstrap.servers")
        #expect(failure?.message.contains("127.0.0.1:1") == true)
        #expect(failure?.message.contains("refused") == true)
        #expect(failure?.hint != nil)
    }

    @Test("a broker that does not ask for a password: the error names the key")
    func authentication() throws {
        let settings = KafkaSettings([
            "bootstrap.servers": cluster.bootstrap, "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN", "sasl.username": "me", "sasl.password": "hunter2",
        ])
        let admin = try KafkaAdmin(settings, timeout: .seconds(5))
        let failure = #expect(throws: KafkaFailure.self) { _ = try admin.metadata() }
        #expect(failure?.kind == .authentication)
        #expect(failure?.configurationKey == "sasl.password")
        #expect(failure.map { "\($0)" }?.contains("hunter2") == false)
    }

    @Test("a leader that moves and errors that pass lose and double nothing")
    func passingErrors() throws {
        let producer = try KafkaProducer(settings)
        // NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS
        cluster.fail(.produce, with: [6, 7, 19])
        let first = try produce(50, with: producer)
        cluster.moveLeader(of: "events", 0, to: 2)
        let second = try produce(50, with: producer)
        cluster.moveLeader(of: "events", 0, to: 3)
        try producer.flush(patience)
        #expect(first.isComplete && second.isComplete)
        let texts = try Reading(settings, partition).records(100).map(\.text)
        #expect(texts == (0..<50).map { "\($0)" } + (0..<50).map { "\($0)" })
    }

    @Test("a record that is refused is a failed delivery with the reason")
    func refused() throws {
        let producer = try KafkaProducer(
            settings.overriding(["enable.idempotence": "false"])
        )
        // TOPIC_AUTHORIZATION_FAILED
        cluster.fail(.produce, with: [29])
        let delivery = try produce(1, with: producer)
        try producer.flush(patience)
        #expect(delivery.failed == 1 && delivery.pending == 0)
        let failure = try #require(producer.failure(of: delivery, to: "events"))
        #expect(failure.kind == .authorization)
        #expect(failure.message.contains("events-0"))
    }

    // D7: memory stays bounded while the broker is away.
    @Test("a full queue holds the producer back until messages time out")
    func backPressure() throws {
        for broker: Int32 in 1...3 { cluster.setDown(broker, true) }
        let producer = try KafkaProducer(
            settings.overriding([
                "queue.buffering.max.messages": "10", "message.timeout.ms": "1000",
                "enable.idempotence": "false",
            ])
        )
        let delivery = try produce(25, with: producer)
        #expect(producer.queuedCount <= 10)
        for _ in 0..<1_200 where delivery.pending > 0 { producer.poll(.milliseconds(100)) }
        #expect(delivery.failed == 25)
        let failure = try #require(producer.failure(of: delivery, to: "events"))
        #expect(failure.kind == .unreachable)
        #expect(failure.configurationKey == "bootstrap.servers")
    }

    @Test("messages go on when the brokers come back")
    func outage() throws {
        let producer = try KafkaProducer(settings)
        let first = try produce(5, with: producer)
        try producer.flush(patience)
        for broker: Int32 in 1...3 { cluster.setDown(broker, true) }
        let second = try produce(5, with: producer)
        producer.poll(.milliseconds(500))
        for broker: Int32 in 1...3 { cluster.setDown(broker, false) }
        try producer.flush(patience)
        #expect(first.isComplete && second.isComplete)
        #expect(try Reading(settings, partition).records(10).count == 10)
    }

    @Test("a coordinator that moves or loads does not end a transaction")
    func coordinatorMoves() throws {
        let producer = try KafkaProducer(settings, transactionalID: "mover")
        // COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE
        cluster.fail(.initProducerID, with: [14, 15])
        try producer.initTransactions(patience)
        try producer.beginTransaction()
        let delivery = try produce(5, with: producer)
        cluster.moveCoordinator(ofTransactions: "mover", to: 2)
        // NOT_COORDINATOR, CONCURRENT_TRANSACTIONS
        cluster.fail(.endTransaction, with: [16, 51])
        try producer.commitTransaction(patience)
        #expect(delivery.isComplete)
    }

    @Test(
        "a producer that was fenced is told apart",
        arguments: [Int32(47), 90]
    )
    func fenced(_ code: Int32) throws {
        let producer = try KafkaProducer(settings, transactionalID: "zombie")
        try producer.initTransactions(patience)
        try producer.beginTransaction()
        _ = try produce(1, with: producer)
        try producer.flush(patience)
        cluster.fail(.endTransaction, with: [code])
        let failure = #expect(throws: KafkaFailure.self) {
            try producer.commitTransaction(patience)
        }
        #expect(failure?.kind == .fenced)
        #expect(failure?.isRetriable == false)
    }

    @Test("a transaction that cannot be committed can be aborted and tried again")
    func abort() throws {
        let producer = try KafkaProducer(settings, transactionalID: "again")
        try producer.initTransactions(patience)
        try producer.beginTransaction()
        // TOPIC_AUTHORIZATION_FAILED
        cluster.fail(.addPartitionsToTransaction, with: [29])
        let lost = try produce(1, with: producer)
        let failure = #expect(throws: KafkaFailure.self) {
            try producer.commitTransaction(patience)
        }
        #expect(failure?.requiresAbort == true)
        try producer.abortTransaction(patience)
        #expect(lost.failed == 1)
        try producer.beginTransaction()
        let delivery = try produce(1, with: producer)
        try producer.commitTransaction(patience)
        #expect(delivery.isComplete)
    }

    // D6: an offset that is gone is an error and never a jump.
    @Test("an offset that does not exist is an error")
    func offsetOutOfRange() throws {
        let producer = try KafkaProducer(settings)
        _ = try produce(3, with: producer)
        try producer.flush(patience)
        let reading = try Reading(settings, partition, from: 1_000)
        let failure = #expect(throws: KafkaFailure.self) {
            for _ in 0..<1_200 { _ = try reading.next() }
        }
        #expect(failure?.code == .autoOffsetReset)
        #expect(failure?.message.contains("events-0") == true)
    }

    @Test("fetching goes on after errors and on another leader")
    func fetchErrors() throws {
        let producer = try KafkaProducer(settings)
        _ = try produce(10, with: producer)
        try producer.flush(patience)
        // NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION, KAFKA_STORAGE_ERROR
        cluster.fail(.fetch, with: [6, 3, 56])
        let reading = try Reading(settings, partition)
        #expect(try reading.records(10).map(\.offset) == Array(0..<10))
        cluster.moveLeader(of: "events", 0, to: 3)
        _ = try produce(10, with: producer)
        try producer.flush(patience)
        #expect(try reading.records(10).map(\.offset) == Array(10..<20))
    }

    @Test("messages on their way are given up with their producer")
    func close() throws {
        for broker: Int32 in 1...3 { cluster.setDown(broker, true) }
        let producer = try KafkaProducer(settings)
        let delivery = try produce(100, with: producer)
        #expect(delivery.pending == 100)
        producer.purge()
        #expect(delivery.failed == 100)
        producer.close()
    }
}
