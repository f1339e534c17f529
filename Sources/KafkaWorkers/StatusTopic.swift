internal import ConnectorSDK
internal import KafkaClient

/// The compacted topic that workers tell each other what they do in: the latest value of each key.
///
/// Belongs to one thread.
internal final class StatusTopic {
    /// What became of values that were sent.
    internal enum Outcome {
        case pending, delivered
        case failed(KafkaFailure)
    }

    private let partition: KafkaPartition
    private let consumer: KafkaConsumer
    private let observer: KafkaConsumer
    private let settings: KafkaSettings
    private let timeout: Duration
    private let ear: KafkaObserver
    /// Made when something is written first, and anew after a failure.
    private var producer: KafkaProducer?
    private var delivery: KafkaDelivery?

    internal init(
        _ name: String,
        _ settings: KafkaSettings,
        _ timeout: Duration,
        _ ear: KafkaObserver
    ) throws(KafkaFailure) {
        partition = KafkaPartition(name, 0)
        self.settings = settings
        self.timeout = timeout
        self.ear = ear
        consumer = try KafkaConsumer(settings, isolation: .readCommitted, observer: ear)
        observer = try KafkaConsumer(settings, isolation: .readUncommitted, observer: ear)
    }

    internal func close() {
        producer?.close()
        producer = nil
    }

    private func openProducer() throws(KafkaFailure) -> KafkaProducer {
        if let producer { return producer }
        let made = try KafkaProducer(
            settings.overriding(["enable.idempotence": "true"]),
            observer: ear
        )
        producer = made
        return made
    }

    /// The latest value of each key, as of now.
    internal func read() throws(KafkaFailure) -> [String: String] {
        var entries: [String: String] = [:]
        let (low, end) = try observer.watermarks(of: partition, timeout)
        guard low < end else { return entries }
        let queue = try consumer.open(partition, at: low)
        try queue.readAll(before: end, within: timeout) { record in
            guard let key = record.key else { return }
            entries[String(decoding: key, as: UTF8.self)] = record.value.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        return entries
    }

    /// Writes a value, durable on return.
    internal func write(_ value: String, for key: String) throws(KafkaFailure) {
        let producer = try openProducer()
        let delivery = KafkaDelivery()
        try producer.produce(
            to: partition,
            key: Array(key.utf8),
            value: Array(value.utf8),
            into: delivery
        )
        try producer.flush(timeout)
        if let failure = producer.failure(of: delivery, to: partition.topic) { throw failure }
    }

    /// Sends values, and waits for nothing; ``outcome(_:)`` tells what became of them.
    internal func send(_ changes: [StatusLedger.Change]) throws(KafkaFailure) {
        let producer = try openProducer()
        let delivery = KafkaDelivery()
        do throws(KafkaFailure) {
            for (key, value) in changes {
                try producer.produce(
                    to: partition,
                    key: Array(key.utf8),
                    value: value.map { Array($0.utf8) },
                    into: delivery
                )
            }
        } catch {
            close()
            throw error
        }
        self.delivery = delivery
    }

    /// What became of the values that were sent last, waiting for it for at most `wait`.
    internal func outcome(_ wait: Duration = .zero) -> Outcome {
        guard let producer, let delivery else { return .delivered }
        producer.poll(wait)
        guard delivery.pending == 0 else { return .pending }
        self.delivery = nil
        guard let failure = producer.failure(of: delivery, to: partition.topic) else {
            return .delivered
        }
        // One that has failed for good would fail for ever.
        close()
        return .failed(failure)
    }
}
