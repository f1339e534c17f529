public import ConnectorSDK
public import KafkaClient

/// The codes of what goes wrong on a cluster; they begin with the part of Millrace that reports
/// it.
public struct KafkaCodes: Sendable {
    /// The cluster cannot be reached, or does not answer.
    public let unreachable: ConnectorError.Code
    /// The cluster refuses the credentials, or the right to do something.
    public let denied: ConnectorError.Code
    /// Another process runs the same task.
    public let fenced: ConnectorError.Code
    /// The cluster refused a request.
    public let refused: ConnectorError.Code
    /// librdkafka is missing or does not take a setting.
    public let configuration: ConnectorError.Code

    /// Makes the codes of a part, such as `kafka.unreachable`.
    public init(_ part: String) {
        unreachable = .init("\(part).unreachable")
        denied = .init("\(part).denied")
        fenced = .init("\(part).fenced")
        refused = .init("\(part).refused")
        configuration = .init("\(part).configuration")
    }
}

extension ConnectorError {
    /// Makes the error that a failure is to the engine.
    public init(_ failure: KafkaFailure, _ codes: KafkaCodes) {
        let (code, disposition, kind): (Code, Disposition, Kind) =
            switch failure.kind {
            case .library: (codes.configuration, .failTask, .environment)
            case .configuration: (codes.configuration, .failTask, .configuration)
            case .unreachable: (codes.unreachable, .retry(after: nil), .environment)
            case .authentication, .authorization: (codes.denied, .failTask, .environment)
            case .fenced: (codes.fenced, .failTask, .runtime)
            // A new client begins where the last commit ended.
            case .fatal, .retriable: (codes.refused, .retry(after: nil), .environment)
            case .refused: (codes.refused, .failTask, .runtime)
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
