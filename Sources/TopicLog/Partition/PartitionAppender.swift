internal import ConnectorSDK
internal import Topics

/// Appends to one partition; only the committer's thread uses it.
///
/// What it appends is invisible until ``commit()``. Until then ``rollback()`` makes the partition
/// what it was, files included.
internal final class PartitionAppender {
    internal let log: PartitionLog
    private let operations: FileOperations
    private var row: PartitionRow
    private var nextOffset: Int64
    private var active: SegmentWriter?
    private var committedActive: SegmentWriter?
    /// Segments with provisional records, in order; the last one is `active`.
    private var touched: [SegmentWriter] = []
    /// Segments that did not exist at the last commit.
    private var created: [Segment] = []
    /// Files that should be gone and could not be removed yet.
    private var leftovers: [Segment] = []

    /// Goes on with a partition as recovery has left it.
    ///
    /// - Parameters:
    ///   - log: the partition.
    ///   - row: what `state.db` says of it.
    ///   - active: the segment to append to; `nil` to begin a new one with the next batch.
    ///   - operations: the calls that change files.
    internal init(
        _ log: PartitionLog,
        row: PartitionRow,
        active: SegmentWriter?,
        operations: FileOperations
    ) {
        self.log = log
        self.row = row
        self.active = active
        self.operations = operations
        committedActive = active
        nextOffset = row.endOffset
    }

    /// What is committed.
    internal var committedRow: PartitionRow { row }

    /// Whether there are provisional records.
    internal var isDirty: Bool { !touched.isEmpty }

    /// What will be true when the provisional records are committed.
    internal var provisionalRow: PartitionRow {
        var next = row
        next.endOffset = nextOffset
        next.segmentBase = active?.segment.baseOffset ?? row.segmentBase
        next.segmentEnd = active?.size ?? row.segmentEnd
        return next
    }

    /// Appends a batch, and gives it its offsets. (D5)
    internal func append(_ batch: EncodedBatch, settings: TopicSettings) throws(FileFailure) {
        let lastOffset = nextOffset + Int64(batch.count) - 1
        let writer = try writer(for: batch, lastOffset: lastOffset, settings: settings)
        if touched.last !== writer { touched.append(writer) }
        batch.assign(baseOffset: nextOffset)
        try writer.append(batch, lastOffset: lastOffset)
        nextOffset = lastOffset + 1
    }

    /// Has the disk begin with writing the provisional records.
    internal func startSynchronizing() {
        for writer in touched { writer.startSynchronizing() }
    }

    /// Waits until the provisional records, and the names of new files, are on the disk.
    ///
    /// With durability `os` that goes for finished segments only, so that a power failure can take
    /// away the end of the last one and nothing else.
    internal func synchronize(_ durability: TopicSettings.Durability) throws(FileFailure) {
        for writer in touched where durability == .fsync || writer.isFinal {
            try writer.synchronize()
        }
        if !created.isEmpty { try Directory.synchronize(log.directory) }
    }

    /// Makes the provisional records visible: `state.db` has them now.
    internal func commit() {
        row = provisionalRow
        committedActive = active
        for writer in touched { writer.commit() }
        touched.removeAll(keepingCapacity: true)
        let end = row.endOffset
        log.update { view in
            // Readers hold the list, so that even adding nothing would copy it.
            if !created.isEmpty { view.segments += created }
            view.highWatermark = end
        }
        created.removeAll()
    }

    /// Forgets the provisional records.
    internal func rollback() {
        for writer in touched where !created.contains(where: { $0 === writer.segment }) {
            writer.rollback()
        }
        leftovers += created
        removeLeftovers()
        touched.removeAll(keepingCapacity: true)
        created.removeAll(keepingCapacity: true)
        active = committedActive
        nextOffset = row.endOffset
    }

    /// Begins a new segment with the next batch, because retention wants to remove the present one.
    internal func roll() {
        guard let writer = active, writer.size > 0, touched.isEmpty else { return }
        writer.finish()
        writer.commit()
        active = nil
        committedActive = nil
    }

    /// Notes a change of the row that the committer has made durable by itself.
    internal func adopt(_ row: PartitionRow) { self.row = row }

    private func writer(
        for batch: EncodedBatch,
        lastOffset: Int64,
        settings: TopicSettings
    ) throws(FileFailure) -> SegmentWriter {
        try active?.repair()
        if let active, active.isFull(before: batch, lastOffset: lastOffset, settings: settings) {
            // Closing it adds the last index entry, so it counts as touched.
            if touched.last !== active { touched.append(active) }
            active.finish()
            self.active = nil
        }
        if let active { return active }
        let segment = Segment(directory: log.directory, baseOffset: nextOffset)
        leftovers.removeAll { $0.baseOffset == segment.baseOffset }
        removeLeftovers()
        let writer = try SegmentWriter(creating: segment, operations: operations)
        created.append(segment)
        active = writer
        return writer
    }

    private func removeLeftovers() {
        leftovers.removeAll { segment in
            let paths = [segment.logPath, segment.indexPath, segment.timeIndexPath]
            return paths.allSatisfy { (try? Directory.removeFile($0)) != nil }
        }
    }
}
