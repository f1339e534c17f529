import ConnectorSDK
import Topics

/// A part of a cluster that others use as well: topics and groups get a name in front that nobody
/// else has.
final class NamespacedStore: TopicStore {
    private let store: any TopicStore
    private let prefix: String

    init(_ store: any TopicStore, prefix: String) {
        self.store = store
        self.prefix = prefix
    }

    private func there(_ partition: TopicPartition) -> TopicPartition {
        TopicPartition(prefix + partition.topic, partition.partition)
    }

    private func here(_ partition: TopicPartition) -> TopicPartition {
        TopicPartition(String(partition.topic.dropFirst(prefix.count)), partition.partition)
    }

    private func here(_ topic: TopicDescription) -> TopicDescription {
        var topic = topic
        topic.name = String(topic.name.dropFirst(prefix.count))
        return topic
    }

    // MARK: Topics

    func topics() throws(ConnectorError) -> [TopicDescription] {
        try store.topics().filter { $0.name.hasPrefix(prefix) }.map { here($0) }
    }

    func describe(_ topic: String) throws(ConnectorError) -> TopicDescription? {
        try store.describe(prefix + topic).map { here($0) }
    }

    func create(
        _ topic: String,
        partitions: Int32,
        settings: TopicSettings
    ) throws(ConnectorError) {
        try store.create(prefix + topic, partitions: partitions, settings: settings)
    }

    func alter(_ topic: String, settings: TopicSettings) throws(ConnectorError) {
        try store.alter(prefix + topic, settings: settings)
    }

    func delete(_ topic: String) throws(ConnectorError) { try store.delete(prefix + topic) }

    func offsets(of partition: TopicPartition) throws(ConnectorError) -> OffsetRange {
        try store.offsets(of: there(partition))
    }

    func knownOffsets(of partition: TopicPartition) -> OffsetRange? {
        store.knownOffsets(of: there(partition))
    }

    func offset(
        of partition: TopicPartition,
        atOrAfter timestamp: Int64
    ) throws(ConnectorError) -> Int64 {
        try store.offset(of: there(partition), atOrAfter: timestamp)
    }

    var offsetsHaveGaps: Bool { store.offsetsHaveGaps }

    // MARK: Producers, readers, signals

    func makeProducer() throws(ConnectorError) -> any TopicProducer {
        NamespacedProducer(try store.makeProducer(), prefix)
    }

    func makeProducer(ofTask name: String) throws(ConnectorError) -> any TopicProducer {
        NamespacedProducer(try store.makeProducer(ofTask: name), prefix)
    }

    func makeReader(
        _ partition: TopicPartition,
        from offset: Int64
    ) throws(ConnectorError) -> any PartitionReader {
        try store.makeReader(there(partition), from: offset)
    }

    func add(_ signal: AppendSignal, for partitions: [TopicPartition]) throws(ConnectorError) {
        try store.add(signal, for: partitions.map { there($0) })
    }

    func remove(_ signal: AppendSignal) { store.remove(signal) }

    func stopWaiting(after duration: Duration) { store.stopWaiting(after: duration) }

    func close() { store.close() }

    // MARK: What the cluster's name keeps apart

    func positions(of connector: String) throws(ConnectorError) -> [String: String] {
        try store.positions(of: connector)
    }

    func setPositions(
        of connector: String,
        to positions: [String: String?]
    ) throws(ConnectorError) {
        try store.setPositions(of: connector, to: positions)
    }

    func connectorsWithPositions() throws(ConnectorError) -> [String] {
        try store.connectorsWithPositions()
    }

    func transformStates(of connector: String) throws(ConnectorError) -> [String: [StateEntry]] {
        try store.transformStates(of: connector)
    }

    @discardableResult
    func removeTransformStates(of connector: String) throws(ConnectorError) -> Int {
        try store.removeTransformStates(of: connector)
    }

    func register(_ json: String) throws(ConnectorError) -> Int32 { try store.register(json) }

    func schema(_ id: Int32) throws(ConnectorError) -> String? { try store.schema(id) }

    // MARK: Groups

    func groupOffsets(_ group: String) throws(ConnectorError) -> [TopicPartition: Int64] {
        var result: [TopicPartition: Int64] = [:]
        for (partition, offset) in try store.groupOffsets(prefix + group) {
            result[here(partition)] = offset
        }
        return result
    }

    func commitGroupOffsets(
        _ group: String,
        _ offsets: [TopicPartition: Int64?]
    ) throws(ConnectorError) {
        var result: [TopicPartition: Int64?] = [:]
        for (partition, offset) in offsets { result.updateValue(offset, forKey: there(partition)) }
        try store.commitGroupOffsets(prefix + group, result)
    }

    func membership(of group: String) throws(ConnectorError) -> GroupMembership? {
        try store.membership(of: prefix + group)
    }

    func deleteGroup(_ group: String) throws(ConnectorError) {
        try store.deleteGroup(prefix + group)
    }

    func groups() throws(ConnectorError) -> [String] {
        try store.groups().filter { $0.hasPrefix(prefix) }.map {
            String($0.dropFirst(prefix.count))
        }
    }
}

/// Appends to the topics of a ``NamespacedStore``.
private final class NamespacedProducer: TopicProducer {
    private let producer: any TopicProducer
    private let prefix: String

    init(_ producer: any TopicProducer, _ prefix: String) {
        self.producer = producer
        self.prefix = prefix
    }

    func makeBuilder() -> RecordBatchBuilder { producer.makeBuilder() }

    func submit(_ unit: CommitUnit) throws(ConnectorError) -> Int64 {
        var unit = unit
        for index in unit.batches.indices {
            unit.batches[index].partition.topic = prefix + unit.batches[index].partition.topic
        }
        for index in unit.groupOffsets.indices {
            let topic = unit.groupOffsets[index].partition.topic
            unit.groupOffsets[index].group = prefix + unit.groupOffsets[index].group
            unit.groupOffsets[index].partition.topic = prefix + topic
        }
        return try producer.submit(unit)
    }

    func durableTicket() throws(ConnectorError) -> Int64 { try producer.durableTicket() }

    func waitUntilDurable(
        through ticket: Int64,
        deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64 {
        try producer.waitUntilDurable(through: ticket, deadline: deadline)
    }

    func close() { producer.close() }
}
