internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import Topics

/// Keeps of each key only the latest record, and tombstones for `delete.retention.ms`.
///
/// Offsets never change. Readers go on undisturbed: those that have a replaced file open read it
/// to its end, which holds more records than its successor, never others.
internal struct Compaction {
    private let data: DataDirectory
    private let settings: TopicSettings

    internal init(_ data: DataDirectory, _ settings: TopicSettings) {
        self.data = data
        self.settings = settings
    }

    /// Compacts a partition if there is enough to gain.
    internal func run(
        _ log: PartitionLog,
        heldAt held: Int64?,
        now: Int64
    ) throws(ConnectorError) {
        let view = log.view
        guard let plan = CompactionPlan(view, settings: settings, heldAt: held, now: now) else {
            return
        }
        let keys = KeyOffsets(byteCount: data.options.compactionMemory)
        let end = try collect(plan, from: view.cleanedOffset, into: keys, log)
        guard end > view.cleanedOffset else { return }
        var removed = 0
        for group in plan.groups(below: end, segmentBytes: settings.segmentBytes) {
            let cleaner = SegmentCleaner(
                log: log,
                keys: keys,
                endOffset: end,
                deleteHorizon: horizon(now),
                now: now,
                operations: data.options.operations
            )
            let cleaned = try cleaner.clean(group)
            guard try swap(group, for: cleaned, log) else { return }
            removed += cleaned.removedCount
        }
        try noteCleaned(through: end, log)
        data.logger.info(
            "Compaction removed records.",
            metadata: [
                "partition": "\(log.id)", "records": "\(removed)", "through": "\(end)",
            ]
        )
    }

    private func horizon(_ now: Int64) -> Int64 {
        let (horizon, overflow) = now.addingReportingOverflow(settings.deleteRetentionMilliseconds)
        return overflow ? .max : horizon
    }

    /// Notes the last offset of each key in the dirty segments.
    ///
    /// - Returns: the offset below which every record is noted; memory may end before the segments.
    private func collect(
        _ plan: CompactionPlan,
        from start: Int64,
        into keys: KeyOffsets,
        _ log: PartitionLog
    ) throws(ConnectorError) -> Int64 {
        let rewriter = RecordBatchRewriter()
        for segment in plan.dirty {
            var end: Int64?
            try SegmentCleaner.forEachBatch(of: segment, log) { (batch) throws(ConnectorError) in
                guard end == nil, batch.header.lastOffset >= start else { return }
                try rewriter.visit(batch.bytes, batch.header) { record in
                    guard record.offset >= start, let key = record.key else { return true }
                    if keys.set(key, record.offset) { return true }
                    end = record.offset
                    return false
                }
            }
            if let end { return end }
        }
        return plan.endOffset
    }

    /// Puts a cleaned segment in the place of a group, on the committer's thread.
    ///
    /// - Returns: `false` when the topic was deleted meanwhile.
    private func swap(
        _ group: ArraySlice<Segment>,
        for cleaned: SegmentCleaner.Result,
        _ log: PartitionLog
    ) throws(ConnectorError) -> Bool {
        let open = group.compactMap { try? LogFile.open($0.logPath) }
        defer { withExtendedLifetime(open) {} }
        let isDone = try data.perform { (worker) throws(ConnectorError) in
            // A topic of the same name may have been made since: its directory is another one.
            guard worker.appenders[log.id]?.log === log else { return false }
            do throws(FileFailure) {
                try CompactionSwap.replace(
                    in: log.directory,
                    baseOffset: cleaned.segment.baseOffset,
                    lastOffset: cleaned.lastOffset
                )
            } catch {
                throw error.asConnectorError
            }
            log.update { view in
                guard
                    let index = view.segments.firstIndex(where: { $0 === group.first })
                else { return }
                let range = index..<index + group.count
                view.segments.replaceSubrange(range, with: [cleaned.segment])
            }
            return true
        }
        if isDone { _ = try? SegmentIndexRepair.rebuild(cleaned.segment) }
        return isDone
    }

    private func noteCleaned(
        through end: Int64,
        _ log: PartitionLog
    ) throws(ConnectorError) {
        try data.perform { (worker) throws(ConnectorError) in
            try worker.settle()
            guard let appender = worker.appenders[log.id], appender.log === log else { return }
            var row = appender.committedRow
            row.cleanedOffset = end
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.update(row, topic: log.topicID, partition: log.id.partition)
            }
            appender.adopt(row)
            log.update { $0.cleanedOffset = end }
        }
    }
}
