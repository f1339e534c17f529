internal import CKafka

/// Sends messages to a cluster.
///
/// Belongs to one thread.
public final class KafkaProducer {
    /// What is set unless the user says otherwise.
    ///
    /// The partitioner is that of Kafka's own clients; librdkafka's default is another one.
    private static let defaults = [
        "enable.idempotence": "true", "partitioner": "murmur2_random",
    ]

    internal let client: ClientHandle
    /// The transactional id, or `nil` of a producer without transactions.
    public let transactionalID: String?
    private var topics: [String: TopicHandle] = [:]
    /// Deliveries whose messages point to them.
    private var outstanding: [KafkaDelivery] = []

    /// Makes a producer; connecting begins, and is not waited for.
    public init(
        _ settings: KafkaSettings,
        transactionalID: String? = nil,
        observer: KafkaObserver = KafkaObserver()
    ) throws(KafkaFailure) {
        var settings = settings.withDefaults(Self.defaults)
        if let transactionalID {
            settings["transactional.id"] = transactionalID
        }
        self.transactionalID = settings["transactional.id"]
        client = try ClientHandle(RD_KAFKA_PRODUCER, settings, observer)
    }

    deinit { close() }

    /// Gives up what is not delivered.
    ///
    /// What its messages point to is free afterwards.
    public func close() {
        topics.removeAll()
        client.close()
        outstanding.removeAll()
    }

    /// Serves reports that have arrived, waiting for the first for at most `timeout`.
    public func poll(_ timeout: Duration = .zero) {
        client.poll(timeout)
        outstanding.removeAll { $0.pending == 0 }
    }

    /// Bytes and messages that are not reported yet, in messages.
    public var queuedCount: Int { Int(rd_kafka_outq_len(client.pointer)) }

    /// Waits until every message was reported.
    ///
    /// - Throws: why that takes longer than `timeout`; messages are still on their way then.
    public func flush(_ timeout: Duration) throws(KafkaFailure) {
        let code = rd_kafka_flush(client.pointer, timeout.milliseconds)
        outstanding.removeAll { $0.pending == 0 }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw client.failure(code, doing: "Delivering \(queuedCount) messages")
    }

    /// Gives up every message, queued or in flight, and waits for their reports.
    public func purge() {
        _ = rd_kafka_purge(client.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        _ = rd_kafka_flush(client.pointer, 10_000)
        outstanding.removeAll { $0.pending == 0 }
    }

    /// Why messages of a delivery were not delivered, or `nil`.
    public func failure(of delivery: KafkaDelivery, to topic: String) -> KafkaFailure? {
        guard let error = delivery.firstError else { return nil }
        var code = error.code
        // What the producer has died of says why it gave its messages up.
        let isGivenUp =
            code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
        if isGivenUp, rd_kafka_fatal_error(client.pointer, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR {
            code = RD_KAFKA_RESP_ERR__FATAL
        }
        let what = "Producing to \(KafkaPartition(topic, error.partition))"
        return client.failure(code, doing: what).sizeAdvised()
    }

    internal func topic(_ name: String) throws(KafkaFailure) -> TopicHandle {
        if let topic = topics[name] { return topic }
        let topic = try TopicHandle(client, name)
        topics[name] = topic
        return topic
    }

    private func note(_ delivery: KafkaDelivery) {
        if outstanding.last === delivery || outstanding.contains(where: { $0 === delivery }) {
            return
        }
        outstanding.append(delivery)
    }
}

extension KafkaProducer {
    /// Hands one message over; it is copied.
    ///
    /// Blocks while the queue is full, which ends when messages are delivered or time out. The
    /// timestamp is in milliseconds since the epoch, `nil` for now.
    public func produce(
        to partition: KafkaPartition,
        key: [UInt8]?,
        value: [UInt8]?,
        timestamp: Int64? = nil,
        into delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        let topic = try topic(partition.topic)
        note(delivery)
        while true {
            let code = Self.withBytes(key) { keyBase, keyCount in
                Self.withBytes(value) { valueBase, valueCount in
                    mr_kafka_produce(
                        client.pointer,
                        topic.pointer,
                        partition.partition,
                        timestamp ?? -1,
                        keyBase,
                        keyCount,
                        valueBase,
                        valueCount,
                        delivery.counts
                    )
                }
            }
            if try isTaken(code, partition) { return }
        }
    }

    /// Hands over `count` records in the encoding of a RecordBatch.
    ///
    /// Values are not copied: `records` must stay until `delivery` has no pending messages, or
    /// the producer is closed. Blocks while the queue is full, which ends when messages are
    /// delivered or time out.
    public func produce(
        _ records: UnsafeRawBufferPointer,
        count: Int,
        baseTimestamp: Int64,
        to partition: KafkaPartition,
        into delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        guard let base = records.baseAddress else { return }
        let topic = try topic(partition.topic)
        note(delivery)
        var cursor: UnsafePointer<UInt8>? = base.assumingMemoryBound(to: UInt8.self)
        let end = cursor.map { $0 + records.count }
        var taken: Int64 = 0
        while true {
            let code = mr_kafka_produce_records(
                client.pointer,
                topic.pointer,
                partition.partition,
                baseTimestamp,
                &cursor,
                end,
                &taken,
                Int64(count),
                delivery.counts
            )
            if try isTaken(code, partition) { return }
        }
    }

    /// Whether a message was taken; waits for room when the queue is full.
    private func isTaken(
        _ code: rd_kafka_resp_err_t,
        _ partition: KafkaPartition
    ) throws(KafkaFailure) -> Bool {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return true }
        guard code == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
            throw client.failure(code, doing: "Producing to \(partition)").sizeAdvised()
        }
        guard !client.isInterrupted else {
            throw client.failure(.timedOut, doing: "Producing to \(partition)")
        }
        // D7: the queue is bounded; whoever produces waits for reports.
        client.poll(.milliseconds(100))
        return false
    }

    /// An empty array is an address too, since null is something else.
    private static func withBytes<T>(
        _ bytes: [UInt8]?,
        _ body: (UnsafeRawPointer?, Int) -> T
    ) -> T {
        guard let bytes else { return body(nil, 0) }
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, !buffer.isEmpty else {
                var placeholder: UInt8 = 0
                return withUnsafeBytes(of: &placeholder) { body($0.baseAddress, 0) }
            }
            return body(base, buffer.count)
        }
    }
}

extension KafkaFailure {
    /// Names the key that limits the size of a message.
    fileprivate func sizeAdvised() -> KafkaFailure {
        guard code == .messageTooLarge else { return self }
        var failure = self
        failure.configurationKey = "message.max.bytes"
        failure.hint =
            "Raise message.max.bytes of the client and max.message.bytes of the topic."
        return failure
    }
}
