internal import ConnectorSDK
internal import KafkaClient

extension ConnectorError.Code {
    /// The cluster cannot be reached, or does not answer.
    internal static let kafkaUnreachable = Self("kafka.unreachable")
    /// The cluster refuses the credentials, or the right to do something.
    internal static let kafkaDenied = Self("kafka.denied")
    /// Another process runs the same task.
    internal static let kafkaFenced = Self("kafka.fenced")
    /// The cluster refused a request.
    internal static let kafkaRefused = Self("kafka.refused")
    /// librdkafka is missing or does not take a setting.
    internal static let kafkaConfiguration = Self("kafka.configuration")
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
    internal init(_ failure: KafkaFailure) {
        let (code, disposition, kind): (Code, Disposition, Kind) =
            switch failure.kind {
            case .library: (.kafkaConfiguration, .failTask, .environment)
            case .configuration: (.kafkaConfiguration, .failTask, .configuration)
            case .unreachable: (.kafkaUnreachable, .retry(after: nil), .environment)
            case .authentication, .authorization: (.kafkaDenied, .failTask, .environment)
            case .fenced: (.kafkaFenced, .failTask, .runtime)
            // A new client begins where the last commit ended.
            case .fatal, .retriable: (.kafkaRefused, .retry(after: nil), .environment)
            case .refused: (.kafkaRefused, .failTask, .runtime)
            }
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
}

/// Runs a request, and makes its failure one of the engine's.
internal func onCluster<T>(
    _ body: () throws(KafkaFailure) -> T
) throws(ConnectorError) -> T {
    do throws(KafkaFailure) { return try body() } catch { throw ConnectorError(error) }
}
