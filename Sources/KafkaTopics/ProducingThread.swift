internal import ConnectorSDK
internal import Glibc
internal import KafkaClient
internal import KafkaRecords
internal import Synchronization
internal import Topics

/// The thread that produces the units of one task.
internal final class ProducingThread: Sendable {
    private let id: Mutex<pthread_t?>

    internal init(
        _ queue: UnitQueue,
        _ client: KafkaClients,
        _ transactionalID: String?
    ) throws(ConnectorError) {
        let work = Work { UnitCommitter(queue, client, transactionalID).run() }
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            Unmanaged.passRetained(work).toOpaque()
        )
        guard code == 0 else {
            Unmanaged.passUnretained(work).release()
            throw ConnectorError(
                KafkaCodes.topics.refused,
                .retry(after: nil),
                "No thread can be started for a producer: error \(code).",
                kind: .environment
            )
        }
        id = Mutex(thread)
    }

    /// Waits for its end, once.
    internal func join() {
        let thread = id.withLock { id in
            defer { id = nil }
            return id
        }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// Produces units and commits them; belongs to its thread.
internal struct UnitCommitter {
    private let queue: UnitQueue
    private let client: KafkaClients
    private let transactionalID: String?

    internal init(_ queue: UnitQueue, _ client: KafkaClients, _ transactionalID: String?) {
        self.queue = queue
        self.client = client
        self.transactionalID = transactionalID
    }

    /// Works until the queue is closed or a unit cannot be made durable.
    internal func run() {
        do throws(KafkaFailure) {
            let producer = try KafkaProducer(
                // Records are as large as the topic allows; batches of several are not.
                client.settings.withDefaults(["message.max.bytes": "67108864"]),
                transactionalID: transactionalID,
                observer: client.ear { [queue] in queue.isGivenUp }
            )
            var inFlight: [(ticket: Int64, unit: CommitUnit)] = []
            defer {
                producer.close()
                // Values are not copied: they must stay until librdkafka has let go of them.
                withExtendedLifetime(inFlight) {}
            }
            if transactionalID != nil { try takeOver(producer) }
            queue.noteReady()
            while let units = queue.take() {
                inFlight = units
                do throws(KafkaFailure) {
                    if transactionalID == nil {
                        try deliver(units, producer)
                    } else {
                        try commit(units, producer)
                    }
                } catch {
                    throw missingTopic(of: units, after: error) ?? error
                }
                queue.complete(units)
                inFlight = []
            }
        } catch {
            queue.fail(ConnectorError(error))
        }
    }

    /// Fences whoever had the id before.
    private func takeOver(_ producer: KafkaProducer) throws(KafkaFailure) {
        do throws(KafkaFailure) {
            try producer.initTransactions(client.options.timeout)
        } catch {
            throw error.namingTransactions
        }
    }

    /// What became of a topic that was deleted: librdkafka tries for long, and then says that there
    /// was no time.
    private func missingTopic(
        of units: [(ticket: Int64, unit: CommitUnit)],
        after failure: KafkaFailure
    ) -> KafkaFailure? {
        guard failure.kind != .fenced, !queue.isGivenUp else { return nil }
        let topics = Set(units.flatMap { $0.unit.batches.map(\.partition.topic) })
        let admin = client.admin.allowing(.seconds(5))
        for topic in topics.sorted() {
            guard let found = try? admin.metadata(topic: topic) else { return nil }
            guard found.topics[topic] == nil else { continue }
            return KafkaFailure(
                .retriable,
                .unknownTopicOrPartition,
                "The topic \(topic) does not exist any more; nothing was written to it.",
                hint: "It is created when the task starts again."
            )
        }
        return nil
    }

    /// Makes units one transaction.
    private func commit(
        _ units: [(ticket: Int64, unit: CommitUnit)],
        _ producer: KafkaProducer
    ) throws(KafkaFailure) {
        try producer.beginTransaction()
        let delivery = KafkaDelivery()
        do throws(KafkaFailure) {
            try produce(units, producer, delivery)
            for (group, offsets) in Self.groupOffsets(units) {
                try producer.sendOffsets(offsets, of: group, client.options.timeout)
            }
            try producer.commitTransaction(client.options.timeout)
        } catch {
            // D3: the position stays where it was, so the task sends the same again.
            let cause = producer.failure(of: delivery, to: "a topic")
            if error.requiresAbort { try? producer.abortTransaction(client.options.timeout) }
            // What became of a message says more than that the transaction cannot be committed.
            if error.kind != .fenced, let cause { throw cause }
            throw error
        }
    }

    /// Delivers units without a transaction: records first, and then what stands for them.
    private func deliver(
        _ units: [(ticket: Int64, unit: CommitUnit)],
        _ producer: KafkaProducer
    ) throws(KafkaFailure) {
        let records = KafkaDelivery()
        for (_, unit) in units { try produceBatches(unit, producer, records) }
        try client.settle(records, of: producer) { queue.isGivenUp }
        // D1: a position moves only after its records are delivered.
        let states = KafkaDelivery()
        for (_, unit) in units { try produceState(unit, producer, states) }
        try client.settle(states, of: producer) { queue.isGivenUp }
        for (group, offsets) in Self.groupOffsets(units) {
            try client.admin.setOffsets(ofGroup: group, to: offsets)
        }
    }

    private func produce(
        _ units: [(ticket: Int64, unit: CommitUnit)],
        _ producer: KafkaProducer,
        _ delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        for (_, unit) in units {
            try produceBatches(unit, producer, delivery)
            try produceState(unit, producer, delivery)
        }
    }

    private func produceBatches(
        _ unit: CommitUnit,
        _ producer: KafkaProducer,
        _ delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        for (partition, batch) in unit.batches {
            let target = KafkaPartition(partition.topic, partition.partition)
            try producer.produce(batch, to: target, into: delivery)
        }
    }

    private func produceState(
        _ unit: CommitUnit,
        _ producer: KafkaProducer,
        _ delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        let positions = StateTopic(name: client.options.positionsTopic, client: client)
        func put(_ connector: String, _ part: String, _ offset: String?) throws(KafkaFailure) {
            try producer.produce(
                to: KafkaPartition(positions.name, positions.partition(of: connector)),
                key: StateKey(connector, part).bytes,
                value: offset.map { Array($0.utf8) },
                into: delivery
            )
        }
        for (connector, position) in unit.positions {
            try put(connector, position.partition, position.offset)
        }
        for (connector, part) in unit.forgotten { try put(connector, part, nil) }
        let states = StateTopic(name: client.options.statesTopic, client: client)
        for (connector, transform, changes) in unit.states {
            let target = KafkaPartition(states.name, states.partition(of: connector))
            try changes.forEach {
                (part, key, value) throws(KafkaFailure) in
                try producer.produce(
                    to: target,
                    key: StateKey(connector, transform, rest: StateKey.rest(part, key)).bytes,
                    value: value.map { Array($0) },
                    into: delivery
                )
            }
        }
    }

    /// The last offset of each partition, by group.
    private static func groupOffsets(
        _ units: [(ticket: Int64, unit: CommitUnit)]
    ) -> [String: [KafkaPartition: Int64]] {
        var result: [String: [KafkaPartition: Int64]] = [:]
        for (_, unit) in units {
            for (group, partition, offset) in unit.groupOffsets {
                let id = KafkaPartition(partition.topic, partition.partition)
                result[group, default: [:]][id] = offset
            }
        }
        return result
    }
}

extension KafkaFailure {
    /// The same, as that of a cluster without transactions where that is what it says.
    internal var namingTransactions: KafkaFailure {
        guard code == .unsupportedFeature || code == .unsupportedVersion else { return self }
        return KafkaFailure(
            .configuration,
            code,
            "The cluster has no transactions, which make records and positions one commit: "
                + message,
            at: "transactions",
            hint: "With `transactions: false` under `broker:` records arrive at least once: after "
                + "a failure some may come twice."
        )
    }
}
