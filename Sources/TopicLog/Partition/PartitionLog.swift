internal import ConnectorSDK
internal import Synchronization
internal import Topics

/// What readers may see of a partition at one moment.
internal struct PartitionView: Sendable {
    /// The first offset that may be read.
    internal var startOffset: Int64
    /// One past the last offset that may be read. (D4)
    internal var highWatermark: Int64
    /// Compaction may have left gaps below this offset.
    internal var cleanedOffset: Int64
    /// The segments by base offset.
    internal var segments: [Segment]

    /// The segment that holds `offset`, or the first one behind it.
    internal func segment(holding offset: Int64) -> Segment? {
        segments.last { $0.baseOffset <= offset } ?? segments.first
    }

    /// The segment that follows one with this base offset.
    internal func segment(after baseOffset: Int64) -> Segment? {
        segments.first { $0.baseOffset > baseOffset }
    }

    /// The segment that is appended to, if any.
    internal var active: Segment? { segments.last }
}

/// One partition as all threads share it.
internal final class PartitionLog: Sendable {
    internal let id: TopicPartition
    /// The topic's id in `state.db`.
    internal let topicID: Int64
    /// The directory of the segments, `<data>/topics/<topic>-<partition>`.
    internal let directory: String
    private let current: Mutex<PartitionView>
    private let signals = Mutex<[AppendSignal]>([])

    internal init(id: TopicPartition, topicID: Int64, directory: String, view: PartitionView) {
        self.id = id
        self.topicID = topicID
        self.directory = directory
        current = Mutex(view)
    }

    /// What may be read now.
    internal var view: PartitionView { current.withLock { $0 } }

    /// The high watermark.
    internal var highWatermark: Int64 { current.withLock { $0.highWatermark } }

    /// Changes what may be read.
    internal func update(_ change: (inout PartitionView) -> Void) {
        current.withLock { change(&$0) }
    }

    /// Has `signal` raised when there are new records.
    internal func add(_ signal: AppendSignal) { signals.withLock { $0.append(signal) } }

    /// Stops raising `signal`.
    internal func remove(_ signal: AppendSignal) {
        signals.withLock { $0.removeAll { $0 === signal } }
    }

    /// Whether someone waits for new records.
    internal var hasSignals: Bool { signals.withLock { !$0.isEmpty } }

    /// Wakes those who wait for new records.
    internal func raiseSignals() {
        for signal in signals.withLock({ $0 }) { signal.raise() }
    }
}

/// One topic as all threads share it.
internal final class Topic: Sendable {
    internal let id: Int64
    internal let name: String
    internal let partitions: [PartitionLog]
    private let currentSettings: Mutex<TopicSettings>
    private let removed = Atomic(false)

    internal init(id: Int64, name: String, settings: TopicSettings, partitions: [PartitionLog]) {
        self.id = id
        self.name = name
        self.partitions = partitions
        currentSettings = Mutex(settings)
    }

    internal var settings: TopicSettings {
        get { currentSettings.withLock { $0 } }
        set { currentSettings.withLock { $0 = newValue } }
    }

    /// Whether the topic was deleted while someone still refers to it.
    internal var isRemoved: Bool { removed.load(ordering: .acquiring) }

    /// Notes that the topic was deleted, and wakes its readers so that they learn of it.
    internal func markRemoved() {
        removed.store(true, ordering: .releasing)
        for partition in partitions { partition.raiseSignals() }
    }

    internal var description: TopicDescription {
        TopicDescription(
            name: name,
            partitions: Int32(truncatingIfNeeded: partitions.count),
            settings: settings
        )
    }

    /// The log of a partition.
    internal func partition(_ id: TopicPartition) throws(ConnectorError) -> PartitionLog {
        guard partitions.indices.contains(Int(id.partition)) else {
            throw .unknownPartition(id, count: partitions.count)
        }
        return partitions[Int(id.partition)]
    }
}
