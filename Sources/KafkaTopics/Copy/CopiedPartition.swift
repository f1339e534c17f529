public import ConnectorSDK

/// What became of a partition that was copied.
public struct CopiedPartition: Sendable {
    /// The partition, which has this name on both sides.
    public var partition: TopicPartition
    /// The records in it.
    public var records: Int64 = 0
    /// How many of them an earlier copy had written.
    public var found: Int64 = 0
    /// The bytes of all keys, values and headers.
    public var bytes: Int64 = 0
    /// Records whose time lies before 1970, which became that of the copy.
    public var restamped: Int64 = 0
    /// Offsets from the first record on that no record has here, so that later ones are less on the
    /// cluster.
    public var gaps: Int64 = 0
    /// For the offsets that were asked about, what they are on the cluster.
    public var offsets: [Int64: Int64] = [:]

    /// Begins with none of its records.
    public init(partition: TopicPartition) { self.partition = partition }

    /// Whether records have other offsets on the cluster.
    public var isShifted: Bool { gaps > 0 }
}

extension ConnectorError.Code {
    /// The cluster holds what is not from here.
    internal static let copyTarget = Self("copy.target")
    /// What was written is not what is read back.
    internal static let copyDiffers = Self("copy.differs")
}

extension ConnectorError {
    /// Makes the error of a target that something else has written to.
    internal static func copyTarget(_ message: String, hint: String? = nil) -> Self {
        Self(
            .copyTarget,
            .failTask,
            message,
            kind: .configuration,
            hint: hint ?? "What is copied goes on from an interrupted copy, or begins with empty "
                + "topics: delete the topic there, or choose another cluster."
        )
    }
}
