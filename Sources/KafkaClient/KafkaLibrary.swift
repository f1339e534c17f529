internal import CKafka

/// librdkafka as it was found when it was first needed.
public enum KafkaLibrary {
    /// Its version, such as `2.0.2`.
    public static func version() throws(KafkaFailure) -> String {
        try load()
        return String(cString: rd_kafka_version_str())
    }

    /// Whether it skips tagged fields as Kafka's protocol says, which versions before 2.2 do not.
    ///
    /// Older ones cannot talk to a broker that adds several such fields to its list of versions.
    public static func skipsTaggedFields() throws(KafkaFailure) -> Bool {
        try load()
        // One byte each for major, minor, revision and the kind of release.
        return rd_kafka_version() >= 0x0202_0000
    }

    /// Those of the settings that this version has; it must have been loaded.
    internal static func known(_ settings: [String: String]) -> [String: String] {
        let configuration = ConfigurationHandle()
        return settings.filter { configuration.knows($0.key) }
    }

    /// Loads it, once.
    internal static func load() throws(KafkaFailure) {
        guard let problem = mr_kafka_load() else { return }
        throw KafkaFailure(
            .library,
            .none,
            "The Kafka client library cannot be loaded: \(String(cString: problem)).",
            hint: "Install it: on Debian, apt-get install librdkafka1. MILLRACE_LIBRDKAFKA may "
                + "name the file."
        )
    }
}
