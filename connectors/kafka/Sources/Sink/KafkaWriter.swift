internal import ConnectorSDK
internal import KafkaClient

/// A task's producer, and what is on its way.
internal final class KafkaWriter {
    internal let offsets: SinkOffsets?
    private let producer: KafkaProducer
    private let timeout: Duration
    private var isInTransaction = false
    /// Units that are not known to be delivered, and those of the transaction that may have to be
    /// sent once more.
    private var units: [RecordUnit] = []
    private var spares: [RecordUnit] = []
    /// The offsets of the transaction that is being committed.
    private var offsetsDelivery: KafkaDelivery?
    private var cannotReachCluster = false
    /// Whether each batch is answered for before the next.
    private var answers = false

    /// Makes a producer; with a transactional id it takes over from any other of that id.
    internal init(
        _ settings: KafkaSinkSettings,
        transactionalID: String?,
        _ offsets: SinkOffsets?
    ) throws(ConnectorError) {
        self.offsets = offsets
        timeout = max(settings.cluster.timeout, settings.transactionTimeout)
        let own = settings.producing(inTransactions: transactionalID != nil)
        let patience = settings.cluster.timeout
        producer = try onCluster { () throws(KafkaFailure) in
            let producer = try KafkaProducer(own, transactionalID: transactionalID)
            if transactionalID != nil { try producer.initTransactions(patience) }
            return producer
        }
    }

    private var isTransactional: Bool { producer.transactionalID != nil }

    // MARK: Writing

    /// Hands the records of a batch over; with `answers`, waits until the cluster has said to each.
    internal func write(
        _ batch: RecordBatch,
        to topic: String,
        keeps: Bool,
        answers: Bool
    ) throws(ConnectorError) {
        self.answers = answers
        try begin()
        var added: [RecordUnit] = []
        for row in batch.indices {
            let number = keeps ? batch.metadata(row).pointee.partition : -1
            if added.last?.partition.partition != number {
                let unit = spares.popLast() ?? RecordUnit()
                unit.reset(to: KafkaPartition(topic, number))
                added.append(unit)
            }
            added.last?.append(batch, row: row)
        }
        if !answers { releaseDelivered() }
        let sent = units.count
        units += added
        for unit in added { try send(unit) }
        if answers { try awaitAnswers(to: added, behind: sent) } else { try checkDelivered() }
    }

    private func begin() throws(ConnectorError) {
        guard isTransactional, !isInTransaction else { return }
        try onProducer { () throws(KafkaFailure) in try producer.beginTransaction() }
        isInTransaction = true
    }

    private func send(_ unit: RecordUnit) throws(ConnectorError) {
        try onProducer { () throws(KafkaFailure) in
            try producer.produce(
                unit.bytes,
                count: unit.count,
                baseTimestamp: 0,
                to: unit.partition,
                into: unit.delivery
            )
        }
        producer.poll()
    }

    /// Waits for the answer to units; those that are refused have no effect afterwards.
    private func awaitAnswers(
        to added: [RecordUnit],
        behind sent: Int
    ) throws(ConnectorError) {
        let failure: ConnectorError
        do throws(ConnectorError) {
            try onProducer { () throws(KafkaFailure) in try producer.flush(timeout) }
            try checkDelivered()
            return
        } catch {
            failure = error
        }
        guard failure.disposition == .rejectRecord else { throw failure }
        units.removeLast(units.count - sent)
        guard isTransactional else { throw failure }
        // What was written before was refused by nobody, and goes into another transaction.
        try abort()
        try begin()
        for unit in units {
            unit.forgetDelivery()
            try send(unit)
        }
        throw failure
    }

    private func abort() throws(ConnectorError) {
        isInTransaction = false
        do throws(KafkaFailure) {
            try producer.abortTransaction(timeout)
        } catch {
            throw ConnectorError(error)
        }
    }

    // MARK: Committing

    /// Makes everything that was written durable, with offsets where transactions are used.
    internal func commit(_ changed: [TopicPartition: Int64]) throws(ConnectorError) {
        guard isTransactional, let offsets else {
            try onProducer { () throws(KafkaFailure) in try producer.flush(timeout) }
            try checkDelivered()
            return releaseDelivered()
        }
        guard isInTransaction || !changed.isEmpty else { return }
        try begin()
        let delivery = KafkaDelivery()
        offsetsDelivery = delivery
        try onProducer { () throws(KafkaFailure) in
            try offsets.produce(changed, with: producer, into: delivery)
            try producer.commitTransaction(timeout)
        }
        offsetsDelivery = nil
        isInTransaction = false
        releaseDelivered()
    }

    /// Gives up what is not committed.
    internal func close() {
        // Readers of what is committed wait for it, so it is ended; but not by waiting for nobody.
        if isInTransaction, !cannotReachCluster {
            try? producer.abortTransaction(.seconds(5))
        }
        producer.close()
        units.removeAll()
    }

    // MARK: Deliveries

    /// Throws why a unit was not delivered.
    private func checkDelivered() throws(ConnectorError) {
        guard let failure = deliveryFailure() else { return }
        throw consequence(of: failure)
    }

    private func deliveryFailure() -> KafkaFailure? {
        for unit in units {
            let topic = unit.partition.topic
            if let failure = producer.failure(of: unit.delivery, to: topic) { return failure }
        }
        guard let offsets, let offsetsDelivery else { return nil }
        return producer.failure(of: offsetsDelivery, to: offsets.topic)
    }

    /// The delivery that has left a transaction to be aborted, or `nil`.
    ///
    /// The transaction's state tells of it a moment before its report comes.
    private func awaitDeliveryFailure() -> KafkaFailure? {
        for _ in 0..<20 {
            if let failure = deliveryFailure() { return failure }
            producer.poll(.milliseconds(50))
        }
        return deliveryFailure()
    }

    private func releaseDelivered() {
        for unit in units where unit.delivery.isComplete && unit.isReusable && spares.count < 8 {
            spares.append(unit)
        }
        units.removeAll { $0.delivery.isComplete }
    }

    private func onProducer(
        _ body: () throws(KafkaFailure) -> Void
    ) throws(ConnectorError) {
        do throws(KafkaFailure) {
            try body()
        } catch {
            // A delivery that failed says more than the state that followed from it.
            let cause = error.requiresAbort ? awaitDeliveryFailure() : deliveryFailure()
            throw consequence(of: cause ?? error)
        }
    }

    private func consequence(of failure: KafkaFailure) -> ConnectorError {
        var error = ConnectorError(failure)
        cannotReachCluster = failure.kind == .unreachable
        switch failure.code.rawValue {
        // Larger than the topic takes, or invalid to it: a record of the unit is at fault.
        case 10, 87, 32:
            error.disposition = answers ? .rejectRecord : .retry(after: .zero)
            if !answers { error.code = .refusedTogether }
        // A topic that is gone: a new instance creates it, or says that it is missing. A state
        // that an earlier failure has left behind ends with the instance.
        case 3, -188, -190, -172, -152, -151: error.disposition = .retry(after: nil)
        default: break
        }
        return error
    }
}
