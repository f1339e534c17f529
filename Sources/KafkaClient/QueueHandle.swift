internal import CKafka
internal import Synchronization

/// A queue that one partition is fetched into.
internal final class QueueHandle {
    private let pointer: OpaquePointer
    private let client: ClientHandle
    private let topic: TopicHandle
    private let partition: KafkaPartition
    private let arrival = Arrival()

    internal init(
        _ client: ClientHandle,
        _ partition: KafkaPartition,
        at offset: Int64
    ) throws(KafkaFailure) {
        self.client = client
        self.partition = partition
        topic = try TopicHandle(client, partition.topic)
        guard let pointer = rd_kafka_queue_new(client.pointer) else {
            throw client.failure(rd_kafka_last_error(), doing: "Reading \(partition)")
        }
        self.pointer = pointer
        try start(at: offset)
    }

    deinit {
        rd_kafka_queue_cb_event_enable(pointer, nil, nil)
        _ = rd_kafka_consume_stop(topic.pointer, partition.partition)
        rd_kafka_queue_destroy(pointer)
    }

    private func start(at offset: Int64) throws(KafkaFailure) {
        let code = rd_kafka_consume_start_queue(
            topic.pointer,
            partition.partition,
            offset,
            pointer
        )
        guard code == 0 else {
            throw client.failure(rd_kafka_last_error(), doing: "Reading \(partition)")
        }
    }

    /// Starts again at another offset.
    ///
    /// What was fetched before is dropped by librdkafka, which numbers the starts.
    internal func restart(at offset: Int64) throws(KafkaFailure) {
        _ = rd_kafka_consume_stop(topic.pointer, partition.partition)
        try start(at: offset)
    }

    internal func onArrival(_ signal: (@Sendable () -> Void)?) {
        arrival.signal.withLock { $0 = signal }
        guard signal != nil else {
            rd_kafka_queue_cb_event_enable(pointer, nil, nil)
            return
        }
        rd_kafka_queue_cb_event_enable(
            pointer,
            { _, opaque in
                guard let opaque else { return }
                let arrival = Unmanaged<Arrival>.fromOpaque(opaque).takeUnretainedValue()
                arrival.signal.withLock { $0 }?()
            },
            Unmanaged.passUnretained(arrival).toOpaque()
        )
    }

    /// Whether calls are to end.
    internal var isInterrupted: Bool { client.isInterrupted }

    /// Takes what has arrived into an empty batch.
    internal func fill(_ batch: MessageBatch, atMost most: Int, _ timeout: Duration) {
        client.poll()
        let count = rd_kafka_consume_batch_queue(
            pointer,
            timeout.milliseconds,
            batch.messages,
            most
        )
        batch.filled = max(Int(count), 0)
    }

    /// The failure of a message that stands for an error.
    internal func failure(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaFailure {
        let text = rd_kafka_message_errstr(message).map { String(cString: $0) }
        return client.failure(message.pointee.err, text, doing: "Reading \(partition)")
    }

    private final class Arrival: Sendable {
        let signal = Mutex<(@Sendable () -> Void)?>(nil)
    }
}
