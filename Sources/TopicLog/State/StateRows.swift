internal import ConnectorSDK
internal import Topics

/// A topic as `state.db` has it.
internal struct TopicRow: Sendable {
    internal var id: Int64
    internal var name: String
    internal var settings: TopicSettings
    /// One for each partition, in order.
    internal var partitions: [PartitionRow]
}

/// What is true of a partition: the only source of it.
internal struct PartitionRow: Sendable, Hashable {
    /// The first offset that may be read.
    internal var startOffset: Int64 = 0
    /// One past the last committed offset.
    internal var endOffset: Int64 = 0
    /// The base offset of the segment that is appended to; -1 before there is one.
    internal var segmentBase: Int64 = -1
    /// The committed size of that segment in bytes.
    internal var segmentEnd: Int64 = 0
    /// Below this offset compaction has been at work.
    internal var cleanedOffset: Int64 = 0
}

/// A change of `state.db` that belongs to a unit.
internal enum StateChange: Sendable {
    /// A source's position; `nil` removes it.
    case position(connector: String, part: String, offset: String?)
    /// A group's next offset; `nil` removes it.
    case groupOffset(group: String, partition: TopicPartition, offset: Int64?)
}
