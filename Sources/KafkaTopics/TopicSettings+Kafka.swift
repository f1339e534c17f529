internal import KafkaClient
internal import Topics

extension TopicSettings {
    /// Keys that have no counterpart on a broker.
    private static let unknownToBrokers: Set = ["retention.hold.sinks", "durability"]

    /// What a broker is told: the settings that somebody has given or changed, so that its own
    /// defaults hold for all others.
    internal var kafkaEntries: [String: String] {
        let defaults = Set(TopicSettings().entries.map { "\($0.key)=\($0.value)" })
        var result: [String: String] = [:]
        for (key, value) in entries where !Self.unknownToBrokers.contains(key) {
            guard given.names.contains(key) || !defaults.contains("\(key)=\(value)") else {
                continue
            }
            result[key] = value
        }
        return result
    }

    /// What is to be changed of the settings that a broker tells.
    ///
    /// What nobody has given here stays as it is there, where somebody else may have set it.
    internal func kafkaChanges(from told: [String: KafkaSetting]) -> [String: String?] {
        let defaults = Dictionary(
            uniqueKeysWithValues: TopicSettings().entries.map { ($0.key, $0.value) }
        )
        return kafkaEntries.filter { key, value in
            guard let found = told[key]?.value else { return defaults[key] != value }
            return found != value
        }
    }

    /// Reads what a broker tells; keys that it does not tell keep their defaults.
    ///
    /// Batches are not compressed here: librdkafka makes batches of its own, and compresses those
    /// by the client's `compression.type`.
    internal init(kafka settings: [String: KafkaSetting]) {
        self.init()
        func number(_ key: String) -> Int64? { settings[key]?.value.flatMap { Int64($0) } }
        if let value = settings["cleanup.policy"]?.value {
            let words = Set(value.split(separator: ","))
            cleanupPolicy =
                words.count == 2
                ? .compactAndDelete : CleanupPolicy(rawValue: value) ?? .delete
        }
        if let value = settings["message.timestamp.type"]?.value {
            timestampType = TimestampType(rawValue: value) ?? .createTime
        }
        retentionMilliseconds = number("retention.ms") ?? retentionMilliseconds
        retentionBytes = number("retention.bytes") ?? retentionBytes
        segmentBytes = number("segment.bytes") ?? segmentBytes
        segmentMilliseconds = number("segment.ms") ?? segmentMilliseconds
        // A broker that does not tell has Kafka's default.
        maxMessageBytes = number("max.message.bytes") ?? 1_048_588
        deleteRetentionMilliseconds = number("delete.retention.ms") ?? deleteRetentionMilliseconds
        minCompactionLagMilliseconds =
            number("min.compaction.lag.ms") ?? minCompactionLagMilliseconds
        if let value = settings["min.cleanable.dirty.ratio"]?.value.flatMap({ Double($0) }) {
            minCleanableDirtyRatio = value
        }
        retentionHoldSinks = false
    }
}
