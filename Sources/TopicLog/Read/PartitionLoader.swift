internal import ConnectorSDK
internal import Topics

/// Learns what a partition holds without changing anything, while another process may write.
internal enum PartitionLoader {
    /// What may be read, as `row` says; knows from `old` what has not changed.
    internal static func view(
        _ row: PartitionRow,
        directory: String,
        after old: PartitionView?
    ) throws(FileFailure) -> PartitionView {
        if var view = old, view.active?.baseOffset == row.segmentBase,
            view.startOffset == row.startOffset, view.cleanedOffset == row.cleanedOffset
        {
            view.active?.publish(size: row.segmentEnd, largestTimestamp: .max)
            view.highWatermark = row.endOffset
            return view
        }
        return PartitionView(
            startOffset: row.startOffset,
            highWatermark: row.endOffset,
            cleanedOffset: row.cleanedOffset,
            segments: try segments(row, directory)
        )
    }

    /// A topic with all its partitions.
    internal static func topic(
        _ row: TopicRow,
        in topicsPath: String
    ) throws(ConnectorError) -> Topic {
        var logs: [PartitionLog] = []
        for (number, partition) in row.partitions.enumerated() {
            let id = TopicPartition(row.name, Int32(truncatingIfNeeded: number))
            let directory = "\(topicsPath)/\(id)"
            do throws(FileFailure) {
                let view = try view(partition, directory: directory, after: nil)
                let log = PartitionLog(
                    id: id,
                    topicID: row.id,
                    directory: directory,
                    view: view
                )
                logs.append(log)
            } catch {
                throw error.asConnectorError
            }
        }
        return Topic(id: row.id, name: row.name, settings: row.settings, partitions: logs)
    }

    private static func segments(
        _ row: PartitionRow,
        _ directory: String
    ) throws(FileFailure) -> [Segment] {
        guard row.segmentBase >= 0 else { return [] }
        let active = Segment(
            directory: directory,
            baseOffset: row.segmentBase,
            size: row.segmentEnd,
            largestTimestamp: .max
        )
        guard Directory.exists(directory) else { return [active] }
        var segments: [Segment] = []
        for base in try SegmentFiles(directory).baseOffsets where base < row.segmentBase {
            let named = Segment(directory: directory, baseOffset: base)
            guard let size = Directory.fileSize(named.logPath) else { continue }
            let last = SegmentIndex.lastTimeEntry(of: named)?.timestamp ?? .max
            let segment = Segment(
                directory: directory,
                baseOffset: base,
                size: size,
                largestTimestamp: last
            )
            segments.append(segment)
        }
        return segments + [active]
    }
}
