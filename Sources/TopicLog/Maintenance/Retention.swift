internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import Topics

/// Removes whole segments that are too old or too many, the oldest first.
internal struct Retention {
    private let data: DataDirectory
    private let settings: TopicSettings

    internal init(_ data: DataDirectory, _ settings: TopicSettings) {
        self.data = data
        self.settings = settings
    }

    /// Removes what is due in one partition.
    internal func run(
        _ log: PartitionLog,
        heldAt held: Int64?,
        now: Int64
    ) throws(ConnectorError) {
        let doomed = expired(log.view, heldAt: held, now: now)
        guard !doomed.isEmpty else { return }
        // Open files keep their blocks until they are closed, so that the committer, which removes
        // the names, does not wait until the file system has freed a gigabyte.
        let open = doomed.compactMap { try? LogFile.open($0.logPath) }
        try data.perform { (worker) throws(ConnectorError) in
            try Self.remove(doomed, of: log, worker)
        }
        withExtendedLifetime(open) {}
        data.logger.info(
            "Retention removed segments.",
            metadata: [
                "partition": "\(log.id)", "segments": "\(doomed.count)",
                "start_offset": "\(log.view.startOffset)",
            ]
        )
    }

    /// The segments that must go: a first part of all.
    internal func expired(
        _ view: PartitionView,
        heldAt held: Int64?,
        now: Int64
    ) -> ArraySlice<Segment> {
        var excess = Int64.min
        if settings.retentionBytes >= 0 {
            excess = view.segments.reduce(0) { $0 + $1.size } - settings.retentionBytes
        }
        var count = 0
        for (index, segment) in view.segments.enumerated() where segment.size > 0 {
            let next = view.segments.dropFirst(index + 1).first
            let end = next?.baseOffset ?? view.highWatermark
            if let held, end > held { break }
            let isTooMuch = excess >= segment.size
            guard isTooMuch || isTooOld(segment, now) else { break }
            if isTooMuch { excess -= segment.size }
            count = index + 1
        }
        return view.segments.prefix(count)
    }

    private func isTooOld(_ segment: Segment, _ now: Int64) -> Bool {
        guard settings.retentionMilliseconds >= 0,
            segment.largestTimestamp != RecordMetadata.noTimestamp
        else { return false }
        let (age, overflow) = now.subtractingReportingOverflow(segment.largestTimestamp)
        return overflow ? now > 0 : age > settings.retentionMilliseconds
    }

    /// Runs on the committer's thread: first `state.db`, then readers, then the files.
    private static func remove(
        _ doomed: ArraySlice<Segment>,
        of log: PartitionLog,
        _ worker: CommitWorker
    ) throws(ConnectorError) {
        try worker.settle()
        guard let appender = worker.appenders[log.id], appender.log === log else { return }
        let remaining = log.view.segments.dropFirst(doomed.count)
        var row = appender.committedRow
        if let first = remaining.first {
            row.startOffset = max(row.startOffset, first.baseOffset)
        } else {
            appender.roll()
            row = appender.committedRow
            row.startOffset = row.endOffset
            row.segmentBase = -1
            row.segmentEnd = 0
        }
        try worker.transaction { () throws(SQLiteFailure) in
            try worker.state.update(row, topic: log.topicID, partition: log.id.partition)
        }
        appender.adopt(row)
        log.update { view in
            view.startOffset = row.startOffset
            view.segments.removeFirst(doomed.count)
        }
        for segment in doomed { try? SegmentFiles.remove(segment) }
    }
}
