public import ConnectorSDK
public import Topics

/// Offsets that an operator has set for a sink, on their way into the sink's target.
///
/// A sink that keeps offsets in its target goes on from those, whatever its group says. So a reset
/// leaves a note, the offsets of a group of its own; when the sink opens, the note goes into the
/// target and then away. A crash in between repeats the reset, which changes nothing. (D2)
public enum OffsetReset {
    /// Behind the name of a group whose offsets are to be set as they are.
    private static let exact = "#reset"
    /// Behind the name of a group whose offsets are the least to go on at.
    private static let least = "#skip"

    /// What was requested and is not in the target yet.
    struct Note {
        var exact: [TopicPartition: Int64]
        var least: [TopicPartition: Int64]

        var isEmpty: Bool { exact.isEmpty && least.isEmpty }

        /// The offsets that change in a target that keeps these.
        func offsets(after kept: [TopicPartition: Int64]) -> [TopicPartition: Int64] {
            let behind = least.filter { partition, offset in
                kept[partition].map { $0 < offset } ?? false
            }
            return exact.merging(behind) { max($0, $1) }
        }
    }

    /// Whether a group is such a note rather than a reader.
    public static func isNote(group: String) -> Bool {
        group.hasSuffix(exact) || group.hasSuffix(least)
    }

    /// The group whose offsets a sink that reads as `group` takes over when it next starts.
    static func note(of group: String) -> String { group + exact }

    /// Has a sink go on at these offsets when it next starts; `nil` forgets a partition.
    public static func request(
        _ offsets: [TopicPartition: Int64?],
        of sink: String,
        in store: any TopicStore
    ) throws(ConnectorError) {
        let group = ConnectorPlan.group(of: sink)
        try store.commitGroupOffsets(note(of: group), offsets)
        try store.commitGroupOffsets(group, offsets)
    }

    /// Has a sink go on behind what retention has removed, where it had not read all of that.
    ///
    /// A target may be further than the sink's group, so it stays where it is unless it lacks
    /// something.
    ///
    /// - Returns: the partitions whose group lacked something, and where they go on.
    public static func skipLost(
        of sink: String,
        in store: any TopicStore
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        let group = ConnectorPlan.group(of: sink)
        var starts: [TopicPartition: Int64] = [:]
        for (partition, next) in try store.groupOffsets(group) {
            guard let topic = try store.describe(partition.topic),
                partition.partition < topic.partitions
            else { continue }
            let start = try store.offsets(of: partition).start
            if next < start { starts[partition] = start }
        }
        guard !starts.isEmpty else { return [:] }
        let changes = starts.mapValues { Optional($0) }
        try store.commitGroupOffsets(group + least, changes)
        try store.commitGroupOffsets(group, changes)
        return starts
    }

    /// What was requested for these partitions and is not in the target yet.
    static func pending(
        of group: String,
        for partitions: [TopicPartition],
        in store: any TopicStore
    ) throws(ConnectorError) -> Note {
        Note(
            exact: try store.groupOffsets(group + exact).filter { partitions.contains($0.key) },
            least: try store.groupOffsets(group + least).filter { partitions.contains($0.key) }
        )
    }

    /// Forgets the note: the target has the offsets now.
    static func applied(
        _ note: Note,
        of group: String,
        in store: any TopicStore
    ) throws(ConnectorError) {
        if !note.exact.isEmpty {
            try store.commitGroupOffsets(group + exact, note.exact.mapValues { _ in nil })
        }
        if !note.least.isEmpty {
            try store.commitGroupOffsets(group + least, note.least.mapValues { _ in nil })
        }
    }
}
