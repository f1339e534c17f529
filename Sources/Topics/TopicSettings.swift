/// How a topic is kept; the names are Kafka's.
public struct TopicSettings: Sendable, Hashable {
    /// What happens to old records.
    public enum CleanupPolicy: String, Sendable, CaseIterable {
        /// Old segments are deleted.
        case delete
        /// The latest record of each key is kept.
        case compact
        /// Both.
        case compactAndDelete = "compact,delete"
    }

    /// The codec of new batches.
    public enum CompressionType: String, Sendable, CaseIterable {
        /// No compression.
        case none
        /// LZ4 frames.
        case lz4
        /// Zstandard.
        case zstd
    }

    /// Whose clock a record's timestamp is.
    public enum TimestampType: String, Sendable, CaseIterable {
        /// The producer's.
        case createTime = "CreateTime"
        /// The store's, when the record is appended.
        case logAppendTime = "LogAppendTime"
    }

    /// When an append counts as done.
    public enum Durability: String, Sendable, CaseIterable {
        /// After fdatasync.
        case fsync
        /// When the operating system has it; a power failure may lose the end.
        case os
    }

    /// `cleanup.policy`: what happens to old records.
    public var cleanupPolicy = CleanupPolicy.delete
    /// `retention.ms`: the age at which a segment is deleted, -1 for never.
    public var retentionMilliseconds: Int64 = 604_800_000
    /// `retention.bytes`: the size above which a partition's oldest segments go, -1 for no limit.
    public var retentionBytes: Int64 = -1
    /// `retention.hold.sinks`: keeps what a registered sink has not read, whatever the age.
    public var retentionHoldSinks = true
    /// `segment.bytes`: the size at which a new segment begins.
    public var segmentBytes: Int64 = 1 << 30
    /// `segment.ms`: the age at which a new segment begins.
    public var segmentMilliseconds: Int64 = 604_800_000
    /// `compression.type`: the codec of new batches.
    public var compressionType = CompressionType.none
    /// `message.timestamp.type`: whose clock a record's timestamp is.
    public var timestampType = TimestampType.createTime
    /// `max.message.bytes`: the largest batch, a single record's included.
    public var maxMessageBytes: Int64 = 64 << 20
    /// `delete.retention.ms`: how long compaction keeps a tombstone.
    public var deleteRetentionMilliseconds: Int64 = 86_400_000
    /// `min.compaction.lag.ms`: how long a record is safe from compaction.
    public var minCompactionLagMilliseconds: Int64 = 0
    /// `min.cleanable.dirty.ratio`: the share of uncompacted bytes at which compaction begins.
    public var minCleanableDirtyRatio = 0.5
    /// `durability`: when an append counts as done.
    public var durability = Durability.fsync

    /// The keys that somebody has given, as opposed to defaults; no part of what the settings are.
    public var given = GivenKeys()

    /// Makes the default settings.
    public init() {}
}

/// Keys that were given; two sets of them do not make settings differ.
public struct GivenKeys: Sendable, Hashable {
    /// The names.
    public var names: Set<String> = []

    /// Makes an empty set.
    public init() {}

    public static func == (left: Self, right: Self) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}
