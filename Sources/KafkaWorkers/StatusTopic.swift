internal import ConnectorSDK
internal import KafkaClient

/// The compacted topic that workers tell each other what they do in: the latest value of each key.
///
/// Belongs to one thread.
internal final class StatusTopic {
    private let partition: KafkaPartition
    private let consumer: KafkaConsumer
    private let observer: KafkaConsumer
    private let producer: KafkaProducer
    private let timeout: Duration

    internal init(
        _ name: String,
        _ settings: KafkaSettings,
        _ timeout: Duration,
        _ ear: KafkaObserver
    ) throws(KafkaFailure) {
        partition = KafkaPartition(name, 0)
        self.timeout = timeout
        consumer = try KafkaConsumer(settings, isolation: .readCommitted, observer: ear)
        observer = try KafkaConsumer(settings, isolation: .readUncommitted, observer: ear)
        producer = try KafkaProducer(
            settings.overriding(["enable.idempotence": "true"]),
            observer: ear
        )
    }

    internal func close() { producer.close() }

    /// The latest value of each key, as of now.
    internal func read() throws -> [String: String] {
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
}
