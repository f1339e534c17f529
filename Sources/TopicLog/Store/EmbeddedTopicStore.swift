public import ConnectorSDK
public import Logging
internal import Synchronization
public import Topics

/// Topics in a data directory, in Kafka's own file formats.
///
/// ```
/// <data>/state.db                          what is committed; the only truth
/// <data>/topics/<topic>-<partition>/       segments: <base offset>.{log,index,timeindex}
/// <data>/lock                              names the process that writes
/// ```
///
/// One process at a time may write; any number may read, also while another one writes.
public final class EmbeddedTopicStore: TopicStore {
    /// What a store is opened for.
    public enum Mode: Sendable {
        /// Reading and writing; one process at a time.
        case readWrite
        /// Reading what is committed; nothing on the disk is changed.
        case readOnly
        /// The same while nobody writes: no process can open the directory for writing meanwhile.
        case readAlone
    }

    /// The data directory.
    public let directory: String
    /// What the store is open for.
    public let mode: Mode
    /// What opening found and did.
    public let recovery: RecoveryReport
    internal let data: DataDirectory
    private let threads: Mutex<StoreThreads?>

    /// Opens a data directory; for writing, one that does not exist is made.
    ///
    /// Throws `topics.locked` when another process writes to it.
    public init(
        directory: String,
        mode: Mode,
        logger: Logger,
        options: StoreOptions = StoreOptions()
    ) throws(ConnectorError) {
        self.directory = directory
        self.mode = mode
        let opening = StoreOpening(path: directory, options: options, logger: logger)
        let opened =
            switch mode {
            case .readWrite: try opening.openForWriting()
            case .readOnly: try opening.openForReading()
            case .readAlone: try opening.openForReading(alone: true)
            }
        data = opened.data
        recovery = opened.report
        threads = Mutex(opened.threads)
        for finding in recovery.findings {
            let level: Logger.Level = finding.isLoss ? .error : .notice
            logger.log(
                level: level,
                "Opening the data directory found something.",
                metadata: ["finding": "\(finding)", "kind": "\(finding.kind.rawValue)"]
            )
        }
    }

    deinit { close() }

    /// Makes durable what was submitted, and gives the directory up; later calls do nothing.
    public func close() {
        let threads = threads.withLock { threads in
            defer { threads = nil }
            return threads
        }
        threads?.stop()
    }

    /// Looks for segments past their retention and for logs to be compacted, and does the work.
    ///
    /// A store that is open for writing does so by itself from time to time.
    public func runMaintenance(now: Int64) throws(ConnectorError) {
        try Maintenance(data).run(now: now)
    }
}

extension EmbeddedTopicStore {
    /// The process that has a directory open for writing, in words, or `nil` when none has.
    public static func writer(of directory: String) -> String? { DirectoryLock.holder(directory) }
}

// MARK: - Topics

extension EmbeddedTopicStore {
    public func topics() throws(ConnectorError) -> [TopicDescription] {
        try data.allTopics().map(\.description)
    }

    public func describe(_ topic: String) throws(ConnectorError) -> TopicDescription? {
        try data.find(topic)?.description
    }

    public func create(
        _ topic: String,
        partitions: Int32,
        settings: TopicSettings
    ) throws(ConnectorError) {
        try TopicChange(data).create(topic, partitions: partitions, settings: settings)
    }

    public func alter(_ topic: String, settings: TopicSettings) throws(ConnectorError) {
        try TopicChange(data).alter(topic, settings: settings)
    }

    public func delete(_ topic: String) throws(ConnectorError) {
        try TopicChange(data).delete(topic)
    }

    public func offsets(of partition: TopicPartition) throws(ConnectorError) -> OffsetRange {
        let (topic, log) = try locate(partition)
        if mode == .readOnly { try data.refresh(log, topic: topic) }
        let view = log.view
        return OffsetRange(start: view.startOffset, end: view.highWatermark)
    }

    public func offset(
        of partition: TopicPartition,
        atOrAfter timestamp: Int64
    ) throws(ConnectorError) -> Int64 {
        let (topic, log) = try locate(partition)
        if mode == .readOnly { try data.refresh(log, topic: topic) }
        return try TimestampSearch(timestamp, in: partition).run(log.view)
    }

    private func locate(
        _ partition: TopicPartition
    ) throws(ConnectorError) -> (Topic, PartitionLog) {
        let topic = try data.topic(partition.topic)
        return (topic, try topic.partition(partition))
    }
}

// MARK: - Producers, readers, signals

extension EmbeddedTopicStore {
    public func makeProducer() throws(ConnectorError) -> any TopicProducer {
        guard let queue = data.queue else { throw .storeIsReadOnly }
        return EmbeddedProducer(data, queue: queue)
    }

    public func makeReader(
        _ partition: TopicPartition,
        from offset: Int64
    ) throws(ConnectorError) -> any PartitionReader {
        let (topic, log) = try locate(partition)
        return EmbeddedReader(data, topic: topic, log: log, from: offset)
    }

    public func add(
        _ signal: AppendSignal,
        for partitions: [TopicPartition]
    ) throws(ConnectorError) {
        for partition in partitions { try locate(partition).1.add(signal) }
        if mode == .readOnly { threads.withLock { $0?.follow(data) } }
    }

    public func remove(_ signal: AppendSignal) {
        for topic in (try? data.allTopics()) ?? [] {
            for log in topic.partitions { log.remove(signal) }
        }
    }
}
