public import ConnectorSDK
public import PipelineEngine
import Topics

extension TopicDefinition {
    private static let partitionsKey = ConfigKey<Int>.int(
        "partitions",
        default: 1,
        // Each partition keeps three files open; Kafka's own advice per broker is of this size.
        in: 1...4_000,
        importance: .high,
        help: """
            The number of partitions. Records with one key stay in one partition, in order; \
            tasks share a topic by partitions.
            """
    )

    /// The keys of an entry below `topics:`.
    public static let configuration = ConfigSpec().with(partitionsKey)
        .merging(TopicSettings.configuration)

    /// Reads an entry below `topics:`.
    public init(name: String, _ configuration: Configuration) throws(ConnectorError) {
        self.init(
            name: name,
            partitions: Int32(try configuration.get(Self.partitionsKey)),
            settings: try TopicSettings(configuration)
        )
    }
}
