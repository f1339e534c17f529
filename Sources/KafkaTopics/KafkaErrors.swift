internal import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

extension KafkaCodes {
    internal static let topics = KafkaCodes("topics")
}

extension ConnectorError.Code {
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
        self.init(failure, .topics)
        if failure.code == .unknownTopicOrPartition || failure.code == .unknownTopic {
            // Brokers that have just been started may not know of a topic for a while.
            (code, disposition, kind) = (.topicUnknown, .retry(after: nil), .environment)
        }
        guard failure.kind == .refused else { return }
        switch failure.code {
        case .topicAlreadyExists: code = .topicExists
        case .autoOffsetReset, .offsetOutOfRange: code = .topicOffsetOutOfRange
        default: break
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
