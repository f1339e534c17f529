internal import CKafka

/// How to reach a cluster: librdkafka's configuration keys and their values, all of them allowed.
public struct KafkaSettings: Sendable, Hashable {
    /// Every key that was set.
    public private(set) var values: [String: String]

    /// Makes settings from keys and values.
    public init(_ values: [String: String] = [:]) { self.values = values }

    /// The value of a key.
    public subscript(key: String) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// The same with values for keys that are not set.
    public func withDefaults(_ defaults: [String: String]) -> KafkaSettings {
        KafkaSettings(values.merging(defaults) { own, _ in own })
    }

    /// The same with values that are not for a user to choose.
    public func overriding(_ others: [String: String]) -> KafkaSettings {
        KafkaSettings(values.merging(others) { $1 })
    }

    /// Without what only producers take, so that others do not warn of it.
    internal var withoutProducing: KafkaSettings {
        KafkaSettings(values.filter { !Self.producing.contains($0.key) })
    }

    private static let producing: Set<String> = [
        "transactional.id", "transaction.timeout.ms", "enable.idempotence", "acks",
        "compression.type", "compression.codec", "compression.level", "linger.ms",
        "queue.buffering.max.ms", "queue.buffering.max.messages", "queue.buffering.max.kbytes",
        "batch.size", "batch.num.messages", "message.timeout.ms", "delivery.timeout.ms",
        "partitioner", "retries", "message.send.max.retries",
    ]

    /// Whether a key's value is never shown.
    public static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        return ["password", "secret", "token", "key.pem", "private", "credential"].contains {
            key.contains($0)
        } || ["sasl.oauthbearer.config", "sasl.jaas.config"].contains(key)
    }

    /// The text without any secret that is part of it. (D8)
    internal func redact(_ text: String) -> String {
        var result = text
        for (key, value) in values where Self.isSecret(key) && !value.isEmpty {
            result = result.split(separator: value, omittingEmptySubsequences: false)
                .joined(separator: "***")
        }
        return result
    }

    /// Checks that librdkafka knows every key and takes every value, without connecting.
    public func check() throws(KafkaFailure) {
        try KafkaLibrary.load()
        let configuration = ConfigurationHandle()
        try configuration.set(self)
    }

    /// What is wrong with a value, in words that show no secret.
    internal func failure(setting key: String, _ text: String, isUnknown: Bool) -> KafkaFailure {
        let value = Self.isSecret(key) ? "what it is" : "`\(values[key] ?? "")`"
        if isUnknown {
            return KafkaFailure(
                .configuration,
                .none,
                "librdkafka has no setting \(key).",
                at: key,
                hint: "Its documentation lists them in CONFIGURATION.md; this is version "
                    + "\(String(cString: rd_kafka_version_str()))."
            )
        }
        let said = Self.isSecret(key) ? "the value is refused" : redact(text)
        return KafkaFailure(
            .configuration,
            .none,
            "The setting \(key) cannot be \(value): \(said).",
            at: key
        )
    }
}

extension KafkaSettings: CustomStringConvertible, CustomDebugStringConvertible {
    /// The settings in order, without secrets.
    public var description: String {
        values.sorted { $0.key < $1.key }.map { key, value in
            "\(key)=\(Self.isSecret(key) ? "***" : value)"
        }.joined(separator: " ")
    }

    /// The settings in order, without secrets.
    public var debugDescription: String { description }
}
