internal import ConnectorSDK
internal import KafkaClient
internal import RecordTemplates

/// The keys of the kafka sink.
internal enum KafkaSinkKeys {
    static let topic = ConfigKey.string(
        "topic",
        default: "${topic}",
        importance: .high,
        help: """
            The cluster's topic that records go to; `${topic}` stands for the name of the topic \
            they come from, `${partition}` for the partition's number.
            """
    )
    static let partition = ConfigKey<RecordPlacement>.choice(
        "partition",
        default: .keep,
        help: """
            `keep`: a record stays in the partition of the same number, unless a transform gave it \
            another key; then, and with `hash`, the key's murmur2 hash decides, as with Kafka's \
            own clients. With `keep` the cluster's topic must have as many partitions.
            """
    )
    enum Support: String, CaseIterable, Sendable {
        case required, requested, disabled
    }
    static let support = ConfigKey<Support>.choice(
        "exactly.once.support",
        default: .required,
        importance: .high,
        help: """
            `required`: records and offsets are one transaction of the cluster, so each record is \
            there once for readers of committed records; a cluster without transactions is an \
            error. `requested`: the same, but at least once, with a warning, where there are no \
            transactions. `disabled`: at least once.
            """,
        dependents: ["transactional.id", "offsets.topic", "transaction.timeout.ms"]
    )
    static let transactionalID = ConfigKey<String?>.optional(
        "transactional.id",
        help: """
            The name that tells this sink from all others that write to the cluster; \
            `millrace-NAME`. A second process with the same one takes over from the first. Its \
            offsets are kept under this name: with another one the sink begins anew.
            """
    ) { $0.isEmpty ? "must not be empty" : nil }
    static let offsetsTopic = ConfigKey.string(
        "offsets.topic",
        default: "millrace-sink-offsets",
        importance: .low,
        help: """
            The cluster's topic that holds, in the transactions of the records, what was written. \
            It must be compacted, and is created when it does not exist.
            """
    )
    static let transactionTimeout = ConfigKey.duration(
        "transaction.timeout.ms",
        default: .seconds(60),
        in: .seconds(1) ... .seconds(900),
        importance: .low,
        help: "How long the cluster keeps a transaction open of which it hears nothing."
    )
    static let creates = ConfigKey.bool(
        "auto.create",
        default: true,
        help: """
            Whether topics that the cluster lacks are created, and, with `partition: keep`, \
            partitions added to one that has fewer than the topic here.
            """
    )
    static let partitions = ConfigKey.int(
        "topic.creation.default.partitions",
        default: -1,
        in: -1...10_000,
        help: "Partitions of a topic that is created; -1 for as many as the topic here has."
    )
    static let replication = ConfigKey.int(
        "topic.creation.default.replication.factor",
        default: -1,
        in: -1...100,
        help: "Copies of each partition of a topic that is created; -1 for the cluster's default."
    )
    static let configurations = ConfigMapKey(
        "topic.creation.config",
        importance: .low,
        help: """
            Settings of a topic that is created, such as `topic.creation.config.retention.ms: \
            86400000`, in Kafka's units.
            """
    )
    enum Compression: String, CaseIterable, Sendable {
        case none, gzip, snappy, lz4, zstd
    }
    static let compression = ConfigKey<Compression>.choice(
        "compression.type",
        default: Compression.none,
        help: "How batches are compressed on their way to the cluster."
    )
    static let linger = ConfigKey.duration(
        "linger.ms",
        default: .milliseconds(5),
        in: .zero ... .seconds(60),
        importance: .low,
        help: "How long a batch waits for more records."
    )
    static let memory = ConfigKey.size(
        "buffer.memory",
        default: 32 << 20,
        in: (1 << 20)...(2 << 30),
        help: """
            The records, in bytes, that may be on their way to the cluster, of each task. When it \
            does not keep up, or is away, the sink stops reading.
            """
    )

    static let all = KafkaKeys.all
        .with(topic).with(partition).with(support).with(transactionalID).with(offsetsTopic)
        .with(transactionTimeout).with(creates).with(partitions).with(replication)
        .with(configurations).with(compression).with(linger).with(memory)
}

/// The values of the kafka sink's keys.
internal struct KafkaSinkSettings: Sendable {
    let cluster: KafkaCluster
    let target: RecordTemplate
    let placement: RecordPlacement
    let support: KafkaSinkKeys.Support
    let transactionalID: String
    let offsetsTopic: String
    let transactionTimeout: Duration
    let creates: Bool
    let partitions: Int32?
    let replication: Int32?
    let topicConfiguration: [String: String]

    init(_ configuration: Configuration, name: String) throws(ConnectorError) {
        target = try TargetTemplate.read(KafkaSinkKeys.topic, of: configuration)
        placement = try configuration.get(KafkaSinkKeys.partition)
        support = try configuration.get(KafkaSinkKeys.support)
        transactionalID =
            try configuration.get(KafkaSinkKeys.transactionalID) ?? "millrace-\(name)"
        offsetsTopic = try configuration.get(KafkaSinkKeys.offsetsTopic)
        transactionTimeout = try configuration.get(KafkaSinkKeys.transactionTimeout)
        creates = try configuration.get(KafkaSinkKeys.creates)
        let partitions = try configuration.get(KafkaSinkKeys.partitions)
        self.partitions = partitions > 0 ? Int32(partitions) : nil
        let replication = try configuration.get(KafkaSinkKeys.replication)
        self.replication = replication > 0 ? Int32(replication) : nil
        topicConfiguration = configuration.get(KafkaSinkKeys.configurations)
        var cluster = try KafkaCluster(configuration, name: name)
        cluster.settings = cluster.settings.withDefaults([
            "compression.type": try configuration.get(KafkaSinkKeys.compression).rawValue,
            "linger.ms": Self.milliseconds(try configuration.get(KafkaSinkKeys.linger)),
            // D7: what waits in librdkafka; its own default is a gigabyte.
            "queue.buffering.max.kbytes": String(try configuration.get(KafkaSinkKeys.memory) >> 10),
            "queue.buffering.max.messages": "200000",
            // The limit that counts is the topic's, which is looked at record by record.
            "message.max.bytes": "100000000",
            "batch.size": "900000",
            "delivery.timeout.ms": Self.milliseconds(transactionTimeout),
        ])
        self.cluster = cluster
    }

    static func milliseconds(_ duration: Duration) -> String {
        String(Int64(duration / .milliseconds(1)))
    }

    /// The settings of a producer, with or without transactions.
    func producing(inTransactions: Bool) -> KafkaSettings {
        guard inTransactions else { return cluster.settings }
        return cluster.settings.withDefaults([
            "transaction.timeout.ms": Self.milliseconds(transactionTimeout)
        ])
    }
}
