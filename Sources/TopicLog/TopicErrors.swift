public import ConnectorSDK
internal import SQLiteClient

extension ConnectorError.Code {
    /// The topic or partition does not exist.
    public static let topicUnknown = Self("topics.unknown")
    /// A topic of this name exists already.
    public static let topicExists = Self("topics.exists")
    /// A topic's name, partition count or setting cannot work.
    public static let topicInvalid = Self("topics.invalid")
    /// Another process owns the data directory.
    public static let topicsLocked = Self("topics.locked")
    /// The store was opened for reading, or is closed.
    public static let topicsReadOnly = Self("topics.read_only")
    /// The store or the producer was closed.
    public static let topicsClosed = Self("topics.closed")
    /// There is no room on the disk.
    public static let topicDiskFull = Self("topics.disk_full")
    /// A file could not be opened, read or written.
    public static let topicInputOutput = Self("topics.io")
    /// Committed records are missing or damaged.
    public static let topicCorrupt = Self("topics.corrupt")
    /// The offset asked for is not between the log start offset and the high watermark.
    public static let topicOffsetOutOfRange = Self("topics.offset_out_of_range")
    /// A record or batch exceeds `max.message.bytes`.
    public static let topicRecordTooLarge = Self("topics.record_too_large")
    /// A record of a compacted topic has no key.
    public static let topicKeyMissing = Self("topics.key_missing")
    /// The state database could not be read or written.
    public static let topicState = Self("topics.state")
}

extension ConnectorError {
    /// Makes the error of a disk without room.
    internal static func diskFull(_ path: String) -> Self {
        Self(
            .topicDiskFull,
            .retry(after: nil),
            "There is no room left on the disk that holds \(path).",
            kind: .environment,
            hint: "Make room; writing goes on by itself and nothing is lost."
        )
    }

    /// Makes the error of a topic that does not exist.
    internal static func unknownTopic(_ topic: String) -> Self {
        Self(
            .topicUnknown,
            .failTask,
            "The topic \(topic) does not exist.",
            hint: "Create it, or name it under `topics:` in the pipeline file."
        )
    }

    /// Makes the error of a partition that does not exist.
    internal static func unknownPartition(_ partition: TopicPartition, count: Int) -> Self {
        Self(
            .topicUnknown,
            .failTask,
            "The topic \(partition.topic) has no partition \(partition.partition); it has "
                + "\(count)."
        )
    }

    /// Makes the error of a write to a store opened for reading.
    internal static var storeIsReadOnly: Self {
        Self(.topicsReadOnly, .failTask, "The data directory was opened for reading only.")
    }

    /// Makes the error of a call after `close()`.
    internal static var storeIsClosed: Self {
        Self(.topicsClosed, .failTask, "The data directory is closed.")
    }

    /// Makes the error of a directory that nobody has written topics to.
    internal static func noDataDirectory(_ path: String) -> Self {
        Self(
            .topicState,
            .failTask,
            "\(path) is no data directory: it has no state.db.",
            kind: .environment,
            hint: "Name the directory with --data-dir or MILLRACE_DATA."
        )
    }

    /// Makes the error of a topic that cannot be made like that.
    internal static func invalidTopic(_ message: String, at key: String) -> Self {
        Self(.topicInvalid, .failTask, message, kind: .configuration, at: key)
    }

    /// Makes the error of a call after the producer's `close()`.
    internal static var producerIsClosed: Self {
        Self(.topicsClosed, .failTask, "The producer is closed.")
    }

    /// Makes the error of an offset that cannot be read.
    internal static func outOfRange(
        _ partition: TopicPartition,
        _ offset: Int64,
        _ range: ClosedRange<Int64>
    ) -> Self {
        let lost = offset < range.lowerBound
        let reason =
            lost
            ? "\(range.lowerBound - offset) offsets were removed by retention"
            : "it is past the end"
        return Self(
            .topicOffsetOutOfRange,
            .failTask,
            "Offset \(offset) of \(partition) cannot be read, because \(reason): the partition "
                + "holds \(range.lowerBound) to \(range.upperBound).",
            hint: "Begin at an offset that exists."
        )
    }

    /// Makes the error of committed records that cannot be read.
    internal static func corrupt(
        _ partition: TopicPartition,
        offset: Int64,
        _ what: String
    ) -> Self {
        Self(
            .topicCorrupt,
            .failTask,
            "\(partition) is damaged at offset \(offset): \(what).",
            kind: .environment,
            hint: "Run `millrace fsck` to see what is lost and what can be kept."
        )
    }
}

extension SQLiteFailure {
    /// The error as the engine sees it; `path` is the database's.
    internal func asConnectorError(_ path: String) -> ConnectorError {
        if isDiskFull { return .diskFull(path) }
        let mayPass = isBusy || isInputOutput || isCannotOpen
        return ConnectorError(
            .topicState,
            mayPass ? .retry(after: nil) : .failTask,
            "The state database \(path) reported: \(message).",
            kind: .environment,
            hint: isCorrupt ? "Run `millrace fsck` to check the data directory." : nil,
            underlying: self
        )
    }
}
