public import ConnectorSDK

/// What a check of a data directory found.
public struct FsckReport: Sendable, Hashable {
    /// One thing that is not as it should be.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// What kind of thing.
        public enum Kind: String, Sendable, CaseIterable {
            /// `state.db` cannot be read, or SQLite finds faults in it.
            case state
            /// Committed records that are damaged or missing.
            case damage
            /// Bytes behind the committed end, which nobody has seen.
            case uncommitted
            /// The end of a topic with `durability: os`, which never reached the disk.
            case lostEnd = "lost_end"
            /// An index that is missing or wrong; reading works, only slower.
            case index
            /// Files of work that was interrupted.
            case leftover
            /// Files or directories that belong to no topic.
            case unknownFile = "unknown_file"
        }

        /// What kind of thing.
        public var kind: Kind
        /// The partition, if it concerns one.
        public var partition: TopicPartition?
        /// The offsets that cannot be read, if any.
        public var offsets: Range<Int64>?
        /// What was found, in words.
        public var message: String
        /// Whether it was put right.
        public var isRepaired: Bool

        /// Whether records that were committed are lost.
        public var isLoss: Bool { kind == .damage || kind == .lostEnd || kind == .state }

        /// The problem as a line.
        public var description: String {
            let place = partition.map { "\($0): " } ?? ""
            return place + message + (isRepaired ? " — repaired" : "")
        }
    }

    /// Whether a worker was writing meanwhile, so that what it had not committed yet was ignored.
    public var isLive = false
    /// The number of topics.
    public var topics = 0
    /// The number of partitions.
    public var partitions = 0
    /// The number of segments.
    public var segments = 0
    /// The number of batches whose CRC was checked.
    public var batches = 0
    /// The number of records in them.
    public var records = 0
    /// The bytes that were read.
    public var bytes: Int64 = 0
    /// What was found, in the order of topics and offsets.
    public var problems: [Problem] = []

    /// Makes the report of a check that has not begun.
    public init() {}

    /// Whether nothing is left to be done.
    public var isClean: Bool { problems.allSatisfy(\.isRepaired) }
}

extension FsckReport: CustomStringConvertible {
    /// The report in words, a line for each problem.
    public var description: String {
        let checked =
            "Checked \(topics) topics, \(partitions) partitions, \(segments) segments, "
            + "\(batches) batches, \(records) records, \(bytes) bytes."
        let live = isLive ? ["A worker is writing; what it has not committed was ignored."] : []
        let repaired = problems.count { $0.isRepaired }
        let verdict =
            if problems.isEmpty {
                "Found no problem."
            } else {
                "Found \(problems.count) problems, of which \(repaired) are repaired."
            }
        return ([checked] + live + problems.map(\.description) + [verdict]).joined(separator: "\n")
    }
}
