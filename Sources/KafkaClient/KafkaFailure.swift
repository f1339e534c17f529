/// What went wrong between this process and a Kafka cluster.
///
/// Holds no secret and no record.
public struct KafkaFailure: Error, Sendable, Hashable {
    /// What follows from a failure.
    public enum Kind: Hashable, Sendable {
        /// librdkafka is missing or too old.
        case library
        /// A setting is unknown or its value cannot be.
        case configuration
        /// No broker can be reached, or none answers.
        case unreachable
        /// The broker and the client do not agree on who this is, or on encryption.
        case authentication
        /// The user may not do this.
        case authorization
        /// A newer client with the same identity has taken over; this one is of no more use.
        case fenced
        /// The client is of no more use; a new one may be.
        case fatal
        /// The same request may succeed later.
        case retriable
        /// The request was refused, and will be again.
        case refused
    }

    /// What follows from it.
    public var kind: Kind
    /// The number behind it.
    public var code: KafkaErrorCode
    /// What happened, in one or two sentences.
    public var message: String
    /// The configuration key at fault.
    public var configurationKey: String?
    /// What to do about it.
    public var hint: String?
    /// Whether the transaction must be aborted before anything else.
    public var requiresAbort = false

    /// Makes a failure.
    public init(
        _ kind: Kind,
        _ code: KafkaErrorCode,
        _ message: String,
        at configurationKey: String? = nil,
        hint: String? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.configurationKey = configurationKey
        self.hint = hint
    }

    /// Whether the same client may succeed with the same request later.
    public var isRetriable: Bool { kind == .retriable || kind == .unreachable }
}

extension KafkaFailure: CustomStringConvertible {
    /// Safe to show.
    public var description: String {
        let key = configurationKey.map { "\($0): " } ?? ""
        return "\(key)\(message)\(hint.map { " \($0)" } ?? "")"
    }
}

extension KafkaFailure {
    /// Names the key at fault and a way out, where the code tells.
    internal func advised(for settings: KafkaSettings) -> KafkaFailure {
        var failure = self
        let usesSASL = settings["security.protocol"]?.lowercased().hasPrefix("sasl") ?? false
        switch kind {
        case .unreachable:
            failure.configurationKey = failure.configurationKey ?? "bootstrap.servers"
            failure.hint =
                failure.hint
                ?? "Check that a broker listens there, with this security.protocol, and that the "
                + "address it advertises can be reached from here."
        case .authentication where code.rawValue == -181:
            failure.configurationKey = failure.configurationKey ?? "security.protocol"
            failure.hint =
                failure.hint
                ?? "Check that the broker's listener uses TLS, and that ssl.ca.location names the "
                + "authority that signed its certificate."
        case .authentication:
            failure.configurationKey =
                failure.configurationKey ?? (usesSASL ? "sasl.password" : "security.protocol")
            failure.hint =
                failure.hint ?? "Check security.protocol, sasl.mechanism, sasl.username and "
                + "sasl.password against the broker's listener."
        case .authorization:
            failure.hint = failure.hint ?? "Give the user the right to do this (kafka-acls)."
        case .fenced:
            failure.configurationKey = failure.configurationKey ?? "transactional.id"
            failure.hint =
                failure.hint ?? "Another process runs the same task; it goes on there. Nothing "
                + "that was committed is lost."
        // Transactions say their own, and only producers know the key.
        case .refused
        where code == .unsupportedFeature && settings["transactional.id"] == nil
            && settings["enable.idempotence"] == "true":
            failure.kind = .configuration
            failure.configurationKey = "enable.idempotence"
            failure.hint =
                "With `enable.idempotence: false` a retry may write records twice, or in another "
                + "order."
        default: break
        }
        return failure
    }
}
