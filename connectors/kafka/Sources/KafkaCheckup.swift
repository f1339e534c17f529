internal import ConnectorSDK
internal import KafkaClient

/// Looks at a cluster before a run, and notes what it finds.
internal struct KafkaCheckup {
    /// Nobody wants to wait for hundreds of topics.
    private static let topicLimit = 8
    private static let patience = Duration.seconds(10)

    internal private(set) var checks: [PreflightCheck] = []
    internal let admin: KafkaAdmin
    private let settings: KafkaSettings

    internal init(_ cluster: KafkaCluster, name: String) throws(ConnectorError) {
        settings = cluster.settings
        let settings = settings, patience = min(cluster.timeout, Self.patience)
        admin = try onCluster { () throws(KafkaFailure) in
            try KafkaAdmin(settings, timeout: patience)
        }
    }

    internal mutating func add(
        _ subject: String,
        _ outcome: PreflightCheck.Outcome,
        _ message: String,
        at key: String? = nil,
        hint: String? = nil
    ) {
        checks.append(PreflightCheck(subject, outcome, message, at: key, hint: hint))
    }

    internal mutating func add(_ subject: String, _ failure: KafkaFailure) {
        checks.append(PreflightCheck(subject, failed: ConnectorError(failure)))
    }

    /// The topics of the cluster, or `nil` when it cannot be asked.
    internal mutating func topics() -> [String: [KafkaMetadata.Partition]]? {
        do throws(KafkaFailure) {
            let metadata = try admin.metadata()
            let version = try KafkaLibrary.version()
            add(
                "cluster",
                .passed,
                "\(metadata.brokers.count) brokers and \(metadata.topics.count) topics; librdkafka "
                    + "\(version).",
                at: KafkaKeys.servers.declaration.name
            )
            return metadata.topics
        } catch {
            add("cluster", error)
            return nil
        }
    }

    /// Notes whether a topic is there.
    internal mutating func exists(
        _ name: String,
        among topics: [String: [KafkaMetadata.Partition]]
    ) -> Bool {
        let key = KafkaSourceKeys.topics.declaration.name
        guard let partitions = topics[name] else {
            let nearest = Spelling.nearest(to: name, in: topics.keys.sorted())
            add(
                "topic \(name)",
                .failed,
                "The cluster has no such topic, or does not show it to this user.",
                at: key,
                hint: nearest.map { "Did you mean `\($0)`?" }
            )
            return false
        }
        let without = partitions.filter { $0.leader < 0 }.count
        add(
            "topic \(name)",
            without == 0 ? .passed : .warning,
            without == 0
                ? "\(partitions.count) partitions."
                : "\(without) of \(partitions.count) partitions have no leader.",
            at: key
        )
        return true
    }

    /// Notes whether the first partition of each topic lets itself be asked.
    internal mutating func readable(_ topics: [String]) {
        guard !topics.isEmpty else { return }
        do throws(KafkaFailure) {
            let consumer = try KafkaConsumer(settings, isolation: .readUncommitted)
            for topic in topics.prefix(Self.topicLimit) {
                _ = try consumer.watermarks(of: KafkaPartition(topic, 0), Self.patience)
            }
            add("offsets", .passed, "The topics tell their offsets.")
        } catch {
            add("offsets", error)
        }
    }
}
