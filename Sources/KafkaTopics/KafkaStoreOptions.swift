/// How a store uses a cluster.
public struct KafkaStoreOptions: Sendable {
    /// The name that the store's own topics begin with.
    public var name = "millrace"
    /// Copies of each partition of a topic that is created; `nil` for the cluster's default.
    public var replicationFactor: Int32?
    /// Whether units are transactions.
    ///
    /// Without them they are delivered record by record, at least once.
    public var usesTransactions = true
    /// How long a request may take before it is an error.
    public var timeout: Duration = .seconds(60)
    /// Bytes of units that may wait to become durable; more than this makes nothing faster. (D7)
    public var bytesInFlight = 16 << 20

    /// Topics that are no user's, besides the store's own.
    public var hiddenTopics: Set<String> = []
    /// Hears librdkafka's log, with syslog's levels.
    public var log: (@Sendable (_ level: Int, _ text: String) -> Void)?

    /// Makes the options of a store named `millrace`.
    public init() {}

    /// Positions of sources: key and value as ``PositionKey`` says.
    internal var positionsTopic: String { name + "-offsets" }
    /// What transforms remember.
    internal var statesTopic: String { name + "-states" }
    /// Schemas; the offset of a schema's first record is its id.
    internal var schemasTopic: String { name + "-schemas" }
    /// Partitions of the first two, as Kafka Connect has them.
    internal static let partitions: Int32 = 25
}
