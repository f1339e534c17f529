internal import ConnectorSDK
internal import Glibc
internal import Topics

/// Writes neighbouring segments anew as one, without the records that later ones replace.
internal struct SegmentCleaner {
    /// A cleaned segment, in a file that does not count yet.
    internal struct Result: Sendable {
        internal let segment: Segment
        internal let lastOffset: Int64
        internal let removedCount: Int
    }

    internal let log: PartitionLog
    internal let keys: KeyOffsets
    /// Below this offset, `keys` knows every record.
    internal let endOffset: Int64
    /// The time after which tombstones met now may go.
    internal let deleteHorizon: Int64
    internal let now: Int64
    internal let operations: FileOperations

    /// Writes `<base>.log.cleaned`, and waits until it is on the disk.
    internal func clean(_ group: ArraySlice<Segment>) throws(ConnectorError) -> Result {
        guard let first = group.first, let last = group.last else {
            throw .corrupt(log.id, offset: endOffset, "there is nothing to compact")
        }
        let path = first.logPath + ".cleaned"
        do throws(ConnectorError) {
            return try clean(group, first, last, path)
        } catch {
            try? Directory.removeFile(path)
            throw error
        }
    }

    private func clean(
        _ group: ArraySlice<Segment>,
        _ first: Segment,
        _ last: Segment,
        _ path: String
    ) throws(ConnectorError) -> Result {
        let output = try Output(path, operations)
        let rewriter = RecordBatchRewriter()
        var removed = 0
        var lastOffset = first.baseOffset - 1
        for segment in group {
            let size = segment.size
            try Self.forEachBatch(of: segment, log) { (batch) throws(ConnectorError) in
                let isLast = segment === last && batch.end == size
                removed += try clean(batch, rewriter, output, isLast: isLast)
                lastOffset = batch.header.lastOffset
                try output.flush(above: 1 << 20)
            }
        }
        try output.finish()
        let segment = Segment(
            directory: log.directory,
            baseOffset: first.baseOffset,
            size: output.size,
            largestTimestamp: group.map(\.largestTimestamp).max() ?? .max
        )
        return Result(segment: segment, lastOffset: lastOffset, removedCount: removed)
    }

    /// Writes one batch; returns how many of its records are gone.
    private func clean(
        _ batch: ScannedBatch,
        _ rewriter: RecordBatchRewriter,
        _ output: Output,
        isLast: Bool
    ) throws(ConnectorError) -> Int {
        let header = batch.header
        let hasHorizon = header.attributes.contains(.deleteHorizon)
        let isExpired = hasHorizon && header.baseTimestamp <= now
        let keep = { (record: StoredRecord) in isKept(record, areTombstonesExpired: isExpired) }
        var hasTombstone = false
        if !hasHorizon {
            try rewriter.visit(batch.bytes, header) { record in
                hasTombstone = isTombstone(record) && keep(record)
                return !hasTombstone
            }
        }
        let kept = try rewriter.rewrite(
            batch.bytes,
            header,
            deleteHorizon: hasTombstone ? deleteHorizon : nil,
            into: output.buffer,
            keep: keep
        )
        // The last batch stays, empty, so that the offsets it had are accounted for.
        if kept == 0, isLast {
            rewriter.appendEmpty(offsets: header.baseOffset..<header.nextOffset, to: output.buffer)
        }
        return Int(header.recordCount) - kept
    }

    private func isTombstone(_ record: StoredRecord) -> Bool {
        record.hasNullValue && record.key != nil && record.offset < endOffset
    }

    private func isKept(_ record: StoredRecord, areTombstonesExpired: Bool) -> Bool {
        // A record without a key, from before the topic was compacted, is replaced by nothing. (D6)
        guard record.offset < endOffset, let key = record.key else { return true }
        if let latest = keys.offset(of: key), record.offset < latest { return false }
        return !(record.hasNullValue && areTombstonesExpired)
    }

    /// Visits the batches of a segment; damage is an error, so that it is never copied.
    internal static func forEachBatch(
        of segment: Segment,
        _ log: PartitionLog,
        _ body: (ScannedBatch) throws(ConnectorError) -> Void
    ) throws(ConnectorError) {
        let file: LogFile
        do throws(FileFailure) {
            file = try LogFile.open(segment.logPath)
        } catch {
            throw error.asConnectorError
        }
        let scanner = SegmentScanner(file, from: 0, to: segment.size)
        while let batch = try next(scanner, segment, log) { try body(batch) }
    }

    private static func next(
        _ scanner: SegmentScanner,
        _ segment: Segment,
        _ log: PartitionLog
    ) throws(ConnectorError) -> ScannedBatch? {
        do throws(ScanFailure) {
            return try scanner.next()
        } catch {
            switch error {
            case .file(let failure): throw failure.asConnectorError
            case .damage(let position, let what):
                throw .corrupt(
                    log.id,
                    offset: segment.baseOffset,
                    "at byte \(position) of its segment, \(what)"
                )
            }
        }
    }
}

extension SegmentCleaner {
    /// The file that is written.
    private final class Output {
        let buffer = OutputBuffer()
        private let file: LogFile
        private let operations: FileOperations
        private var written: Int64 = 0

        init(_ path: String, _ operations: FileOperations) throws(ConnectorError) {
            self.operations = operations
            do throws(FileFailure) {
                file = try LogFile.createEmpty(path)
            } catch {
                throw error.asConnectorError
            }
        }

        var size: Int64 { written + Int64(buffer.count) }

        func flush(above limit: Int) throws(ConnectorError) {
            guard buffer.count > limit else { return }
            do throws(FileFailure) {
                try operations.writeAll(buffer.bytes, to: file, at: written)
            } catch {
                throw error.asConnectorError
            }
            written += Int64(buffer.count)
            buffer.count = 0
        }

        func finish() throws(ConnectorError) {
            try flush(above: 0)
            do throws(FileFailure) {
                try operations.synchronize(file)
            } catch {
                throw error.asConnectorError
            }
        }
    }
}
