public import ConnectorSDK
internal import KafkaClient
internal import Synchronization
public import Topics

/// Topics on an Apache Kafka cluster.
///
/// Records, positions, group offsets and what transforms remember are one transaction. Positions
/// are records of the compacted topic `<name>-offsets`, what transforms remember of
/// `<name>-states`; the schemas are in `<name>-schemas`.
public final class KafkaTopicStore: TopicStore {
    internal let client: KafkaClients
    private let signals = ArrivalSignals()
    internal let schemas = Mutex(SchemaTable())
    internal let provisioned = Mutex<Set<String>>([])
    private let producers = Mutex(0)
    /// What brokers have said when they were asked.
    private let lastOffsets = Mutex<[TopicPartition: OffsetRange]>([:])

    /// Makes a store; nothing is asked of the cluster before it is needed.
    ///
    /// - Parameters:
    ///   - broker: librdkafka's configuration keys, `bootstrap.servers` among them.
    ///   - options: how the cluster is used.
    /// - Throws: `topics.configuration` when librdkafka does not take a key or is not there.
    public init(
        broker: [String: String],
        options: KafkaStoreOptions = KafkaStoreOptions()
    ) throws(ConnectorError) {
        client = try onCluster { () throws(KafkaFailure) in
            try KafkaClients(KafkaSettings(broker), options)
        }
    }
}

// MARK: - Topics

extension KafkaTopicStore {
    public func topics() throws(ConnectorError) -> [TopicDescription] {
        let found = try onCluster { () throws(KafkaFailure) in try client.admin.metadata() }
        let own =
            [
                client.options.positionsTopic, client.options.statesTopic,
                client.options.schemasTopic,
            ] + client.options.hiddenTopics
        var result: [TopicDescription] = []
        for (name, partitions) in found.topics.sorted(by: { $0.key < $1.key })
        where !own.contains(name) && !name.hasPrefix("__") {
            result.append(
                TopicDescription(
                    name: name,
                    partitions: Int32(partitions.count),
                    settings: try settings(of: name)
                )
            )
        }
        return result
    }

    public func describe(_ topic: String) throws(ConnectorError) -> TopicDescription? {
        let found = try onCluster { () throws(KafkaFailure) in
            try client.admin.metadata(topic: topic).topics[topic]
        }
        guard let found else { return nil }
        return TopicDescription(
            name: topic,
            partitions: Int32(found.count),
            settings: try settings(of: topic)
        )
    }

    private func settings(of topic: String) throws(ConnectorError) -> TopicSettings {
        TopicSettings(
            kafka: try onCluster { () throws(KafkaFailure) in
                try client.admin.configuration(ofTopic: topic)
            }
        )
    }

    public func create(
        _ topic: String,
        partitions: Int32,
        settings: TopicSettings
    ) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in
            try client.admin.createTopic(
                topic,
                partitions: partitions,
                replication: client.options.replicationFactor,
                configuration: settings.kafkaEntries
            )
        }
    }

    public func alter(_ topic: String, settings: TopicSettings) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in
            let told = try client.admin.configuration(ofTopic: topic)
            let changes = settings.kafkaChanges(from: told)
            if !changes.isEmpty { try client.admin.alterTopic(topic, changes) }
        }
    }

    public func delete(_ topic: String) throws(ConnectorError) {
        try onCluster { () throws(KafkaFailure) in try client.admin.deleteTopic(topic) }
    }

    public func offsets(of partition: TopicPartition) throws(ConnectorError) -> OffsetRange {
        let range = try onCluster { () throws(KafkaFailure) in
            try client.observer.watermarks(of: KafkaPartition(partition), client.options.timeout)
        }
        let offsets = OffsetRange(start: range.low, end: range.high)
        lastOffsets.withLock { $0[partition] = offsets }
        return offsets
    }

    public func knownOffsets(of partition: TopicPartition) -> OffsetRange? {
        let asked = lastOffsets.withLock { $0[partition] }
        guard let read = client.known(KafkaPartition(partition)) else { return asked }
        return OffsetRange(start: read.low, end: max(read.high, asked?.end ?? 0))
    }

    public func offset(
        of partition: TopicPartition,
        atOrAfter timestamp: Int64
    ) throws(ConnectorError) -> Int64 {
        let id = KafkaPartition(partition)
        let found = try onCluster { () throws(KafkaFailure) in
            try client.observer.offsets(atOrAfter: [id: timestamp], client.options.timeout)[id]
        }
        if let found, found >= 0 { return found }
        return try offsets(of: partition).end
    }
}

// MARK: - Producers, readers, signals

extension KafkaTopicStore {
    public func makeProducer() throws(ConnectorError) -> any TopicProducer {
        try provisionOwnTopics()
        // Unique: units of one producer become visible together, and nobody is fenced. Whoever
        // starts one task in several processes needs a name that they share.
        let number = producers.withLock { number in
            number += 1
            return number
        }
        let id = "\(client.options.name)-\(UInt64.random(in: 0 ... .max))-\(number)"
        return try KafkaUnitProducer(
            client,
            transactionalID: client.options.usesTransactions ? id : nil
        )
    }

    public func makeProducer(ofTask name: String) throws(ConnectorError) -> any TopicProducer {
        try provisionOwnTopics()
        return try KafkaUnitProducer(
            client,
            transactionalID: client.options.usesTransactions
                ? "\(client.options.name)-\(name)" : nil
        )
    }

    /// Makes sure that a broker answers and takes the credentials.
    ///
    /// - Throws: why none does, after `timeout` at the latest.
    public func connect(_ timeout: Duration = .seconds(15)) throws(ConnectorError) {
        // A topic that every store has in the end: asking for all may be a long answer.
        let topic = client.options.positionsTopic
        try onCluster { () throws(KafkaFailure) in
            _ = try client.admin.allowing(timeout).metadata(topic: topic)
        }
    }

    public var offsetsHaveGaps: Bool { true }

    public func stopWaiting(after duration: Duration) {
        client.waitLimit.set(.now + duration)
    }

    /// Nothing is kept that others would have to know of: connections end with the process, and
    /// what was not committed has no effect.
    public func close() { stopWaiting(after: .zero) }

    public func makeReader(
        _ partition: TopicPartition,
        from offset: Int64
    ) throws(ConnectorError) -> any PartitionReader {
        try KafkaReader(client, KafkaPartition(partition), from: offset, signals)
    }

    public func add(
        _ signal: AppendSignal,
        for partitions: [TopicPartition]
    ) throws(ConnectorError) {
        signals.add(signal, for: partitions.map { KafkaPartition($0) })
    }

    public func remove(_ signal: AppendSignal) { signals.remove(signal) }
}

extension KafkaPartition {
    /// The same partition in the client's words.
    internal init(_ partition: TopicPartition) { self.init(partition.topic, partition.partition) }
}
