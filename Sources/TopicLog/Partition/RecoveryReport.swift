public import ConnectorSDK

/// What opening a data directory found and did.
public struct RecoveryReport: Sendable, Hashable {
    /// One thing that was not as a clean shutdown leaves it.
    public struct Finding: Sendable, Hashable, CustomStringConvertible {
        /// What kind of thing.
        public enum Kind: String, Sendable {
            /// Bytes behind the committed end, which nobody has seen; they were dropped.
            case uncommitted
            /// Committed records that are missing or damaged; nothing was changed.
            case damage
            /// The end of a topic with `durability: os`, which never reached the disk.
            case lostEnd = "lost_end"
            /// An index that was built anew.
            case index
            /// Files of finished work, which were removed.
            case leftover
            /// Files that belong to no topic; nothing was changed.
            case unknownFile = "unknown_file"
        }

        /// The partition, or `nil` for the directory as a whole.
        public var partition: TopicPartition?
        /// What kind of thing.
        public var kind: Kind
        /// What was found and done, in words.
        public var message: String

        /// Whether records that were committed are lost.
        public var isLoss: Bool { kind == .damage || kind == .lostEnd }

        /// The finding as a line.
        public var description: String {
            (partition.map { "\($0): " } ?? "") + message
        }
    }

    /// Everything that was found, in order.
    public var findings: [Finding] = []

    /// Makes an empty report.
    public init() {}
}
