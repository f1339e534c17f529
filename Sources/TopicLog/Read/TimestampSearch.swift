internal import ConnectorSDK
internal import Topics

/// Finds the first record of a partition with a timestamp of at least a given one.
internal struct TimestampSearch {
    private let timestamp: Int64
    private let id: TopicPartition
    private let rewriter = RecordBatchRewriter()

    internal init(_ timestamp: Int64, in id: TopicPartition) {
        self.timestamp = timestamp
        self.id = id
    }

    /// The record's offset, or the high watermark when there is none.
    internal func run(_ view: PartitionView) throws(ConnectorError) -> Int64 {
        for segment in view.segments where segment.largestTimestamp >= timestamp {
            if let offset = try search(segment, view) { return offset }
        }
        return view.highWatermark
    }

    private func search(
        _ segment: Segment,
        _ view: PartitionView
    ) throws(ConnectorError) -> Int64? {
        do {
            let log = try LogFile.open(segment.logPath)
            let from = SegmentIndex.offset(before: timestamp, in: segment)
            let position = SegmentIndex.position(of: from, in: segment, log: log)
            let scanner = SegmentScanner(log, from: position, to: segment.size)
            while let batch = try scanner.next() {
                guard batch.header.baseOffset < view.highWatermark else { return nil }
                guard batch.header.maxTimestamp >= timestamp,
                    batch.header.lastOffset >= view.startOffset
                else { continue }
                if let offset = try search(batch, from: view.startOffset) { return offset }
            }
            return nil
        } catch let failure as FileFailure {
            throw failure.asConnectorError
        } catch let failure as ScanFailure {
            throw Self.error(failure, id, view, segment)
        } catch let error as ConnectorError {
            throw error
        } catch {
            throw .corrupt(id, offset: segment.baseOffset, "\(error)")
        }
    }

    private func search(
        _ batch: ScannedBatch,
        from start: Int64
    ) throws(ConnectorError) -> Int64? {
        var found: Int64?
        try rewriter.visit(batch.bytes, batch.header) { record in
            guard record.offset >= start, record.timestamp >= timestamp else { return true }
            found = record.offset
            return false
        }
        return found
    }

    private static func error(
        _ failure: ScanFailure,
        _ id: TopicPartition,
        _ view: PartitionView,
        _ segment: Segment
    ) -> ConnectorError {
        switch failure {
        case .file(let failure): failure.asConnectorError
        case .damage(let position, let what):
            .corrupt(id, offset: segment.baseOffset, "at byte \(position) of its segment, \(what)")
        }
    }
}
