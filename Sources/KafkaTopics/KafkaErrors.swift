public import ConnectorSDK
internal import KafkaClient

extension ConnectorError.Code {
    /// The cluster cannot be reached, or does not answer.
    public static let kafkaUnreachable = Self("topics.unreachable")
    /// The cluster refuses the credentials, or the right to do something.
    public static let kafkaDenied = Self("topics.denied")
    /// Another process runs the same task.
    public static let kafkaFenced = Self("topics.fenced")
    /// The cluster refused a request.
    public static let kafkaRefused = Self("topics.refused")
    /// librdkafka is missing or does not take a setting.
    public static let kafkaConfiguration = Self("topics.configuration")
    /// The topic or partition does not exist.
    internal static let topicUnknown = Self("topics.unknown")
    /// A topic of this name exists already.
    internal static let topicExists = Self("topics.exists")
    /// The offset asked for is not between the log start offset and the high watermark.
    internal static let topicOffsetOutOfRange = Self("topics.offset_out_of_range")
    /// The store or the producer was closed.
    internal static let topicsClosed = Self("topics.closed")
    /// A topic of the store's own holds what it has not written.
    internal static let topicState = Self("topics.state")
}

extension ConnectorError {
    /// The failure as the engine sees it.
    internal init(_ failure: KafkaFailure) {
        let (code, disposition, kind) = Self.consequences(of: failure)
        self.init(
            code,
            disposition,
            failure.message,
            kind: kind,
            at: failure.configurationKey,
            hint: failure.hint,
            underlying: failure
        )
    }

    private static func consequences(
        of failure: KafkaFailure
    ) -> (Code, Disposition, Kind) {
        switch failure.kind {
        case .library: (.kafkaConfiguration, .failTask, .environment)
        case .configuration: (.kafkaConfiguration, .failTask, .configuration)
        case .unreachable: (.kafkaUnreachable, .retry(after: nil), .environment)
        case .authentication, .authorization: (.kafkaDenied, .failTask, .environment)
        case .fenced: (.kafkaFenced, .failTask, .runtime)
        // A new producer begins where the last commit ended.
        case .fatal, .retriable: (.kafkaRefused, .retry(after: nil), .environment)
        case .refused:
            switch failure.code {
            case .topicAlreadyExists: (.topicExists, .failTask, .runtime)
            case .unknownTopicOrPartition: (.topicUnknown, .failTask, .runtime)
            case .autoOffsetReset, .offsetOutOfRange:
                (.topicOffsetOutOfRange, .failTask, .runtime)
            default: (.kafkaRefused, .failTask, .runtime)
            }
        }
    }

    /// Makes the error of a topic that does not exist.
    internal static func unknownTopic(_ topic: String) -> Self {
        Self(
            .topicUnknown,
            .failTask,
            "The topic \(topic) does not exist.",
            hint: "Create it, or name it under `topics:` in the pipeline file."
        )
    }
}

/// Runs a request, and makes its failure one of the engine's.
internal func onCluster<T>(
    _ body: () throws(KafkaFailure) -> T
) throws(ConnectorError) -> T {
    do throws(KafkaFailure) { return try body() } catch { throw ConnectorError(error) }
}
