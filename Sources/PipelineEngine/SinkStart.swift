internal import ConnectorSDK
internal import Topics

/// Where a sink begins to read its partitions.
struct SinkStart {
    private let task: TaskEnvironment
    private let reset: FrameworkKeys.OffsetReset

    init(_ task: TaskEnvironment) throws(ConnectorError) {
        self.task = task
        reset = try task.plan.configuration.get(FrameworkKeys.offsetReset)
    }

    /// The first offset to read, from those that the target keeps, if it does, and the group's.
    func offset(
        of id: TopicPartition,
        own: [TopicPartition: Int64]?,
        group: Int64?
    ) throws(ConnectorError) -> Int64 {
        let range = try task.store.offsets(of: id)
        // A target that keeps offsets and has none of this partition has none of its records
        // either, whatever the group says: the target may have been made anew.
        if let own, own[id] == nil, reset == .earliest { return range.start }
        guard let known = own?[id] ?? group else {
            switch reset {
            case .earliest: return range.start
            case .latest: return range.end
            case .none:
                throw .invalid(
                    FrameworkKeys.offsetReset.declaration.name,
                    "There is no offset of \(id) for this sink, and `none` forbids to choose one."
                )
            }
        }
        guard known <= range.end else {
            throw ConnectorError(
                .init("engine.offset_beyond_end"),
                .failTask,
                "The sink has read \(id) up to offset \(known), but the partition ends at "
                    + "\(range.end): the topic was made anew.",
                hint: own?[id] == nil
                    ? "Reset the offsets of the group `\(task.plan.group)`."
                    : "Remove the offsets that the sink keeps in its target, or choose another "
                        + "target."
            )
        }
        return known
    }

    /// Throws when retention has removed records that are to be read next, and says which. (D6)
    func checkNothingLost(
        _ next: [(partition: TopicPartition, offset: Int64)]
    ) throws(ConnectorError) {
        var lost: [LostRecords] = []
        for (partition, offset) in next {
            let start = try task.store.offsets(of: partition).start
            if offset < start { lost.append(LostRecords(partition, offset..<start)) }
        }
        if let error = LostRecords.error(lost, sink: task.plan.name) { throw error }
    }
}

/// Records of a partition that retention removed before a sink had read them.
struct LostRecords {
    /// So many partitions are named in an error; of the others only the number is.
    private static let named = 8

    let partition: TopicPartition
    let offsets: Range<Int64>

    init(_ partition: TopicPartition, _ offsets: Range<Int64>) {
        self.partition = partition
        self.offsets = offsets
    }

    private var text: String {
        "\(partition.topic), partition \(partition.partition): offsets \(offsets.lowerBound) to "
            + "\(offsets.upperBound - 1) (\(offsets.count))"
    }

    /// The error that lists all of them; `nil` when there are none.
    static func error(_ lost: [LostRecords], sink: String) -> ConnectorError? {
        guard !lost.isEmpty else { return nil }
        let count = lost.reduce(0) { $0 + $1.offsets.count }
        var parts = lost.prefix(named).map(\.text)
        if lost.count > named { parts.append("and \(lost.count - named) more partitions") }
        return ConnectorError(
            .init("engine.records_lost"),
            .failTask,
            "Retention removed \(count) offsets that the sink had not read. "
                + parts.joined(separator: "; ") + ".",
            hint: "`millrace offsets reset \(sink) --lost` goes on without them. With "
                + "`retention.hold.sinks: true` a topic keeps what its sinks have not read."
        )
    }
}

extension ConnectorError.Code {
    /// The store's code for an offset that is not in a partition any more.
    static let offsetOutOfRange = Self("topics.offset_out_of_range")

    /// The stores' code for a topic that does not exist.
    static let topicUnknown = Self("topics.unknown")
}
