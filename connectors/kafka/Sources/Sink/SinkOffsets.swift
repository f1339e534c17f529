internal import ConnectorSDK
internal import KafkaClient

/// What a sink has written, kept in a compacted topic of the cluster: for each partition here the
/// next offset to read.
internal struct SinkOffsets {
    internal let topic: String
    private let sink: String
    private let partition: KafkaPartition
    private let settings: KafkaSettings
    private let timeout: Duration

    /// Partitions of the topic when it is created, as Kafka Connect has them.
    internal static let partitionCount: Int32 = 25

    internal init(_ settings: KafkaSinkSettings, partitions: Int32) {
        topic = settings.offsetsTopic
        sink = settings.transactionalID
        self.settings = settings.cluster.settings
        timeout = max(settings.cluster.timeout, settings.transactionTimeout + .seconds(10))
        let number = StableHash.of(sink) % UInt64(max(partitions, 1))
        partition = KafkaPartition(topic, Int32(number))
    }

    /// Adds offsets to the transaction of a producer.
    internal func produce(
        _ offsets: [TopicPartition: Int64],
        with producer: KafkaProducer,
        into delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        for (place, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            try producer.produce(
                to: partition,
                key: key(of: place),
                value: Array(KafkaOffset.text(offset).utf8),
                into: delivery
            )
        }
    }

    private func key(of place: TopicPartition) -> [UInt8] {
        let name = sink.flatMap { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }
        return Array(#"["\#(String(name))","\#(place.topic)",\#(place.partition)]"#.utf8)
    }

    /// The offsets of these partitions, as the last committed transaction left them.
    ///
    /// - Throws: when another task's open transaction hides them for too long.
    internal func read(
        _ places: [TopicPartition]
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        var keys: [[UInt8]: TopicPartition] = [:]
        for place in places { keys[key(of: place)] = place }
        var found: [TopicPartition: Int64] = [:]
        try onCluster { () throws(KafkaFailure) in
            try forEachRecord { record in
                guard let key = record.key, let place = keys[Array(key)] else { return }
                found[place] = record.value.flatMap {
                    KafkaOffset.number(String(decoding: $0, as: UTF8.self))
                }
            }
        }
        return found
    }

    private func forEachRecord(_ body: (KafkaRecord) -> Void) throws(KafkaFailure) {
        // The end as of all records: what an open transaction hides must be waited for.
        let (low, end) = try KafkaConsumer(settings, isolation: .readUncommitted)
            .watermarks(of: partition, timeout)
        let queue = try KafkaConsumer(settings, isolation: .readCommitted).open(partition, at: low)
        try queue.readAll(before: end, within: timeout, body)
    }
}
