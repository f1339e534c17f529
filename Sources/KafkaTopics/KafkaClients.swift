internal import ConnectorSDK
internal import KafkaClient
internal import Synchronization

/// The clients that the parts of a store share.
internal final class KafkaClients: Sendable {
    internal let settings: KafkaSettings
    internal let options: KafkaStoreOptions
    internal let admin: KafkaAdmin
    /// Tells offsets as all records have them, those of open transactions included.
    internal let observer: KafkaConsumer
    private let readers = Mutex<[ReadingConsumer]>([])

    internal init(
        _ settings: KafkaSettings,
        _ options: KafkaStoreOptions
    ) throws(KafkaFailure) {
        self.settings = settings
        self.options = options
        admin = try KafkaAdmin(settings.readingOnly, timeout: options.timeout)
        observer = try KafkaConsumer(settings.readingOnly, isolation: .readUncommitted)
    }

    /// Begins to read a partition, with a consumer that does not read it already.
    internal func open(
        _ partition: KafkaPartition,
        at offset: Int64
    ) throws(KafkaFailure) -> (queue: KafkaPartitionQueue, lease: ReadingLease) {
        let consumer = try readers.withLock {
            (consumers) throws(KafkaFailure) -> ReadingConsumer in
            if let free = consumers.first(where: { $0.reserve(partition) }) { return free }
            let made = try ReadingConsumer(settings.readingOnly)
            _ = made.reserve(partition)
            consumers.append(made)
            return made
        }
        let lease = ReadingLease(consumer, partition)
        return (try consumer.consumer.open(partition, at: offset), lease)
    }
}

/// A consumer and the partitions that it reads: each only once at a time.
internal final class ReadingConsumer: Sendable {
    internal let consumer: KafkaConsumer
    private let partitions = Mutex<Set<KafkaPartition>>([])

    internal init(_ settings: KafkaSettings) throws(KafkaFailure) {
        consumer = try KafkaConsumer(settings, isolation: .readCommitted)
    }

    internal func reserve(_ partition: KafkaPartition) -> Bool {
        partitions.withLock { $0.insert(partition).inserted }
    }

    internal func release(_ partition: KafkaPartition) {
        _ = partitions.withLock { $0.remove(partition) }
    }
}

/// Keeps a consumer from reading a partition twice, until the reader is gone.
internal final class ReadingLease {
    private let consumer: ReadingConsumer
    private let partition: KafkaPartition

    internal init(_ consumer: ReadingConsumer, _ partition: KafkaPartition) {
        self.consumer = consumer
        self.partition = partition
    }

    deinit { consumer.release(partition) }
}

extension KafkaSettings {
    /// Without what only producers take, so that others do not warn of it.
    internal var readingOnly: KafkaSettings {
        KafkaSettings(
            values.filter { key, _ in
                !["transactional.id", "transaction.timeout.ms", "enable.idempotence", "acks"]
                    .contains(key)
            }
        )
    }
}
