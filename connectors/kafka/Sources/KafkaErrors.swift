internal import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

extension KafkaCodes {
    internal static let connector = KafkaCodes("kafka")
}

extension ConnectorError.Code {
    /// A topic that is to be read or written does not exist.
    internal static let kafkaNoTopic = Self("kafka.no_topic")
    /// What was to be read next is gone.
    internal static let kafkaLost = Self("kafka.records_lost")
    /// A topic has fewer partitions than records ask for.
    internal static let kafkaNoPartition = Self("kafka.no_such_partition")
    /// A record is larger than the topic takes.
    internal static let kafkaTooLarge = Self("kafka.record_too_large")
}

extension ConnectorError {
    /// The failure as the engine sees it.
    internal init(_ failure: KafkaFailure) { self.init(failure, .connector) }
}

/// Runs a request, and makes its failure one of the engine's.
internal func onCluster<T>(
    _ body: () throws(KafkaFailure) -> T
) throws(ConnectorError) -> T {
    do throws(KafkaFailure) { return try body() } catch { throw ConnectorError(error) }
}
