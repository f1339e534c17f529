public import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords
internal import Logging

/// Writes records to topics of an Apache Kafka cluster, as they are: key, value, headers, time,
/// partition.
///
/// Records and the offsets they were read at are one transaction of the cluster (D2), so that a
/// batch that is repeated after a failure is there once for those who read what is committed.
public final class KafkaSink: SinkConnector {
    public static let name = "kafka"
    public static let summary =
        "Writes topics to an Apache Kafka cluster, exactly once where it has transactions."
    public static let configuration = KafkaSinkKeys.all

    public let input = SinkInput.bytes
    private let settings: KafkaSinkSettings
    private let context: ConnectorContext
    private var target: TargetName
    private var topics: TargetTopics?
    private var writer: KafkaWriter?
    private var committed: [TopicPartition: Int64] = [:]

    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try KafkaSinkSettings(configuration, name: context.name)
        target = TargetName(settings.target)
        self.context = context
    }

    /// A transaction costs a few round trips, which are spread over many records.
    public var preferredTransactionRecords: Int {
        context.answersEachBatch ? 1 : 16 * RecordBatch.rowLimit
    }

    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        let topics = try TargetTopics(settings, context)
        self.topics = topics
        guard settings.support != .disabled, try openTransactions(topics) else {
            writer = try KafkaWriter(settings, transactionalID: nil, nil)
            return nil
        }
        committed = try writer?.offsets?.read(partitions) ?? [:]
        return committed
    }

    /// Takes the transactional id over, which ends what an earlier process left open.
    private func openTransactions(_ topics: TargetTopics) throws(ConnectorError) -> Bool {
        let id = "\(settings.transactionalID)-\(context.taskID)"
        do throws(ConnectorError) {
            let count = try topics.provideOffsetsTopic()
            let offsets = SinkOffsets(settings, partitions: count)
            writer = try KafkaWriter(settings, transactionalID: id, offsets)
            return true
        } catch {
            guard let failure = error.underlying as? KafkaFailure, failure.lacksTransactions else {
                throw error
            }
            guard settings.support == .requested else {
                throw ConnectorError(
                    KafkaCodes.connector.refused,
                    .failTask,
                    "The cluster has no transactions: \(failure.message)",
                    kind: .environment,
                    at: KafkaSinkKeys.support.declaration.name,
                    hint: "With `exactly.once.support: disabled` records are written at least once."
                )
            }
            context.logger.warning(
                "the cluster has no transactions: records are written at least once",
                metadata: ["reason": "\(failure.message)"]
            )
            return false
        }
    }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        guard let writer, let topics, batch.count > 0 else { return }
        let name = target.name(for: batch)
        let keeps = settings.placement == .keep
        let highest = batch.indices.reduce(Int32(-1)) {
            max($0, keeps ? batch.metadata($1).pointee.partition : -1)
        }
        let topic = try topics.target(name, from: batch.topic, holding: highest)
        // D6: each record that the cluster would refuse is named here, and no other suffers.
        let tooLarge = batch.indices.filter { RecordUnit.size(of: batch, row: $0) > topic.limit }
        batch.reject(
            tooLarge.map { row in
                (row, .tooLarge(RecordUnit.size(of: batch, row: row), topic.limit, name))
            }
        )
        ForeignHeaders.remove(from: batch, rows: batch.indices)
        try writer.write(batch, to: name, keeps: keeps, answers: context.answersEachBatch)
    }

    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        let changed = offsets.filter { committed[$0.key] != $0.value }
        try writer?.commit(changed)
        committed.merge(changed) { $1 }
    }

    public func close() async {
        writer?.close()
        writer = nil
    }
}

extension ConnectorError {
    fileprivate static func tooLarge(_ size: Int, _ limit: Int, _ topic: String) -> Self {
        ConnectorError(
            .kafkaTooLarge,
            .rejectRecord,
            "The record takes \(size) bytes, more than the \(limit) that `max.message.bytes` of "
                + "the cluster's topic `\(topic)` allows.",
            hint: "Raise `max.message.bytes` of that topic."
        )
    }
}

extension KafkaFailure {
    /// Whether the broker knows no transactions, as it and librdkafka say it.
    fileprivate var lacksTransactions: Bool {
        code == .unsupportedVersion || code.rawValue == -165
    }
}
