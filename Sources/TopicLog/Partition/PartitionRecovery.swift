internal import ConnectorSDK
internal import Topics

/// Makes the files of one partition what `state.db` says they are.
///
/// What lies behind the committed end was never visible and is dropped; what is committed is never
/// touched, also when it is damaged. (D3, D4, D10)
internal struct PartitionRecovery {
    internal let id: TopicPartition
    internal let topicID: Int64
    internal let directory: String
    internal let settings: TopicSettings
    internal let operations: FileOperations
    /// What `state.db` says; changed only where `durability: os` has lost the end.
    internal private(set) var row: PartitionRow
    internal private(set) var findings: [RecoveryReport.Finding] = []

    internal init(
        id: TopicPartition,
        topic: TopicRow,
        directory: String,
        operations: FileOperations
    ) {
        self.id = id
        self.directory = directory
        self.operations = operations
        topicID = topic.id
        settings = topic.settings
        row = topic.partitions[Int(id.partition)]
    }

    /// Recovers the partition, and returns it ready for appending.
    internal mutating func run() throws(FileFailure) -> PartitionAppender {
        try Directory.create(directory)
        for name in try CompactionSwap.finish(in: directory) {
            note(.leftover, "removed \(name), which is damaged; what it was to replace is kept")
        }
        let bases = try removeWhatDoesNotCount()
        var segments: [Segment] = []
        for (index, base) in bases.enumerated() where base != row.segmentBase {
            let next = bases.dropFirst(index + 1).first ?? row.segmentBase
            segments.append(try openClosed(base, endOffset: next))
        }
        var writer: SegmentWriter?
        if row.segmentBase >= 0 {
            let tail = Segment(
                directory: directory,
                baseOffset: row.segmentBase,
                size: row.segmentEnd
            )
            writer = try openTail(tail)
            segments.append(tail)
        }
        let view = PartitionView(
            startOffset: row.startOffset,
            highWatermark: row.endOffset,
            cleanedOffset: row.cleanedOffset,
            segments: segments
        )
        let log = PartitionLog(id: id, topicID: topicID, directory: directory, view: view)
        return PartitionAppender(log, row: row, active: writer, operations: operations)
    }

    /// Removes segments that were never committed and those that retention has let go.
    private mutating func removeWhatDoesNotCount() throws(FileFailure) -> [Int64] {
        let files = try SegmentFiles(directory)
        for name in files.temporary {
            note(.leftover, "removed \(name), which an interrupted compaction left")
            try Directory.removeFile("\(directory)/\(name)")
        }
        for name in files.unknown { note(.unknownFile, "\(name) is no file of a topic") }
        var kept: [Int64] = []
        for (index, base) in files.baseOffsets.enumerated() {
            let segment = Segment(directory: directory, baseOffset: base)
            let next = files.baseOffsets.dropFirst(index + 1).first
            if base > row.segmentBase {
                let size = Directory.fileSize(segment.logPath) ?? 0
                note(
                    .uncommitted,
                    "dropped segment \(SegmentName.stem(base)) with \(size) bytes that were not "
                        + "committed"
                )
                try SegmentFiles.remove(segment)
            } else if let next, next <= row.startOffset, base != row.segmentBase {
                note(.leftover, "removed segment \(SegmentName.stem(base)), past its retention")
                try SegmentFiles.remove(segment)
            } else {
                kept.append(base)
            }
        }
        return kept
    }

    /// Opens a segment that is not appended to any more.
    private mutating func openClosed(
        _ base: Int64,
        endOffset: Int64
    ) throws(FileFailure) -> Segment {
        let path = Segment(directory: directory, baseOffset: base).logPath
        let size = Directory.fileSize(path) ?? 0
        let segment = Segment(directory: directory, baseOffset: base, size: size)
        let log = try LogFile.open(path)
        let isSound = SegmentIndexRepair.isSound(
            segment,
            log: log,
            endOffset: endOffset,
            isClosed: true
        )
        guard isSound else {
            try rebuildIndexes(segment)
            return segment
        }
        let largest = SegmentIndex.lastTimeEntry(of: segment)?.timestamp
        segment.publish(size: size, largestTimestamp: largest ?? RecordMetadata.noTimestamp)
        return segment
    }

    private mutating func rebuildIndexes(_ segment: Segment) throws(FileFailure) {
        note(.index, "built the indexes of segment \(SegmentName.stem(segment.baseOffset)) anew")
        if let failure = try SegmentIndexRepair.rebuild(segment) {
            try noteDamage(failure, in: segment)
        }
    }

    internal mutating func note(_ kind: RecoveryReport.Finding.Kind, _ message: String) {
        let finding = RecoveryReport.Finding(partition: id, kind: kind, message: message)
        if !findings.contains(finding) { findings.append(finding) }
    }

    private mutating func noteDamage(
        _ failure: ScanFailure,
        in segment: Segment
    ) throws(FileFailure) {
        switch failure {
        case .file(let failure): throw failure
        case .damage(let position, let what):
            note(
                .damage,
                "segment \(SegmentName.stem(segment.baseOffset)) is damaged at byte \(position): "
                    + what
            )
        }
    }
}

// MARK: - The segment that is appended to

extension PartitionRecovery {
    /// Cuts off what was not committed, checks the end of what was, and returns a writer; `nil`
    /// when the segment is damaged, so that the next batch begins a new one.
    private mutating func openTail(_ tail: Segment) throws(FileFailure) -> SegmentWriter? {
        guard let size = Directory.fileSize(tail.logPath) else {
            note(.damage, "segment \(SegmentName.stem(tail.baseOffset)) is missing")
            return nil
        }
        let log = try LogFile.create(tail.logPath)
        if size > row.segmentEnd {
            note(.uncommitted, "dropped \(size - row.segmentEnd) bytes that were not committed")
            try operations.truncate(log, to: row.segmentEnd)
        }
        let isSound = SegmentIndexRepair.isSound(
            tail,
            log: log,
            endOffset: row.endOffset,
            isClosed: false
        )
        if !isSound { try rebuildIndexes(tail) }
        var resumed = TailScan(tail, log: log)
        resumed.run()
        return try judge(resumed, of: tail, log)
    }

    private mutating func judge(
        _ scan: TailScan,
        of tail: Segment,
        _ log: LogFile
    ) throws(FileFailure) -> SegmentWriter? {
        let reached = scan.nextOffset ?? row.endOffset
        if scan.failure == nil, reached == row.endOffset {
            tail.publish(size: row.segmentEnd, largestTimestamp: scan.progress.largestTimestamp)
            return SegmentWriter(
                tail,
                log: log,
                progress: scan.progress,
                operations: operations,
                missing: scan.missing
            )
        }
        if settings.durability == .os, scan.isEndMissing {
            return try dropLostEnd(scan, of: tail, log)
        }
        if let failure = scan.failure {
            try noteDamage(failure, in: tail)
        } else {
            note(
                .damage,
                "segment \(SegmentName.stem(tail.baseOffset)) ends with offset \(reached - 1) "
                    + "instead of \(row.endOffset - 1)"
            )
        }
        return nil
    }

    /// Moves the committed end of a topic with `durability: os` back to what is on the disk.
    private mutating func dropLostEnd(
        _ scan: TailScan,
        of tail: Segment,
        _ log: LogFile
    ) throws(FileFailure) -> SegmentWriter? {
        let end = scan.nextOffset ?? max(tail.baseOffset, row.startOffset)
        note(
            .lostEnd,
            "offsets \(end) to \(row.endOffset - 1) never reached the disk (durability: os)"
        )
        row.endOffset = end
        row.startOffset = min(row.startOffset, end)
        row.segmentEnd = scan.progress.size
        try operations.truncate(log, to: scan.progress.size)
        tail.publish(
            size: scan.progress.size,
            largestTimestamp: scan.progress.largestTimestamp
        )
        return SegmentWriter(
            tail,
            log: log,
            progress: scan.progress,
            operations: operations,
            missing: scan.missing
        )
    }
}
