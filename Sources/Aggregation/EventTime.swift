internal import ConnectorSDK

/// How far event time has come, for records of several partitions that are read side by side.
///
/// A value without a clock. Time is at the record with the least advanced time among the newest
/// records of all partitions that have something to read: a partition that is behind, as after a
/// restart, makes no record of it late. A partition with nothing to read is not waited for.
internal struct EventTime {
    internal struct Part: Equatable {
        /// The time of its newest record.
        var newest = Int64.min
        /// What was over for it: windows that end by then are closed.
        var over = Int64.min
    }

    internal private(set) var parts: [TopicPartition: Part] = [:]
    /// What is over: windows whose end and grace are not behind it are closed.
    internal private(set) var over = Int64.min
    private var current = Self.elsewhere
    private var newest = Int64.min
    private var others = Int64.max
    /// What is over for the records being read.
    internal private(set) var overHere = Int64.min

    /// Stands for input that is no topic.
    internal static let elsewhere = TopicPartition("", 0)

    /// The partition being read.
    internal var place: TopicPartition { current }

    /// The number of the partition being read, or 0.
    internal var partition: Int32 { current.partition }

    /// Goes on with records of a partition.
    internal mutating func begin(_ input: TransformInput) {
        finish()
        current = input.partition ?? Self.elsewhere
        let part = parts[current] ?? Part()
        newest = part.newest
        overHere = max(over, part.over)
        others = .max
        for other in input.waiting where other != current {
            others = min(others, parts[other]?.newest ?? .min)
        }
    }

    /// Takes the time of a record into account.
    @inline(__always)
    internal mutating func advance(to time: Int64) {
        guard time > newest else { return }
        newest = time
        let least = min(others, time)
        if least > over {
            over = least
            overHere = max(overHere, least)
        }
    }

    /// Notes how far the partition being read has come.
    internal mutating func finish() {
        guard newest > .min else { return }
        parts[current] = Part(newest: newest, over: overHere)
    }

    /// Goes on without a record: those that have nothing to read are not waited for.
    internal mutating func pass(waiting: [TopicPartition]) {
        finish()
        let times = waiting.map { parts[$0]?.newest ?? .min }
        let least = times.min() ?? parts.values.map(\.newest).max() ?? .min
        if least > over { over = least }
        overHere = max(overHere, over)
    }

    /// Notes that windows were closed: for no partition they may open again.
    internal mutating func closeForAll() {
        finish()
        parts = parts.mapValues { Part(newest: $0.newest, over: max($0.over, over)) }
    }

    /// Takes back how far a partition had come.
    internal mutating func restore(_ partition: TopicPartition, _ part: Part) {
        parts[partition] = part
    }
}
