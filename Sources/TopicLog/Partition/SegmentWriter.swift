internal import ConnectorSDK
internal import Glibc
internal import Topics

/// The end of a segment, at which the committer's thread appends.
///
/// What was appended is provisional until ``commit()``; ``rollback()`` takes it back.
internal final class SegmentWriter {
    internal let segment: Segment
    private let log: LogFile
    private let operations: FileOperations
    private var progress: SegmentProgress
    private var committed: SegmentProgress
    private var offsetIndex: IndexAppender
    private var timeIndex: IndexAppender
    /// Whether nothing more will be appended.
    internal private(set) var isFinal = false
    /// Whether the end of the file is in doubt, after a failed fdatasync or truncation.
    internal private(set) var needsRepair = false

    /// Goes on with a segment whose log is as long as `progress` says.
    ///
    /// Entries that its indexes lack are written at once.
    internal init(
        _ segment: Segment,
        log: LogFile,
        progress: SegmentProgress,
        operations: FileOperations,
        missing entries: [SegmentProgress.Entries] = []
    ) {
        self.segment = segment
        self.log = log
        self.operations = operations
        self.progress = progress
        committed = progress
        offsetIndex = IndexAppender(
            path: segment.indexPath,
            entrySize: SegmentIndex.offsetEntrySize,
            operations: operations
        )
        timeIndex = IndexAppender(
            path: segment.timeIndexPath,
            entrySize: SegmentIndex.timeEntrySize,
            operations: operations
        )
        guard !entries.isEmpty else { return }
        for entries in entries { add(entries) }
        offsetIndex.flush(isFinal: false)
        timeIndex.flush(isFinal: false)
    }

    /// Adds entries to the indexes with the next commit.
    private func add(_ entries: SegmentProgress.Entries) {
        if let entry = entries.offset { entry.append(to: &offsetIndex.pending) }
        if let entry = entries.time { entry.append(to: &timeIndex.pending) }
    }

    /// Makes a new, empty segment; a file of that name that nobody committed is emptied.
    internal convenience init(
        creating segment: Segment,
        operations: FileOperations
    ) throws(FileFailure) {
        let log = try LogFile.createEmpty(segment.logPath)
        try Directory.removeFile(segment.indexPath)
        try Directory.removeFile(segment.timeIndexPath)
        let progress = SegmentProgress(baseOffset: segment.baseOffset)
        self.init(segment, log: log, progress: progress, operations: operations)
    }

    /// Bytes, provisional ones included.
    internal var size: Int64 { progress.size }

    /// Whether a batch has to go to a new segment.
    internal func isFull(
        before batch: EncodedBatch,
        lastOffset: Int64,
        settings: TopicSettings
    ) -> Bool {
        progress.isFull(before: batch, lastOffset: lastOffset, settings: settings)
    }

    /// Appends a batch that has its base offset.
    internal func append(_ batch: EncodedBatch, lastOffset: Int64) throws(FileFailure) {
        try operations.writeAll(batch.buffer.bytes, to: log, at: progress.size)
        let entries = progress.append(
            lastOffset: lastOffset,
            maxTimestamp: batch.maxTimestamp,
            byteCount: batch.buffer.count
        )
        add(entries)
    }

    /// Notes that nothing more will be appended, once what was appended is committed.
    internal func finish() {
        isFinal = true
        if let entry = progress.finalTimeEntry() { entry.append(to: &timeIndex.pending) }
    }

    /// Has the disk begin with writing what was appended.
    internal func startSynchronizing() { log.startWriting(committed.size..<progress.size) }

    /// Waits until what was appended is on the disk.
    internal func synchronize() throws(FileFailure) {
        do {
            try operations.synchronize(log)
        } catch {
            needsRepair = true
            throw error
        }
    }

    /// Lets readers see what was appended.
    internal func commit() {
        committed = progress
        offsetIndex.flush(isFinal: isFinal)
        timeIndex.flush(isFinal: isFinal)
        segment.publish(size: progress.size, largestTimestamp: progress.largestTimestamp)
    }

    /// Takes back what was appended since the last commit.
    internal func rollback() {
        progress = committed
        isFinal = false
        offsetIndex.pending.removeAll()
        timeIndex.pending.removeAll()
        do {
            try operations.truncate(log, to: committed.size)
        } catch {
            needsRepair = true
        }
    }
}

extension SegmentWriter {
    /// Bytes in front of the committed end that are written anew by a repair: more than a page of
    /// any size that the end may share with what was lost.
    private static let repairedBytes: Int64 = 64 << 10

    /// Makes sure that the end of the file is what was committed, before anything is appended.
    ///
    /// After a failed fdatasync the kernel marks pages clean that never reached the disk. The page
    /// that holds the committed end may be among them, so it is written again, synchronized, and
    /// read back from the disk. (D10)
    internal func repair() throws(FileFailure) {
        guard needsRepair else { return }
        try operations.truncate(log, to: committed.size)
        let start = max(0, committed.size - Self.repairedBytes)
        let bytes = try log.bytes(start..<committed.size)
        var failure: FileFailure?
        bytes.withUnsafeBytes { bytes in
            do throws(FileFailure) {
                try operations.writeAll(bytes, to: log, at: start)
                try operations.synchronize(log)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        log.dropCache()
        let isWhole = Int64(bytes.count) == committed.size - start
        guard isWhole, try log.bytes(start..<committed.size) == bytes else {
            throw FileFailure("verify", log.path, EIO)
        }
        needsRepair = false
    }
}
