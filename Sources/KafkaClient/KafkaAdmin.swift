internal import CKafka

/// Looks at and changes what a cluster holds.
///
/// May be used from any thread; every call blocks.
public final class KafkaAdmin: Sendable {
    internal let client: ClientHandle
    internal let groupClients: GroupClients
    /// How long a request may take.
    public let timeout: Duration

    /// Makes an administrator; connecting begins, and is not waited for.
    public init(
        _ settings: KafkaSettings,
        timeout: Duration = .seconds(30),
        observer: KafkaObserver = KafkaObserver()
    ) throws(KafkaFailure) {
        self.timeout = timeout
        groupClients = GroupClients()
        // Of the two kinds, only a consumer can ask about a topic without creating it.
        client = try ClientHandle(
            RD_KAFKA_CONSUMER,
            settings.withoutProducing.overriding(["allow.auto.create.topics": "false"]),
            observer
        )
    }

    /// The same, for requests that may take another time.
    public func allowing(_ timeout: Duration) -> KafkaAdmin {
        KafkaAdmin(client, groupClients, timeout)
    }

    private init(_ client: ClientHandle, _ groupClients: GroupClients, _ timeout: Duration) {
        self.client = client
        self.groupClients = groupClients
        self.timeout = timeout
    }

    /// The brokers and topics of the cluster; with a name, that topic alone.
    ///
    /// A topic that does not exist is not among the topics.
    public func metadata(topic: String? = nil) throws(KafkaFailure) -> KafkaMetadata {
        let handle = try topic.map { (name) throws(KafkaFailure) in try TopicHandle(client, name) }
        var result: UnsafePointer<rd_kafka_metadata>?
        let what = topic.map { "Asking about the topic \($0)" } ?? "Asking for the topics"
        let code = client.patiently(timeout) { milliseconds in
            rd_kafka_metadata(
                client.pointer,
                topic == nil ? 1 : 0,
                handle?.pointer,
                &result,
                milliseconds
            )
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let result else {
            throw client.failure(code, doing: what)
        }
        defer { rd_kafka_metadata_destroy(result) }
        client.events.forgetError()
        return try KafkaMetadata(result.pointee, client, what)
    }

    /// Creates a topic with `replication` copies of each partition, `nil` for the cluster's
    /// default, and settings of its own.
    public func createTopic(
        _ name: String,
        partitions: Int32,
        replication: Int32?,
        configuration: [String: String] = [:]
    ) throws(KafkaFailure) {
        let what = "Creating the topic \(name)"
        var text = [CChar](repeating: 0, count: 512)
        let topic = rd_kafka_NewTopic_new(name, partitions, replication ?? -1, &text, text.count)
        guard topic != nil else {
            let said = String(buffer: text)
            throw KafkaFailure(.refused, .none, "\(what) failed: \(said).")
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in configuration.sorted(by: { $0.key < $1.key }) {
            let code = rd_kafka_NewTopic_set_config(topic, key, value)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw client.failure(code, doing: what)
            }
        }
        try requestTopic(.createTopics, about: topic, doing: what)
    }

    /// Deletes a topic.
    public func deleteTopic(_ name: String) throws(KafkaFailure) {
        let what = "Deleting the topic \(name)"
        let topic = rd_kafka_DeleteTopic_new(name)
        defer { rd_kafka_DeleteTopic_destroy(topic) }
        try requestTopic(.deleteTopics, about: topic, doing: what)
    }

    /// Adds partitions, so that there are `count`.
    public func growTopic(_ name: String, to count: Int32) throws(KafkaFailure) {
        let what = "Adding partitions to the topic \(name)"
        var text = [CChar](repeating: 0, count: 512)
        let partitions = rd_kafka_NewPartitions_new(name, Int(count), &text, text.count)
        guard partitions != nil else {
            let said = String(buffer: text)
            throw KafkaFailure(.refused, .none, "\(what) failed: \(said).")
        }
        defer { rd_kafka_NewPartitions_destroy(partitions) }
        try requestTopic(.createPartitions, about: partitions, doing: what)
    }
}
