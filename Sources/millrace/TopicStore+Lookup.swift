import ConnectorSDK
import PipelineEngine
import Topics

extension TopicStore {
    /// The topic of this name; throws a failure that suggests another name when there is none.
    func requireTopic(_ name: String) throws -> TopicDescription {
        if let found = try describe(name) { return found }
        let near = Spelling.nearest(to: name, in: try topics().map(\.name))
        throw Failure(
            .configuration,
            code: "topics.unknown",
            "There is no topic `\(name)`.",
            hint: near.map { "Did you mean `\($0)`?" } ?? "`millrace topics list` shows them all."
        )
    }

    /// The partition of this number; throws a failure when the topic has fewer.
    func requirePartition(_ partition: Int32, of topic: TopicDescription) throws {
        guard partition < 0 || partition >= topic.partitions else { return }
        throw Failure(
            .configuration,
            code: "topics.unknown",
            "The topic `\(topic.name)` has no partition \(partition); "
                + "its partitions are 0 to \(topic.partitions - 1)."
        )
    }

    /// The offsets of all partitions.
    func ranges(of topic: TopicDescription) throws -> [OffsetRange] {
        try (0..<topic.partitions).map { try offsets(of: TopicPartition(topic.name, $0)) }
    }

    /// The groups that have read a topic, with the number of records each has still to read.
    func readers(
        of topic: TopicDescription,
        _ ranges: [OffsetRange]
    ) throws -> [(group: String, lag: Int64)] {
        let groups = try groups().filter { !OffsetReset.isNote(group: $0) }
        return try groups.sorted().compactMap { group in
            let offsets = try groupOffsets(group).filter { $0.key.topic == topic.name }
            guard !offsets.isEmpty else { return nil }
            let lag = ranges.enumerated().reduce(Int64(0)) { sum, entry in
                let next = offsets[TopicPartition(topic.name, Int32(entry.offset))] ?? 0
                return sum + max(0, entry.element.end - max(next, entry.element.start))
            }
            return (group, lag)
        }
    }

    /// The offset at which a partition begins for `point`, between its start and its end.
    func offset(of partition: TopicPartition, at point: StartPoint) throws -> Int64 {
        let range = try offsets(of: partition)
        return switch point {
        case .beginning: range.start
        case .end: range.end
        case .offset(let offset): min(max(offset, range.start), range.end)
        case .timestamp(let time): try offset(of: partition, atOrAfter: time)
        }
    }
}
