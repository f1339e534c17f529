import Foundation
import KafkaClient
import TestServices
import Testing

@Suite("Kafka source with failing clusters", .timeLimit(.minutes(10)))
struct KafkaSourceErrorTests {
    private func pipeline(_ server: String, _ keys: String) -> String {
        """
        pipeline: mirror
        sources:
          cluster:
            connector: kafka
            bootstrap.servers: \(server)
            topics: [orders]
            errors.retry.timeout: 0
            \(keys)
        """
    }

    private func fill(_ cluster: KafkaMockHandle, _ numbers: ClosedRange<Int>) throws {
        let producer = try KafkaProducer(KafkaSettings(["bootstrap.servers": cluster.bootstrap]))
        let delivery = KafkaDelivery()
        for number in numbers {
            try producer.produce(
                to: KafkaPartition("orders", 0),
                key: nil,
                value: Array("\(number)".utf8),
                into: delivery
            )
        }
        try producer.flush(.seconds(120))
        #expect(delivery.isComplete)
    }

    @Test("nobody listens: the error names the key, and the exit code the environment")
    func unreachable() async throws {
        let mirror = try Mirror(pipeline("127.0.0.1:1", "request.timeout.ms: 5s"))
        let result = try await mirror.run("--until-end", expecting: 3)
        #expect(result.errors.contains("bootstrap.servers"))
        #expect(result.errors.contains("127.0.0.1:1"))
    }

    @Test("a password that is not taken is named by its key and never shown")
    func password() async throws {
        let cluster = try KafkaMockHandle()
        let mirror = try Mirror(
            pipeline(
                cluster.bootstrap,
                """
                security.protocol: sasl_plaintext
                    sasl: {mechanism: PLAIN, username: me, password: hunter2secret}
                """
            )
        )
        let result = try await mirror.run("--until-end", expecting: 3)
        #expect(result.errors.contains("sasl.password"), "\(result.errors)")
        #expect(!result.errors.contains("hunter2secret"))
    }

    @Test("a misspelt topic is an error with the one that was meant")
    func misspelt() async throws {
        let broker = try KafkaBroker.shared()
        let topic = Mirror.name("parcels")
        try await KafkaJudge(broker).create(topic, partitions: 1)
        let text = pipeline(broker.bootstrap, "").replacing("orders", with: topic + "x")
        let mirror = try Mirror(text)
        let result = try await mirror.run("--until-end", expecting: 2)
        #expect(result.errors.contains("`\(topic)`?"), "\(result.errors)")
        let doctor = try await mirror.directory.millrace("doctor", "p.yaml")
        #expect(doctor.output.contains("Did you mean `\(topic)`?"), "\(doctor.output)")
    }

    @Test("a misspelt key of librdkafka and a wrong value are found without a cluster")
    func keys() async throws {
        let mirror = try Mirror(
            pipeline("127.0.0.1:1", "kafka: {fetch.wait.max.sm: 10}")
        )
        let result = try await mirror.directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == 2)
        #expect((result.output + result.errors).contains("fetch.wait.max.sm"))
    }

    @Test("answers that fail for a while lose and double nothing")
    func passing() async throws {
        let cluster = try KafkaMockHandle(brokers: 3)
        cluster.createTopic("orders", partitions: 1, replication: 3)
        try fill(cluster, 1...500)
        // NOT_LEADER_OR_FOLLOWER, REPLICA_NOT_AVAILABLE, REQUEST_TIMED_OUT
        cluster.fail(.fetch, with: [6, 9, 7, 6])
        cluster.moveLeader(of: "orders", 0, to: 2)
        let text = pipeline(cluster.bootstrap, "")
        let mirror = try Mirror(text.replacing("retry.timeout: 0", with: "retry.timeout: 120s"))
        try await mirror.run("--until-end")
        let read = try await mirror.records(of: "orders")
        #expect(read.map(\.value) == (1...500).map { "\($0)" })
    }

    // D6: what is gone is an error with numbers and a way out.
    @Test("an offset that the partition does not hold stops the source, and can be set")
    func outOfRange() async throws {
        let cluster = try KafkaMockHandle()
        cluster.createTopic("orders", partitions: 1)
        try fill(cluster, 1...5)
        let mirror = try Mirror(pipeline(cluster.bootstrap, ""))
        try await mirror.run("--until-end")
        func set(_ offset: Int) async throws {
            let result = try await mirror.directory.millrace(
                "offsets",
                "set",
                "cluster",
                "--partition",
                "orders-0",
                "--offset",
                #"{"offset":\#(offset)}"#
            )
            #expect(result.exitCode == 0, "\(result.errors)")
        }
        try await set(99)
        let result = try await mirror.run(expecting: 1)
        #expect(result.errors.contains("Offset 99 of orders-0"), "\(result.errors)")
        #expect(result.errors.contains("offsets set cluster"))
        try await set(4)
        try await mirror.run("--until-end")
        let read = try await mirror.records(of: "orders").map(\.value)
        #expect(read == ["1", "2", "3", "4", "5", "5"])
    }
}
