public import ConnectorSDK

/// Writes topics into a topic, through transforms.
///
/// The records and the group's offsets are one commit (D2): each record is in the target exactly
/// once.
public final class TopicSink: SinkConnector {
    public static let name = "topic"
    public static let summary = "Writes topics into a topic, through transforms, exactly once."
    public static let configuration = ConfigSpec().with(TopicKeys.topic).with(TopicKeys.partition)
    public static let writesTopics = true

    public let input = SinkInput.encoded
    private let context: ConnectorContext
    private let placement: RecordPlacement
    private var target: TargetTopic
    private var appender: (any TopicAppender)?

    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        target = try TargetTopic(configuration)
        placement = try configuration.get(TopicKeys.partition)
        self.context = context
    }

    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        appender = try context.makeTopicAccess?().makeAppender(placement)
        return try appender?.committedOffsets(of: partitions)
    }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        try appender?.append(batch, to: target.name(for: batch))
    }

    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        try appender?.commit(offsets)
    }

    public func close() async { appender?.close() }
}
