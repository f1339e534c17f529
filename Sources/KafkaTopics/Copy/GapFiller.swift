internal import ConnectorSDK
internal import KafkaClient
internal import Topics

/// Takes offsets of a partition that no reader sees a record at: those of aborted transactions.
///
/// So the records behind them have the offsets that they had elsewhere.
internal struct GapFiller {
    /// Records of one transaction: less than the shortest time that brokers give one is enough.
    private static let most: Int64 = 200_000
    private static let batchCount = 4_096

    private let store: KafkaTopicStore
    private let partition: TopicPartition
    private let producer: KafkaProducer
    private var client: KafkaClients { store.client }

    /// Takes the transactional id over, and ends what an earlier process left open.
    internal init(_ store: KafkaTopicStore, _ partition: TopicPartition) throws(ConnectorError) {
        self.store = store
        self.partition = partition
        let client = store.client
        producer = try onCluster { () throws(KafkaFailure) in
            let producer = try KafkaProducer(
                client.settings.withDefaults(["compression.type": "lz4"]),
                transactionalID: "\(client.options.name)-copy",
                observer: client.ear()
            )
            do throws(KafkaFailure) {
                try producer.initTransactions(client.options.timeout)
            } catch {
                throw error.namingTransactions
            }
            return producer
        }
    }

    /// Takes the offsets that are left below `offset`, which is where the partition then ends.
    ///
    /// `time` is that of the records, so that retention takes them no later than those behind them.
    internal func fill(below offset: Int64, time: Int64) throws(ConnectorError) {
        defer { producer.close() }
        var end = try store.offsets(of: partition).end
        while end < offset {
            guard let step = Self.step(offset - end) else { throw stuck(end) }
            try abort(Int(step - 1), time)
            end += step
            try wait(for: end)
        }
    }

    /// How many offsets the next transaction takes, of which its end is one; `nil` when none can.
    internal static func step(_ rest: Int64, most: Int64 = most) -> Int64? {
        guard rest >= 2 else { return nil }
        // One offset alone cannot be taken.
        return rest == most + 1 ? most - 1 : min(rest, most)
    }

    private func abort(_ count: Int, _ time: Int64) throws(ConnectorError) {
        let builder = RecordBatchBuilder()
        let key: [UInt8] = [0]
        for _ in 0..<min(count, Self.batchCount) {
            // A topic that is compacted takes no record without a key, also none that is aborted.
            key.withUnsafeBytes { builder.append(timestamp: time, key: $0, value: nil) }
        }
        let batch = try builder.finish(compression: .none, now: 0, timestampType: .createTime)
        let rest = RecordBatchBuilder()
        for _ in 0..<count % Self.batchCount {
            key.withUnsafeBytes { rest.append(timestamp: time, key: $0, value: nil) }
        }
        let last =
            rest.count == 0
            ? nil : try rest.finish(compression: .none, now: 0, timestampType: .createTime)
        // They stay until everything was delivered, or given up.
        defer { withExtendedLifetime((batch, last)) {} }
        try onCluster { () throws(KafkaFailure) in
            do throws(KafkaFailure) {
                try producer.beginTransaction()
                let delivery = KafkaDelivery()
                let target = KafkaPartition(partition)
                for _ in 0..<count / Self.batchCount {
                    try producer.produce(batch, to: target, into: delivery)
                }
                if let last { try producer.produce(last, to: target, into: delivery) }
                // Aborting gives up what is not delivered, and then offsets would be missing.
                try client.settle(delivery, of: producer)
                try producer.abortTransaction(client.options.timeout)
            } catch {
                producer.purge()
                throw error
            }
        }
    }

    /// Waits for the end of a transaction, which a broker may write after its answer.
    private func wait(for end: Int64) throws(ConnectorError) {
        let deadline = ContinuousClock.now + client.options.timeout
        var found = try store.offsets(of: partition).end
        while found < end, ContinuousClock.now < deadline, !client.waitLimit.hasPassed {
            pause()
            found = try store.offsets(of: partition).end
        }
        guard found == end else { throw stuck(found) }
    }

    private func pause() { producer.poll(.milliseconds(20)) }

    private func stuck(_ end: Int64) -> ConnectorError {
        .copyTarget(
            "\(partition) ends at offset \(end) on the cluster, from where its records cannot get "
                + "the offsets that they have here.",
            hint: "Delete the topic \(partition.topic) there and copy again."
        )
    }
}
