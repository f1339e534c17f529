internal import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

/// The cluster's topics that a sink writes to, created where they are missing.
internal final class TargetTopics {
    /// What has to be known of a topic.
    internal struct Target {
        internal var partitions: Int32
        /// The largest record, in bytes.
        internal var limit: Int
    }

    /// Kafka's default of `max.message.bytes`, where the cluster does not tell.
    private static let defaultLimit = 1_048_588
    private let settings: KafkaSinkSettings
    private let admin: KafkaAdmin
    private let context: ConnectorContext
    private var known: [String: Target] = [:]

    internal init(
        _ settings: KafkaSinkSettings,
        _ context: ConnectorContext
    ) throws(ConnectorError) {
        self.settings = settings
        self.context = context
        admin = try settings.cluster.makeAdmin()
    }

    /// The topic that records of `origin` go to, with room for their partition.
    internal func target(
        _ name: String,
        from origin: String,
        holding partition: Int32
    ) throws(ConnectorError) -> Target {
        if let target = known[name], partition < target.partitions { return target }
        var target = try existing(name, from: origin)
        if partition >= target.partitions {
            let here = try context.countPartitions(origin) ?? 0
            try grow(name, from: target.partitions, to: max(partition + 1, here))
            target = try existing(name, from: origin, atLeast: partition + 1)
        }
        known[name] = target
        return target
    }

    /// The number of partitions of the topic of offsets, which is made if it does not exist.
    internal func provideOffsetsTopic() throws(ConnectorError) -> Int32 {
        let name = settings.offsetsTopic
        let policy = ["cleanup.policy": "compact"]
        let found = try find(name, orCreate: SinkOffsets.partitionCount, policy, creates: true)
        // Who may not ask is believed.
        let told = (try? admin.configuration(ofTopic: name))?["cleanup.policy"]?.value
        if let told, told != "compact" {
            throw ConnectorError(
                KafkaCodes.connector.configuration,
                .failTask,
                "The topic \(name) has cleanup.policy \(told), so that offsets in it would be "
                    + "lost.",
                kind: .environment,
                at: KafkaSinkKeys.offsetsTopic.declaration.name,
                hint: "Set its cleanup.policy to compact, or name another topic."
            )
        }
        return found
    }

    private func existing(
        _ name: String,
        from origin: String,
        atLeast least: Int32 = 1
    ) throws(ConnectorError) -> Target {
        let here = try context.countPartitions(origin)
        let count = try find(
            name,
            orCreate: settings.partitions ?? here ?? 1,
            settings.topicConfiguration,
            creates: settings.creates,
            atLeast: least
        )
        let limit = (try? admin.configuration(ofTopic: name))?["max.message.bytes"]?.value
        return Target(partitions: count, limit: limit.flatMap { Int($0) } ?? Self.defaultLimit)
    }

    /// Waits until the cluster shows a topic that was created, or has grown, a moment ago.
    private func find(
        _ name: String,
        orCreate partitions: Int32,
        _ configuration: [String: String],
        creates: Bool,
        atLeast least: Int32 = 1
    ) throws(ConnectorError) -> Int32 {
        let deadline = ContinuousClock.now + settings.cluster.timeout
        var isCreated = false
        while true {
            let found = try onCluster { () throws(KafkaFailure) in
                try admin.metadata(topic: name).topics[name]
            }
            if let found, found.count >= least { return Int32(found.count) }
            if found == nil, !isCreated {
                guard creates else { throw missing(name) }
                try create(name, partitions, configuration)
                isCreated = true
            }
            guard ContinuousClock.now < deadline else {
                throw ConnectorError(
                    .kafkaNoTopic,
                    .retry(after: nil),
                    "The cluster does not show the topic `\(name)` with \(least) partitions.",
                    kind: .environment
                )
            }
            Pause.shortly()
        }
    }

    private func create(
        _ name: String,
        _ partitions: Int32,
        _ configuration: [String: String]
    ) throws(ConnectorError) {
        do throws(KafkaFailure) {
            try admin.createTopic(
                name,
                partitions: partitions,
                replication: settings.replication,
                configuration: configuration
            )
        } catch {
            // Another task was faster.
            guard error.code == .topicAlreadyExists else { throw ConnectorError(error) }
        }
    }

    private func grow(
        _ name: String,
        from count: Int32,
        to wanted: Int32
    ) throws(ConnectorError) {
        let tooFew = ConnectorError(
            .kafkaNoPartition,
            .failTask,
            "The topic `\(name)` of the cluster has \(count) partitions; records ask for "
                + "partition \(wanted - 1).",
            kind: .environment,
            at: KafkaSinkKeys.partition.declaration.name,
            hint: "Add partitions to it, or have records placed by their keys with `partition: "
                + "hash`."
        )
        guard settings.creates else { throw tooFew }
        do throws(KafkaFailure) {
            try admin.growTopic(name, to: wanted)
        } catch {
            // Another task was faster: whoever looks again sees it.
            guard error.kind == .refused else { throw ConnectorError(error) }
            let found = try onCluster { () throws(KafkaFailure) in
                try admin.metadata(topic: name).topics[name]
            }
            guard let found, Int32(found.count) >= wanted else {
                var failure = tooFew
                failure.underlying = error
                throw failure
            }
        }
    }

    private func missing(_ name: String) -> ConnectorError {
        let known = (try? admin.metadata().topics.keys.sorted()) ?? []
        let nearest = Spelling.nearest(to: name, in: known).map { "Did you mean `\($0)`? " } ?? ""
        return ConnectorError(
            .kafkaNoTopic,
            .failTask,
            "The cluster has no topic `\(name)`, and `auto.create` is false.",
            kind: .environment,
            at: KafkaSinkKeys.topic.declaration.name,
            hint: nearest + "Create it, or set `auto.create: true`."
        )
    }
}
