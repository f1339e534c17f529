public import ConnectorSDK
internal import KafkaClient
internal import Logging

/// Reads topics of an Apache Kafka cluster into topics here, record for record.
///
/// Its position is the next offset of each partition, which becomes durable in one commit with the
/// records before it (D3): every record that the cluster holds is in the topic here exactly once.
public final class KafkaSource: SourceConnector {
    public static let name = "kafka"
    public static let summary = "Reads topics of an Apache Kafka cluster, each record once."
    public static let configuration = KafkaSourceKeys.all
    public static let mirrorsTopics = true

    public let isBounded = false
    public let placement: RecordPlacement
    private let settings: KafkaSourceSettings
    private let context: ConnectorContext
    private var cluster: KafkaIntake?
    private var group: GroupOffsets?
    private var first = 0
    private var spare: RecordBatch?

    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try KafkaSourceSettings(configuration, name: context.name)
        placement = settings.placement
        self.context = context
    }

    /// The number of partitions that a topic here has to have.
    public func partitions(of topic: String) -> Int32? { cluster?.partitionCount(ofTarget: topic) }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let cluster = try KafkaIntake(settings, context, positions, outlet.makeWaker())
        self.cluster = cluster
        if let name = settings.group {
            group = GroupOffsets(name, cluster.admin, settings.commitInterval, context.logger)
        }
        var lookedAround: ContinuousClock.Instant?
        while !outlet.isStopping {
            if cluster.mustLookAround
                || lookedAround.map({ .now - $0 >= settings.refresh && !context.untilEnd }) ?? true
            {
                // A start at the end of a partition stays where it was, also when nothing comes.
                for position in try cluster.lookAround() { try await outlet.advance(to: position) }
                lookedAround = .now
            }
            guard try await readRound(cluster, into: outlet) == 0 else { continue }
            if context.untilEnd, cluster.isReadToEnd { break }
            try await outlet.idle(for: context.untilEnd ? .milliseconds(100) : idleTime)
            group?.commitIfDue()
        }
        try await outlet.settle()
        group?.commit()
    }

    private var idleTime: Duration { min(settings.refresh, settings.commitInterval, .seconds(1)) }

    /// Reads a batch of each partition; the round begins with another one each time.
    private func readRound(
        _ cluster: KafkaIntake,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) -> Int {
        var count = 0
        let inputs = cluster.inputs
        for step in inputs.indices where !outlet.isStopping {
            let input = inputs[(first + step) % inputs.count]
            if input.isFarBehindEnd { continue }
            let batch = spare ?? outlet.makeBatch(topic: "", schema: .opaque)
            spare = nil
            batch.reset(topic: input.target)
            batch.origin = input.partition.topic
            guard try cluster.read(input, into: batch) > 0 else {
                spare = batch
                if input.hasPassedOver {
                    try await outlet.advance(to: input.position)
                    input.noteSent()
                }
                continue
            }
            count += batch.count
            try await outlet.send(batch, position: input.position)
            input.noteSent()
        }
        first = inputs.isEmpty ? 0 : (first + 1) % inputs.count
        return count
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        // D1: the group's offsets follow what is durable here.
        group?.note(positions)
        group?.commitIfDue()
    }
}
