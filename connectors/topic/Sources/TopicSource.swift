public import ConnectorSDK

/// Reads topics into topics, through transforms.
///
/// Its place is the offsets of a consumer group, which become durable in one commit with the
/// records read up to there (D3): each record is in the target exactly once.
public final class TopicSource: SourceConnector {
    public static let name = "topic"
    public static let summary = "Reads topics into topics, through transforms, exactly once."
    public static let configuration = ConfigSpec().with(TopicKeys.topic).with(TopicKeys.partition)
    public static let readsTopics = true

    /// It ends when all that writes to its topics has ended.
    public let isBounded = true
    public let placement: RecordPlacement
    private let context: ConnectorContext
    private var target: TargetTopic
    private var partitions: [TopicPartition] = []
    private var readers: [any PartitionReader] = []
    private var first = 0
    private var spare: RecordBatch?

    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        target = try TargetTopic(configuration)
        placement = try configuration.get(TopicKeys.partition)
        self.context = context
    }

    /// How often topics and partitions that are new are looked for.
    private static let lookAround = Duration.seconds(1)

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard let topics = try context.makeTopicAccess?() else { return }
        var lookedAround: ContinuousClock.Instant?
        while !outlet.isStopping {
            // Asked before reading: what comes afterwards is not there any more.
            let mayEnd = topics.mayEnd
            if mayEnd || lookedAround.map({ .now - $0 >= Self.lookAround }) ?? true {
                try lookAround(topics)
                lookedAround = .now
            }
            guard try await readRound(into: outlet) == 0 else { continue }
            if mayEnd { return }
            try await outlet.idle(for: Self.lookAround)
        }
    }

    /// Opens partitions that are new, and lets go of those that are gone.
    private func lookAround(_ topics: any TopicAccess) throws(ConnectorError) {
        let now = try topics.partitions()
        guard now != partitions else { return }
        let added = now.filter { !partitions.contains($0) }
        let opened = try topics.open(added)
        var known: [TopicPartition: any PartitionReader] = [:]
        for (partition, reader) in zip(partitions + added, readers + opened) {
            known[partition] = reader
        }
        partitions = now.filter { known[$0] != nil }
        readers = partitions.compactMap { known[$0] }
    }

    /// Reads a batch of each partition; the round begins with another one each time.
    private func readRound(into outlet: any RecordOutlet) async throws(ConnectorError) -> Int {
        var count = 0
        for step in readers.indices where !outlet.isStopping {
            let index = (first + step) % readers.count
            let batch = spare ?? outlet.makeBatch(topic: "", schema: .opaque)
            spare = nil
            batch.reset(topic: partitions[index].topic)
            guard try readers[index].read(into: batch) > 0 else {
                spare = batch
                continue
            }
            count += batch.count
            batch.origin = batch.topic
            batch.topic = target.name(for: batch)
            try await outlet.send(
                batch,
                position: SourcePosition(partitions[index], next: readers[index].nextOffset)
            )
        }
        first = readers.isEmpty ? 0 : (first + 1) % readers.count
        return count
    }

    /// Nothing is to be let go of: retention may look at the group's offsets.
    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}
}
