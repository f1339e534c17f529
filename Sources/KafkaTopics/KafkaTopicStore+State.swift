public import ConnectorSDK
internal import KafkaClient
internal import Synchronization
public import Topics

// MARK: - The store's own topics

extension KafkaTopicStore {
    private var positionsTopic: StateTopic {
        StateTopic(name: client.options.positionsTopic, client: client)
    }
    private var statesTopic: StateTopic {
        StateTopic(name: client.options.statesTopic, client: client)
    }

    /// Creates the store's own topics, once.
    internal func provisionOwnTopics() throws(ConnectorError) {
        let (options, count) = (client.options, KafkaStoreOptions.partitions)
        try provision(options.positionsTopic, count, ["cleanup.policy": "compact"])
        try provision(options.statesTopic, count, ["cleanup.policy": "compact"])
        // Never compacted: the offset of a schema's first record is its id.
        try provision(
            options.schemasTopic,
            1,
            ["cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"]
        )
    }

    private func provision(
        _ topic: String,
        _ partitions: Int32,
        _ configuration: [String: String]
    ) throws(ConnectorError) {
        guard !provisioned.withLock({ $0.contains(topic) }) else { return }
        do throws(KafkaFailure) {
            if try client.admin.metadata(topic: topic).topics[topic] == nil {
                try client.admin.createTopic(
                    topic,
                    partitions: partitions,
                    replication: client.options.replicationFactor,
                    configuration: configuration
                )
            }
            let policy = try client.admin.configuration(ofTopic: topic)["cleanup.policy"]?.value
            if let policy, policy != configuration["cleanup.policy"] {
                throw KafkaFailure(
                    .configuration,
                    .none,
                    "The topic \(topic) has cleanup.policy \(policy), so it would lose what is "
                        + "kept in it.",
                    at: "cleanup.policy",
                    hint: "Set it to \(configuration["cleanup.policy"] ?? "compact")."
                )
            }
        } catch {
            // Another worker was faster.
            guard error.code == .topicAlreadyExists else { throw ConnectorError(error) }
        }
        _ = provisioned.withLock { $0.insert(topic) }
    }

    /// Writes through a producer of the moment, in one transaction where those are used.
    private func write(
        _ body: (inout CommitUnit) -> Void
    ) throws(ConnectorError) {
        var unit = CommitUnit()
        body(&unit)
        let producer = try makeProducer()
        defer { producer.close() }
        let ticket = try producer.submit(unit)
        _ = try producer.waitUntilDurable(through: ticket, deadline: nil)
    }
}

// MARK: - Positions and states

extension KafkaTopicStore {
    public func positions(of connector: String) throws(ConnectorError) -> [String: String] {
        try provisionOwnTopics()
        let topic = positionsTopic
        var result: [String: String] = [:]
        for (key, value) in try topic.read(topic.partition(of: connector)) {
            guard let (texts, _) = StateKey.split(key, texts: 2), texts[0] == connector else {
                continue
            }
            result[texts[1]] = String(decoding: value, as: UTF8.self)
        }
        return result
    }

    public func setPositions(
        of connector: String,
        to positions: [String: String?]
    ) throws(ConnectorError) {
        try write { unit in
            for (part, offset) in positions {
                if let offset {
                    unit.positions.append(
                        (connector, SourcePosition(partition: part, offset: offset))
                    )
                } else {
                    unit.forgotten.append((connector, part))
                }
            }
        }
    }

    public func connectorsWithPositions() throws(ConnectorError) -> [String] {
        try provisionOwnTopics()
        var names: Set<String> = []
        for partition in 0..<KafkaStoreOptions.partitions {
            for key in try positionsTopic.read(partition).keys {
                if let (texts, _) = StateKey.split(key, texts: 2) { names.insert(texts[0]) }
            }
        }
        return names.sorted()
    }

    public func transformStates(
        of connector: String
    ) throws(ConnectorError) -> [String: [StateEntry]] {
        try provisionOwnTopics()
        let topic = statesTopic
        var result: [String: [StateEntry]] = [:]
        for (key, value) in try topic.read(topic.partition(of: connector)) {
            guard let (texts, rest) = StateKey.split(key, texts: 2), texts[0] == connector,
                let (part, own) = StateKey.part(rest)
            else { continue }
            result[texts[1], default: []].append(StateEntry(part: part, key: own, value: value))
        }
        return result
    }

    @discardableResult
    public func removeTransformStates(of connector: String) throws(ConnectorError) -> Int {
        let states = try transformStates(of: connector)
        guard !states.isEmpty else { return 0 }
        try write { unit in
            for (transform, entries) in states {
                let changes = StateChanges()
                for entry in entries { changes.remove(part: entry.part, entry.key) }
                unit.states.append((connector, transform, changes))
            }
        }
        return states.values.reduce(0) { $0 + $1.count }
    }
}

// MARK: - Groups

extension KafkaTopicStore {
    public func groupOffsets(
        _ group: String
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        do throws(KafkaFailure) {
            var result: [TopicPartition: Int64] = [:]
            for (partition, offset) in try client.admin.offsets(ofGroup: group) {
                result[TopicPartition(partition.topic, partition.partition)] = offset
            }
            return result
        } catch {
            // Some brokers answer for a group that does not exist with what nobody can read.
            let isUnknown = (try? client.admin.groups())?.contains(group) == false
            guard error.code == .groupNotFound || isUnknown else { throw ConnectorError(error) }
            return [:]
        }
    }

    public func commitGroupOffsets(
        _ group: String,
        _ offsets: [TopicPartition: Int64?]
    ) throws(ConnectorError) {
        var set: [KafkaPartition: Int64] = [:]
        var removed: [KafkaPartition] = []
        for (partition, offset) in offsets {
            if let offset {
                set[KafkaPartition(partition)] = offset
            } else {
                removed.append(KafkaPartition(partition))
            }
        }
        let (wanted, gone) = (set, removed)
        try onCluster { () throws(KafkaFailure) in
            if !wanted.isEmpty { try client.admin.setOffsets(ofGroup: group, to: wanted) }
            if !gone.isEmpty { try forget(gone, of: group) }
        }
    }

    /// Forgets offsets of a group, and a group that has no others: clusters can do that for longer than
    /// they can forget single ones.
    private func forget(
        _ partitions: [KafkaPartition],
        of group: String
    ) throws(KafkaFailure) {
        let kept = try client.admin.offsets(ofGroup: group).keys
        if kept.isEmpty { return }
        if Set(kept).isSubset(of: partitions) {
            try client.admin.deleteGroup(group)
        } else {
            try client.admin.removeOffsets(ofGroup: group, partitions)
        }
    }

    public func membership(of group: String) throws(ConnectorError) -> GroupMembership? {
        let found = try onCluster { () throws(KafkaFailure) in
            try client.admin.describeGroup(group)
        }
        return GroupMembership(
            state: found.state,
            members: found.members.map { member in
                GroupMembership.Member(
                    id: member.id,
                    client: member.clientID,
                    host: member.host,
                    partitions: member.partitions.map { TopicPartition($0.topic, $0.partition) }
                )
            }
        )
    }

    public func deleteGroup(_ group: String) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in try client.admin.deleteGroup(group) }
    }

    public func groups() throws(ConnectorError) -> [String] {
        try onCluster { () throws(KafkaFailure) in try client.admin.groups() }
    }
}

// MARK: - Schemas

/// The schemas that were read so far; the offset of a schema's first record is its id.
internal struct SchemaTable {
    internal var ids: [String: Int32] = [:]
    internal var texts: [Int32: String] = [:]
}

extension KafkaTopicStore {
    public func register(_ json: String) throws(ConnectorError) -> Int32 {
        if let id = schemas.withLock({ $0.ids[json] }) { return id }
        try readSchemas()
        if let id = schemas.withLock({ $0.ids[json] }) { return id }
        let partition = KafkaPartition(client.options.schemasTopic, 0)
        try onCluster { () throws(KafkaFailure) in
            let producer = try KafkaProducer(client.settings, observer: client.ear())
            let delivery = KafkaDelivery()
            try producer.produce(to: partition, key: nil, value: Array(json.utf8), into: delivery)
            try client.settle(delivery, of: producer)
        }
        // Two workers may have written the same: both take the first.
        try readSchemas()
        guard let id = schemas.withLock({ $0.ids[json] }) else {
            throw ConnectorError(
                .topicState,
                .retry(after: nil),
                "The schema that was written to \(partition) cannot be read back.",
                kind: .environment
            )
        }
        return id
    }

    public func schema(_ id: Int32) throws(ConnectorError) -> String? {
        if let text = schemas.withLock({ $0.texts[id] }) { return text }
        try readSchemas()
        return schemas.withLock { $0.texts[id] }
    }

    private func readSchemas() throws(ConnectorError) {
        try provisionOwnTopics()
        let topic = StateTopic(name: client.options.schemasTopic, client: client)
        var table = SchemaTable()
        try topic.forEachRecord(of: 0) { record in
            let id = Int32(clamping: record.offset)
            let text = record.value.map { String(decoding: $0, as: UTF8.self) } ?? ""
            table.texts[id] = text
            if table.ids[text] == nil { table.ids[text] = id }
        }
        let read = table
        schemas.withLock { $0 = read }
    }
}
