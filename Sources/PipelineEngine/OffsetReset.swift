public import ConnectorSDK
public import Topics

/// Offsets that an operator has set for a sink, on their way into the sink's target.
///
/// A sink that keeps offsets in its target goes on from those, whatever its group says. So a reset
/// leaves a note, the offsets of a group of its own; when the sink opens, the note goes into the
/// target and then away. A crash in between repeats the reset, which changes nothing. (D2)
public enum OffsetReset {
    private static let suffix = "#reset"

    /// Whether a group is such a note rather than a reader.
    public static func isNote(group: String) -> Bool { group.hasSuffix(suffix) }

    /// Has a sink go on at these offsets when it next starts; `nil` forgets a partition.
    public static func request(
        _ offsets: [TopicPartition: Int64?],
        of sink: String,
        in store: any TopicStore
    ) throws(ConnectorError) {
        let group = ConnectorPlan.group(of: sink)
        try store.commitGroupOffsets(group + suffix, offsets)
        try store.commitGroupOffsets(group, offsets)
    }

    /// The offsets that were requested for these partitions and are not in the target yet.
    static func pending(
        of group: String,
        for partitions: [TopicPartition],
        in store: any TopicStore
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        let noted = try store.groupOffsets(group + suffix)
        return noted.filter { partitions.contains($0.key) }
    }

    /// Forgets the note: the target has the offsets now.
    static func applied(
        _ offsets: [TopicPartition: Int64],
        of group: String,
        in store: any TopicStore
    ) throws(ConnectorError) {
        try store.commitGroupOffsets(group + suffix, offsets.mapValues { _ in nil })
    }
}
