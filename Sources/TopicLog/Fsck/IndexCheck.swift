internal import ConnectorSDK

/// Compares the indexes of a segment with its batches.
internal struct IndexCheck {
    private let segment: Segment
    private let batches: [SegmentCheck.Batch]

    internal init(_ segment: Segment, batches: [SegmentCheck.Batch]) {
        self.segment = segment
        self.batches = batches
    }

    /// What is wrong with the indexes, or `nil`.
    internal func problem() -> String? {
        guard !batches.isEmpty else { return nil }
        if let problem = offsetIndexProblem() { return problem }
        if let problem = timeIndexProblem() { return problem }
        guard let log = try? LogFile.open(segment.logPath) else { return nil }
        return SegmentIndexRepair.isComplete(segment, log: log) ? nil : "entries are missing"
    }

    private func offsetIndexProblem() -> String? {
        guard let entries = entries(segment.indexPath, size: SegmentIndex.offsetEntrySize) else {
            return "the index is missing or cut off"
        }
        let ends = Dictionary(batches.map { ($0.bytes.lowerBound, $0.lastOffset) }) { first, _ in
            first
        }
        var last: Int64 = -1
        for entry in entries.map({ $0.withUnsafeBytes { SegmentIndex.OffsetEntry($0) } }) {
            let offset = segment.baseOffset + Int64(entry.relativeOffset)
            guard let end = ends[Int64(entry.position)], end == offset else {
                return "an index entry does not point to a batch"
            }
            guard offset > last else { return "index entries are out of order" }
            last = offset
        }
        return nil
    }

    private func timeIndexProblem() -> String? {
        guard let entries = entries(segment.timeIndexPath, size: SegmentIndex.timeEntrySize) else {
            return "the time index is missing or cut off"
        }
        let largest = Dictionary(batches.map { ($0.lastOffset, $0.largestTimestamp) }) { first, _ in
            first
        }
        for entry in entries.map({ $0.withUnsafeBytes { SegmentIndex.TimeEntry($0) } }) {
            let offset = segment.baseOffset + Int64(entry.relativeOffset)
            guard largest[offset] == entry.timestamp else {
                return "a time index entry does not fit its batch"
            }
        }
        return nil
    }

    private func entries(_ path: String, size: Int) -> [[UInt8]]? {
        guard let file = try? LogFile.open(path), let length = try? file.size(),
            length % Int64(size) == 0, let bytes = try? file.bytes(0..<length)
        else { return nil }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<$0 + size]) }
    }
}
