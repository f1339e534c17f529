public import ConnectorSDK

/// A topic's settings as configuration keys: in pipeline files, on the command line, in listings.
extension TopicSettings {
    /// The keys, Kafka's topic configuration.
    public static let configuration = ConfigSpec()
        .with(cleanupPolicyKey)
        .with(retentionTimeKey)
        .with(retentionBytesKey)
        .with(retentionHoldKey)
        .with(segmentBytesKey)
        .with(segmentTimeKey)
        .with(compressionKey)
        .with(timestampTypeKey)
        .with(maxMessageKey)
        .with(deleteRetentionKey)
        .with(minCompactionLagKey)
        .with(minDirtyRatioKey)
        .with(durabilityKey)

    /// Reads settings; keys that are absent keep their defaults.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        self.init()
        given.names = Set(configuration.values.keys)
        cleanupPolicy = try configuration.get(Self.cleanupPolicyKey)
        retentionMilliseconds = Self.milliseconds(try configuration.get(Self.retentionTimeKey))
        retentionBytes = Int64(try configuration.get(Self.retentionBytesKey))
        retentionHoldSinks = try configuration.get(Self.retentionHoldKey)
        segmentBytes = Int64(try configuration.get(Self.segmentBytesKey))
        segmentMilliseconds = Self.milliseconds(try configuration.get(Self.segmentTimeKey))
        compressionType = try configuration.get(Self.compressionKey)
        timestampType = try configuration.get(Self.timestampTypeKey)
        maxMessageBytes = Int64(try configuration.get(Self.maxMessageKey))
        deleteRetentionMilliseconds = Self.milliseconds(
            try configuration.get(Self.deleteRetentionKey)
        )
        minCompactionLagMilliseconds = Self.milliseconds(
            try configuration.get(Self.minCompactionLagKey)
        )
        minCleanableDirtyRatio = Double(try configuration.get(Self.minDirtyRatioKey)) ?? 0.5
        durability = try configuration.get(Self.durabilityKey)
    }

    /// Every setting as it would be written, in the order of the documentation.
    public var entries: [(key: String, value: String)] {
        [
            ("cleanup.policy", cleanupPolicy.rawValue),
            ("retention.ms", String(retentionMilliseconds)),
            ("retention.bytes", String(retentionBytes)),
            ("retention.hold.sinks", String(retentionHoldSinks)),
            ("segment.bytes", String(segmentBytes)),
            ("segment.ms", String(segmentMilliseconds)),
            ("compression.type", compressionType.rawValue),
            ("message.timestamp.type", timestampType.rawValue),
            ("max.message.bytes", String(maxMessageBytes)),
            ("delete.retention.ms", String(deleteRetentionMilliseconds)),
            ("min.compaction.lag.ms", String(minCompactionLagMilliseconds)),
            ("min.cleanable.dirty.ratio", String(minCleanableDirtyRatio)),
            ("durability", durability.rawValue),
        ]
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
    }
}

extension TopicSettings {
    private static let never: Duration = .milliseconds(-1)
    private static let longest: Duration = .seconds(Int64(Int32.max))

    private static let cleanupPolicyKey = ConfigKey<CleanupPolicy>.choice(
        "cleanup.policy",
        default: .delete,
        importance: .high,
        help: """
            What happens to old records: `delete` removes whole segments by age and size, \
            `compact` keeps the latest record of each key, `compact,delete` does both.
            """
    )
    private static let retentionTimeKey = ConfigKey<Duration>.duration(
        "retention.ms",
        default: .seconds(7 * 86_400),
        in: never...longest,
        importance: .high,
        help: "The age at which a segment is deleted, by its newest record; `-1` for never."
    )
    private static let retentionBytesKey = ConfigKey<Int>.size(
        "retention.bytes",
        default: -1,
        in: -1 ... .max,
        importance: .high,
        help: "The size of a partition above which its oldest segments go; `-1` for no limit."
    )
    private static let retentionHoldKey = ConfigKey<Bool>.bool(
        "retention.hold.sinks",
        default: true,
        help: "Keeps what a sink that has read the topic before has not read yet, whatever its age."
    )
    private static let segmentBytesKey = ConfigKey<Int>.size(
        "segment.bytes",
        default: 1 << 30,
        // A batch of the largest size must fit, and offsets inside a segment are 32 bits.
        in: 4_096...Int(Int32.max),
        importance: .low,
        help: "The size at which a partition starts a new segment file."
    )
    private static let segmentTimeKey = ConfigKey<Duration>.duration(
        "segment.ms",
        default: .seconds(7 * 86_400),
        in: .milliseconds(1)...longest,
        importance: .low,
        help: "The age at which a partition starts a new segment file, even when it is not full."
    )
    private static let compressionKey = ConfigKey<CompressionType>.choice(
        "compression.type",
        default: CompressionType.none,
        help: "The codec of new batches; batches of any codec can be read."
    )
    private static let timestampTypeKey = ConfigKey<TimestampType>.choice(
        "message.timestamp.type",
        default: .createTime,
        importance: .low,
        help: """
            Whose clock a record's timestamp is: the source's (`CreateTime`) or that of the moment \
            the record is appended (`LogAppendTime`).
            """
    )
    private static let maxMessageKey = ConfigKey<Int>.size(
        "max.message.bytes",
        default: 64 << 20,
        in: 1_024...(1 << 30),
        importance: .low,
        help: "The largest batch that is accepted; a record larger than that is rejected."
    )
    private static let deleteRetentionKey = ConfigKey<Duration>.duration(
        "delete.retention.ms",
        default: .seconds(86_400),
        in: .zero...longest,
        importance: .low,
        help: "How long compaction keeps a tombstone, so that readers learn of the deletion."
    )
    private static let minCompactionLagKey = ConfigKey<Duration>.duration(
        "min.compaction.lag.ms",
        default: .zero,
        in: .zero...longest,
        importance: .low,
        help: "How long a record stays untouched by compaction."
    )
    private static let minDirtyRatioKey = ConfigKey<String>.string(
        "min.cleanable.dirty.ratio",
        default: "0.5",
        importance: .low,
        help: "The share of a partition that must be new since the last compaction, 0 to 1."
    ) { text in
        guard let ratio = Double(text), (0...1).contains(ratio) else {
            return "must be a number from 0 to 1"
        }
        return nil
    }
    private static let durabilityKey = ConfigKey<Durability>.choice(
        "durability",
        default: .fsync,
        help: """
            When an append counts as done: `fsync` after fdatasync, `os` when the operating system \
            has it; a power failure may then lose the end, a crash of the process does not.
            """
    )
}
