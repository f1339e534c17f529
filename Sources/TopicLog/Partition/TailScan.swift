internal import ConnectorSDK
internal import Topics

/// Reads the end of a segment from its last index entry on, as appending left it.
internal struct TailScan {
    private let segment: Segment
    private let log: LogFile
    /// How far the segment is written, up to the first damage.
    internal private(set) var progress: SegmentProgress
    /// Entries that the indexes should have and do not.
    internal private(set) var missing: [SegmentProgress.Entries] = []
    /// The offset behind the last sound batch; `nil` when there was none.
    internal private(set) var nextOffset: Int64?
    /// Why the scan ended early, if it did.
    internal private(set) var failure: ScanFailure?

    internal init(_ segment: Segment, log: LogFile) {
        self.segment = segment
        self.log = log
        let position = SegmentIndex.lastOffsetEntry(of: segment).map { Int64($0.position) } ?? 0
        progress = SegmentProgress(
            baseOffset: segment.baseOffset,
            from: position,
            firstTimestamp: Self.firstTimestamp(log),
            lastTimeEntry: SegmentIndex.lastTimeEntry(of: segment)
        )
    }

    /// Visits the batches up to the segment's committed size, checking their CRCs.
    internal mutating func run() {
        let scanner = SegmentScanner(log, from: progress.size, to: segment.size)
        do throws(ScanFailure) {
            while let batch = try scanner.next() {
                let expected = nextOffset ?? batch.header.baseOffset
                guard batch.header.baseOffset >= expected else {
                    throw .damage(position: batch.position, "offsets go back")
                }
                let entries = progress.append(batch.header)
                if entries.offset != nil || entries.time != nil { missing.append(entries) }
                nextOffset = batch.header.nextOffset
            }
        } catch {
            failure = error
        }
    }

    /// Whether what is wrong is that the end of the file is absent or was never written.
    internal var isEndMissing: Bool {
        guard case .damage(let position, _) = failure else { return false }
        guard let size = try? log.size(), position < size else { return true }
        if size < segment.size { return true }
        let start = (try? log.bytes(position..<position + Int64(RecordBatchHeader.length))) ?? []
        return start.allSatisfy { $0 == 0 }
    }

    private static func firstTimestamp(_ log: LogFile) -> Int64 {
        guard let bytes = try? log.bytes(0..<Int64(RecordBatchHeader.length)),
            let header = bytes.withUnsafeBytes({ RecordBatchHeader($0) })
        else { return 0 }
        return header.maxTimestamp
    }
}
