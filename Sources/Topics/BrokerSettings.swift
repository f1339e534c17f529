public import ConnectorSDK

/// How topics on an Apache Kafka cluster are reached and used: what stands below `broker:`.
public struct BrokerSettings: Sendable {
    /// What the store's own topics and the ids of its transactions begin with.
    public var cluster: String
    /// Copies of each partition of a topic that is created; `nil` for the cluster's default.
    public var replicationFactor: Int32?
    /// Whether records and positions are one transaction.
    public var usesTransactions: Bool
    /// Every other key, for the client library; may hold secrets.
    public var client: [String: String]

    private static let serversKey = ConfigKey.required(
        "bootstrap.servers",
        help: "One or more brokers as `HOST:PORT`, with commas between them."
    )
    private static let clusterKey = ConfigKey.string(
        "cluster",
        default: "millrace",
        help: """
            The name that positions are kept under: in the compacted topic `<cluster>-offsets`, \
            with `<cluster>-states` and `<cluster>-schemas` beside it. Runs with different names \
            know nothing of each other.
            """
    ) { name in TopicName.problem(name + "-offsets") }
    private static let replicationKey = ConfigKey<Int>.int(
        "replication.factor",
        default: -1,
        in: -1...1_000,
        help: "Copies of each partition of a topic that is created; `-1` is the cluster's default."
    )
    private static let transactionsKey = ConfigKey<Bool>.bool(
        "transactions",
        default: true,
        help: """
            Records and the position they were read from are one transaction: exactly once. \
            `false` is for clusters without transactions: records come at least once, and after a \
            failure some come twice.
            """
    )

    /// The keys that are Millrace's own; all others are the client library's.
    public static let configuration = ConfigSpec().with(serversKey).with(clusterKey)
        .with(replicationKey).with(transactionsKey)

    /// The keys of which none is the client library's.
    private static let ownKeys = [
        clusterKey.declaration.name, replicationKey.declaration.name,
        transactionsKey.declaration.name,
    ]

    /// What is wrong with values, as far as it shows without the client library.
    public static func problems(in values: [String: String]) -> [ConfigIssue] {
        configuration.validate(values.filter { configuration.declaration(for: $0.key) != nil })
    }

    /// Reads values whose references are resolved.
    public init(_ values: [String: String]) throws(ConnectorError) {
        let configuration = Configuration(values)
        cluster = try configuration.get(Self.clusterKey)
        let factor = try configuration.get(Self.replicationKey)
        replicationFactor = factor > 0 ? Int32(factor) : nil
        usesTransactions = try configuration.get(Self.transactionsKey)
        _ = try configuration.get(Self.serversKey)
        client = values
        for key in Self.ownKeys { client[key] = nil }
    }
}
