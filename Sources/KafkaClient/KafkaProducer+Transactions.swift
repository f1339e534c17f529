internal import CKafka

extension KafkaProducer {
    /// Takes the transactional id over: aborts what an earlier producer of the same id left open,
    /// and fences it.
    public func initTransactions(_ timeout: Duration) throws(KafkaFailure) {
        try repeatedly("Taking over the transactional id \(name)", timeout) { milliseconds in
            rd_kafka_init_transactions(client.pointer, milliseconds)
        }
        client.events.forgetError()
    }

    /// Begins a transaction.
    public func beginTransaction() throws(KafkaFailure) {
        let error = rd_kafka_begin_transaction(client.pointer)
        if let failure = client.take(error, doing: "Beginning a transaction of \(name)") {
            throw failure
        }
    }

    /// Makes offsets of a group part of the transaction.
    public func sendOffsets(
        _ offsets: [KafkaPartition: Int64],
        of group: String,
        _ timeout: Duration
    ) throws(KafkaFailure) {
        let list = PartitionListHandle(offsets)
        let metadata = rd_kafka_consumer_group_metadata_new(group)
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        try repeatedly("Committing offsets of the group \(group)", timeout) { milliseconds in
            rd_kafka_send_offsets_to_transaction(
                client.pointer,
                list.pointer,
                metadata,
                milliseconds
            )
        }
    }

    /// Delivers what is on its way and commits the transaction.
    ///
    /// - Throws: a failure whose ``KafkaFailure/requiresAbort`` says whether
    ///   ``abortTransaction(_:)`` is the way out.
    public func commitTransaction(_ timeout: Duration) throws(KafkaFailure) {
        try repeatedly("Committing a transaction of \(name)", timeout) { milliseconds in
            rd_kafka_commit_transaction(client.pointer, milliseconds)
        }
        poll()
    }

    /// Gives up the transaction and every message of it.
    public func abortTransaction(_ timeout: Duration) throws(KafkaFailure) {
        try repeatedly("Aborting a transaction of \(name)", timeout) { milliseconds in
            rd_kafka_abort_transaction(client.pointer, milliseconds)
        }
        poll()
    }

    private var name: String { transactionalID ?? "a producer without transactional.id" }

    /// Repeats a call that can be repeated, until it succeeds or `timeout` has passed.
    private func repeatedly(
        _ what: String,
        _ timeout: Duration,
        _ call: (Int32) -> OpaqueError
    ) throws(KafkaFailure) {
        let deadline = ContinuousClock.now + timeout
        while true {
            let rest = max(deadline - .now, .milliseconds(1))
            let wait = min(rest, ClientHandle.slice).milliseconds
            guard let failure = client.take(call(wait), doing: what) else { return }
            guard failure.isRetriable, !failure.requiresAbort, ContinuousClock.now < deadline,
                !client.isInterrupted
            else { throw failure }
            // A call that is refused at once would spin.
            client.poll(.milliseconds(50))
        }
    }
}
