internal import ConnectorSDK
internal import Topics

/// Checks one partition's files against what `state.db` says of it.
internal struct PartitionCheck {
    private let id: TopicPartition
    private let directory: String
    private let mode: Fsck.Mode
    private let isLive: Bool
    private let settings: TopicSettings
    private let row: PartitionRow
    /// What `state.db` must say from now on, when a quarantine has changed it.
    internal private(set) var changedRow: PartitionRow?

    internal init(
        id: TopicPartition,
        topic: TopicRow,
        directory: String,
        mode: Fsck.Mode,
        isLive: Bool
    ) {
        self.id = id
        self.directory = directory
        self.mode = mode
        self.isLive = isLive
        settings = topic.settings
        row = topic.partitions[Int(id.partition)]
    }

    internal mutating func run(_ report: inout FsckReport) throws(FileFailure) {
        report.partitions += 1
        guard Directory.exists(directory) else {
            if row.endOffset > row.startOffset {
                let lost = row.startOffset..<row.endOffset
                note(&report, .damage, "its directory is missing", lost)
            }
            return
        }
        let files = try SegmentFiles(directory)
        checkNames(files, &report)
        var expected = row.startOffset
        let bases = files.baseOffsets.filter { $0 <= row.segmentBase }
        for (index, base) in bases.enumerated() {
            let next = bases.dropFirst(index + 1).first
            let end = next ?? (base == row.segmentBase ? row.endOffset : row.segmentBase)
            // Retention has let go of it, and another process is removing it.
            if end <= row.startOffset, base != row.segmentBase { continue }
            if base > expected, base > row.cleanedOffset {
                try checkMissing(expected..<base, &report)
            }
            try check(base, end: end, &report)
            expected = end
        }
        if bases.last != row.segmentBase, row.segmentBase >= 0 {
            if expected < row.segmentBase {
                try checkMissing(expected..<row.segmentBase, &report)
            }
            let first = max(expected, row.segmentBase)
            try checkMissing(first..<max(first, row.endOffset), &report)
        }
    }

    private func checkNames(_ files: SegmentFiles, _ report: inout FsckReport) {
        guard !isLive else { return }
        for name in files.temporary {
            note(&report, .leftover, "\(name) is left from an interrupted compaction")
        }
        for name in files.swaps {
            let message =
                "\(name) is left from an interrupted compaction; opening the topic ends it"
            note(&report, .leftover, message)
        }
        for name in files.unknown { note(&report, .unknownFile, "\(name) is no file of a topic") }
        for base in files.baseOffsets where base > row.segmentBase {
            note(&report, .uncommitted, "segment \(SegmentName.stem(base)) was never committed")
        }
        let path = Segment(directory: directory, baseOffset: row.segmentBase).logPath
        if row.segmentBase >= 0, let size = Directory.fileSize(path), size > row.segmentEnd {
            let excess = size - row.segmentEnd
            note(&report, .uncommitted, "\(excess) bytes behind the committed end")
        }
    }

    private mutating func checkMissing(
        _ offsets: Range<Int64>,
        _ report: inout FsckReport
    ) throws(FileFailure) {
        let segment = Segment(directory: directory, baseOffset: offsets.lowerBound)
        var check = SegmentCheck(segment, offsets: offsets, isGapless: true)
        try check.run()
        try judge(check, &report)
    }

    private mutating func check(
        _ base: Int64,
        end: Int64,
        _ report: inout FsckReport
    ) throws(FileFailure) {
        let path = Segment(directory: directory, baseOffset: base).logPath
        let isActive = base == row.segmentBase
        let size = isActive ? row.segmentEnd : Directory.fileSize(path) ?? 0
        let segment = Segment(directory: directory, baseOffset: base, size: size)
        let isCompacted = settings.cleanupPolicy != .delete || base < row.cleanedOffset
        var check = SegmentCheck(segment, offsets: base..<end, isGapless: !isCompacted)
        do throws(FileFailure) {
            try check.run()
        } catch {
            guard isLive, error.isMissing else { throw error }
            return
        }
        report.segments += 1
        report.batches += check.batches.count
        report.records += check.recordCount
        report.bytes += size
        try judge(check, &report)
    }

    private mutating func judge(
        _ check: SegmentCheck,
        _ report: inout FsckReport
    ) throws(FileFailure) {
        let name = SegmentName.stem(check.segment.baseOffset)
        let isQuarantined = mode == .quarantine && !check.damages.isEmpty
        for damage in check.damages {
            let lost = damage.offsets
            let range = lost.isEmpty ? "" : ", offsets \(lost.lowerBound) to \(lost.upperBound - 1)"
            note(
                &report,
                .damage,
                "segment \(name) is damaged at byte \(damage.bytes.lowerBound)\(range): "
                    + damage.reason,
                lost,
                isRepaired: isQuarantined
            )
        }
        if isQuarantined {
            let segment = try Quarantine(check, in: directory).run()
            noteReplaced(by: segment)
        } else if let problem = IndexCheck(check.segment, batches: check.batches).problem() {
            // The worker writes entries a moment after the records.
            if isLive, check.segment.baseOffset == row.segmentBase { return }
            if mode != .look { _ = try SegmentIndexRepair.rebuild(check.segment) }
            note(&report, .index, "segment \(name): \(problem)", isRepaired: mode != .look)
        }
    }

    /// Keeps `state.db` in step with a segment that was replaced.
    private mutating func noteReplaced(by segment: Segment) {
        guard segment.baseOffset >= row.segmentBase else { return }
        var changed = row
        changed.segmentBase = segment.baseOffset
        changed.segmentEnd = segment.size
        changedRow = changed
    }

    private func note(
        _ report: inout FsckReport,
        _ kind: FsckReport.Problem.Kind,
        _ message: String,
        _ offsets: Range<Int64>? = nil,
        isRepaired: Bool = false
    ) {
        report.problems.append(
            FsckReport.Problem(
                kind: kind,
                partition: id,
                offsets: offsets,
                message: message,
                isRepaired: isRepaired
            )
        )
    }
}
