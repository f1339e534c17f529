public import ConnectorSDK
internal import KafkaClient
public import Topics

extension KafkaTopicStore {
    /// The names of the store's own topics, which no other topic can have.
    public var ownTopics: [String] {
        let options = client.options
        return [options.positionsTopic, options.statesTopic, options.schemasTopic]
    }

    /// Makes a topic ready to be copied to, or the topic of an interrupted copy ready again.
    ///
    /// Until ``finishCopy(of:)`` it is neither compacted nor does retention take what is old, and
    /// records keep their times.
    public func prepareCopy(of topic: TopicDescription) throws(ConnectorError) {
        var configuration = topic.settings.kafkaEntries
        configuration.merge(Self.duringCopy) { $1 }
        guard let found = try describe(topic.name) else {
            return try onCluster { () throws(KafkaFailure) in
                try client.admin.createTopic(
                    topic.name,
                    partitions: topic.partitions,
                    replication: client.options.replicationFactor,
                    configuration: configuration
                )
            }
        }
        guard found.partitions == topic.partitions else {
            throw .copyTarget(
                "The topic \(topic.name) has \(found.partitions) partition(s) on the cluster and "
                    + "\(topic.partitions) here: records with one key would leave their partition."
            )
        }
        try change(topic.name, Self.duringCopy.mapValues { $0 })
    }

    /// Gives a topic that was copied the settings that it had.
    public func finishCopy(of topic: TopicDescription) throws(ConnectorError) {
        let entries = topic.settings.kafkaEntries
        var wanted = entries.mapValues { Optional($0) }
        for key in Self.duringCopy.keys { wanted[key] = .some(entries[key]) }
        try change(topic.name, wanted)
    }

    private static let duringCopy = [
        "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1",
        "message.timestamp.type": "CreateTime",
    ]

    /// Changes what is otherwise; `nil` brings the cluster's own value back.
    private func change(_ topic: String, _ wanted: [String: String?]) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in
            let told = try client.admin.configuration(ofTopic: topic)
            let changes = wanted.filter { key, value in
                guard let value else { return told[key].map { !$0.isDefault } ?? false }
                return told[key]?.value != value
            }
            if !changes.isEmpty { try client.admin.alterTopic(topic, changes) }
        }
    }

    /// Copies a partition to the topic of the same name, and reads it back.
    ///
    /// - Parameters:
    ///   - partition: the partition, on both sides.
    ///   - source: the store that has it.
    ///   - offsets: those whose new value is wanted.
    ///   - progress: hears now and then how many more records are there.
    /// - Returns: what has become of it.
    /// - Throws: `copy.target` when something else is in the partition, `copy.differs` when what is
    ///   read back is not what was written.
    public func copy(
        _ partition: TopicPartition,
        from source: any TopicStore,
        translating offsets: [Int64],
        progress: @escaping (Int64) -> Void
    ) throws(ConnectorError) -> CopiedPartition {
        var copy = PartitionCopy(
            from: source,
            to: self,
            partition,
            translating: offsets,
            progress: progress
        )
        return try copy.run()
    }
}

// MARK: - Schemas

extension KafkaTopicStore {
    /// Gives the schemas of another store the ids here that they have there; returns how many they
    /// are.
    ///
    /// An id is the offset of the schema's record, so a record without a schema stands where the
    /// other store has no id.
    ///
    /// - Throws: `copy.target` when one of the ids belongs to another schema here.
    public func copySchemas(from source: any TopicStore) throws(ConnectorError) -> Int {
        var texts = [""]
        while let text = try source.schema(Int32(texts.count)) { texts.append(text) }
        guard texts.count > 1 else { return 0 }
        try provisionOwnTopics()
        let place = TopicPartition(client.options.schemasTopic, 0)
        let present = try schemaTexts()
        guard zip(present, texts).allSatisfy(==) else {
            throw .copyTarget(
                "The topic \(place.topic) of the cluster has other schemas than there are here, so "
                    + "records would be read with the wrong ones.",
                hint: "Choose a name of your own with `cluster` under `broker:`, such as --broker "
                    + "cluster=NAME."
            )
        }
        let missing = texts.dropFirst(present.count)
        guard !missing.isEmpty else { return texts.count - 1 }
        try onCluster { () throws(KafkaFailure) in
            let producer = try KafkaProducer(client.settings, observer: client.ear())
            defer { producer.close() }
            let delivery = KafkaDelivery()
            for text in missing {
                try producer.produce(
                    to: KafkaPartition(place),
                    key: nil,
                    value: Array(text.utf8),
                    into: delivery
                )
            }
            try client.settle(delivery, of: producer)
        }
        guard try schemaTexts().prefix(texts.count).elementsEqual(texts) else {
            throw .copyTarget(
                "Something else has written to the topic \(place.topic) of the cluster meanwhile, so "
                    + "schemas have other ids there than here.",
                hint: "Stop what runs on the cluster, and choose another name with `cluster` under "
                    + "`broker:`."
            )
        }
        return texts.count - 1
    }

    /// The text of each record of the topic of schemas, in order; empty where there is no schema.
    private func schemaTexts() throws(ConnectorError) -> [String] {
        var texts: [String] = []
        let topic = StateTopic(name: client.options.schemasTopic, client: client)
        try topic.forEachRecord(of: 0) { record in
            // An offset that no record has is nobody's id.
            while Int64(texts.count) < record.offset { texts.append("") }
            texts.append(record.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
        }
        return texts
    }
}
