internal import ConnectorSDK
internal import Topics

/// Brings the indexes of a segment in line with its log.
internal enum SegmentIndexRepair {
    /// Removes entries that point behind the committed end.
    ///
    /// - Returns: whether both files are there and in order; if not, they must be built anew.
    private static func trim(_ segment: Segment, endOffset: Int64) -> Bool {
        let size = segment.size
        let limit = endOffset - segment.baseOffset
        var last = SegmentIndex.OffsetEntry(relativeOffset: -1, position: -1)
        let isOffsetIndexSound = trim(segment.indexPath, size: SegmentIndex.offsetEntrySize) {
            let entry = SegmentIndex.OffsetEntry($0)
            guard Int64(entry.position) < size, Int64(entry.relativeOffset) < limit else {
                return .behind
            }
            defer { last = entry }
            let rises =
                entry.position > last.position && entry.relativeOffset > last.relativeOffset
            return rises ? .sound : .wrong
        }
        var lastTime = SegmentIndex.TimeEntry(
            timestamp: RecordMetadata.noTimestamp,
            relativeOffset: -1
        )
        let isTimeIndexSound = trim(segment.timeIndexPath, size: SegmentIndex.timeEntrySize) {
            let entry = SegmentIndex.TimeEntry($0)
            guard Int64(entry.relativeOffset) < limit else { return .behind }
            defer { lastTime = entry }
            let rises =
                entry.timestamp > lastTime.timestamp
                && entry.relativeOffset > lastTime.relativeOffset
            return rises ? .sound : .wrong
        }
        return isOffsetIndexSound && isTimeIndexSound
    }

    /// Writes both indexes from what the log says.
    ///
    /// - Returns: where the log is damaged, or `nil`; the indexes then cover what precedes it.
    internal static func rebuild(_ segment: Segment) throws(FileFailure) -> ScanFailure? {
        var offsets: [UInt8] = []
        var times: [UInt8] = []
        var damage: ScanFailure?
        var progress = SegmentProgress(baseOffset: segment.baseOffset)
        let log = try LogFile.open(segment.logPath)
        let scanner = SegmentScanner(log, from: 0, to: segment.size)
        do throws(ScanFailure) {
            while let batch = try scanner.next() {
                let entries = progress.append(batch.header)
                if let entry = entries.offset { entry.append(to: &offsets) }
                if let entry = entries.time { entry.append(to: &times) }
            }
        } catch {
            damage = error
        }
        if let entry = progress.finalTimeEntry() { entry.append(to: &times) }
        try write(offsets, to: segment.indexPath)
        try write(times, to: segment.timeIndexPath)
        segment.publish(size: segment.size, largestTimestamp: progress.largestTimestamp)
        return damage
    }

    /// Whether both indexes can be relied on: they are in order, their last entries fit the log,
    /// and those of a closed segment have every entry that the end of the log calls for.
    ///
    /// Entries that point behind the committed end are removed.
    internal static func isSound(
        _ segment: Segment,
        log: LogFile,
        endOffset: Int64,
        isClosed: Bool
    ) -> Bool {
        guard segment.size > 0 else { return trim(segment, endOffset: endOffset) }
        guard Directory.exists(segment.indexPath), Directory.exists(segment.timeIndexPath),
            trim(segment, endOffset: endOffset)
        else { return false }
        if let entry = SegmentIndex.lastOffsetEntry(of: segment) {
            let header = header(at: Int64(entry.position), of: segment, log)
            let offset = segment.baseOffset + Int64(entry.relativeOffset)
            guard header?.lastOffset == offset else { return false }
        }
        guard let entry = SegmentIndex.lastTimeEntry(of: segment) else { return !isClosed }
        let offset = segment.baseOffset + Int64(entry.relativeOffset)
        guard maxTimestamp(ofBatchEndingWith: offset, of: segment, log) == entry.timestamp else {
            return false
        }
        return !isClosed || isComplete(segment, log: log)
    }

    /// Whether `.index` has every entry that the end of the log calls for.
    internal static func isComplete(_ segment: Segment, log: LogFile) -> Bool {
        var position = SegmentIndex.lastOffsetEntry(of: segment).map { Int64($0.position) } ?? 0
        var progress = SegmentProgress(
            baseOffset: segment.baseOffset,
            from: position,
            firstTimestamp: 0,
            lastTimeEntry: nil
        )
        while let header = header(at: position, of: segment, log) {
            if progress.append(header).offset != nil { return false }
            position += Int64(header.totalLength)
        }
        return true
    }

    private static func maxTimestamp(
        ofBatchEndingWith offset: Int64,
        of segment: Segment,
        _ log: LogFile
    ) -> Int64? {
        var position = SegmentIndex.position(of: offset, in: segment, log: log)
        while let header = header(at: position, of: segment, log), header.lastOffset <= offset {
            if header.lastOffset == offset { return header.maxTimestamp }
            position += Int64(header.totalLength)
        }
        return nil
    }

    /// The header of the batch at a position; whether the batch is intact is not looked at.
    private static func header(
        at position: Int64,
        of segment: Segment,
        _ log: LogFile
    ) -> RecordBatchHeader? {
        guard position >= 0, position < segment.size else { return nil }
        let end = position + Int64(RecordBatchHeader.length)
        guard let bytes = try? log.bytes(position..<end) else { return nil }
        return bytes.withUnsafeBytes { RecordBatchHeader($0) }
    }

    private enum Verdict {
        case sound
        case behind
        case wrong
    }

    private static func trim(
        _ path: String,
        size: Int,
        judge: (UnsafeRawBufferPointer) -> Verdict
    ) -> Bool {
        guard let file = try? LogFile.create(path), let length = try? file.size(),
            length % Int64(size) == 0, let bytes = try? file.bytes(0..<length)
        else { return false }
        var kept = 0
        while kept < bytes.count {
            let verdict = bytes.withUnsafeBytes {
                judge(UnsafeRawBufferPointer(rebasing: $0[kept..<kept + size]))
            }
            if verdict == .wrong { return false }
            if verdict == .behind { break }
            kept += size
        }
        guard kept < bytes.count else { return true }
        return (try? FileOperations.system.truncate(file, to: Int64(kept))) != nil
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
        let file = try LogFile.createEmpty(path)
        var failure: FileFailure?
        bytes.withUnsafeBytes { bytes in
            do throws(FileFailure) {
                try FileOperations.system.writeAll(bytes, to: file, at: 0)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

extension SegmentProgress {
    /// Notes a batch that is in the log already.
    internal mutating func append(_ header: RecordBatchHeader) -> Entries {
        append(
            lastOffset: header.lastOffset,
            maxTimestamp: header.maxTimestamp,
            byteCount: header.totalLength
        )
    }
}
