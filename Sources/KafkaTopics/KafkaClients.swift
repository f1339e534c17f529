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
    internal let waitLimit = WaitLimit()
    private let readers = Mutex<[ReadingConsumer]>([])

    internal init(
        _ settings: KafkaSettings,
        _ options: KafkaStoreOptions
    ) throws(KafkaFailure) {
        self.settings = settings
        self.options = options
        let ear = Self.ear(options, waitLimit)
        admin = try KafkaAdmin(settings, timeout: options.timeout, observer: ear)
        observer = try KafkaConsumer(
            settings,
            isolation: .readUncommitted,
            observer: ear
        )
    }

    /// What clients report to, and ask whether to go on; `isDone` ends it for one of them.
    internal func ear(until isDone: @escaping @Sendable () -> Bool = { false }) -> KafkaObserver {
        var ear = Self.ear(options, waitLimit)
        ear.isInterrupted = { [waitLimit] in waitLimit.hasPassed || isDone() }
        return ear
    }

    private static func ear(_ options: KafkaStoreOptions, _ limit: WaitLimit) -> KafkaObserver {
        KafkaObserver(log: options.log, isInterrupted: { limit.hasPassed })
    }

    /// The offsets of a partition that is being read, as the last answer of the broker has told.
    internal func known(_ partition: KafkaPartition) -> (low: Int64, high: Int64)? {
        let consumers = readers.withLock { $0 }
        for consumer in consumers where consumer.reads(partition) {
            if let found = consumer.consumer.knownWatermarks(of: partition) { return found }
        }
        return nil
    }

    /// Waits until everything was reported.
    internal func settle(
        _ delivery: KafkaDelivery,
        of producer: KafkaProducer,
        isDone: () -> Bool = { false }
    ) throws(KafkaFailure) {
        while delivery.pending > 0, !waitLimit.hasPassed, !isDone() {
            producer.poll(.milliseconds(100))
        }
        if let failure = producer.failure(of: delivery, to: "a topic") { throw failure }
        guard delivery.pending == 0 else {
            throw KafkaFailure(
                .retriable,
                .timedOut,
                "\(delivery.pending) messages were given up before they were delivered."
            )
        }
    }

    /// Begins to read a partition, with a consumer that does not read it already.
    internal func open(
        _ partition: KafkaPartition,
        at offset: Int64
    ) throws(KafkaFailure) -> (queue: KafkaPartitionQueue, lease: ReadingLease) {
        let consumer = try readers.withLock {
            (consumers) throws(KafkaFailure) -> ReadingConsumer in
            if let free = consumers.first(where: { $0.reserve(partition) }) { return free }
            let made = try ReadingConsumer(settings, ear())
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

    internal init(_ settings: KafkaSettings, _ ear: KafkaObserver) throws(KafkaFailure) {
        consumer = try KafkaConsumer(settings, isolation: .readCommitted, observer: ear)
    }

    internal func reads(_ partition: KafkaPartition) -> Bool {
        partitions.withLock { $0.contains(partition) }
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
