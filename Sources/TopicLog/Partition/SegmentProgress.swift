internal import ConnectorSDK
internal import Topics

/// How far a segment has been written, and which index entries that calls for.
///
/// A value: appending is decided here, and done elsewhere.
internal struct SegmentProgress {
    internal let baseOffset: Int64
    /// Bytes of log.
    internal private(set) var size: Int64 = 0
    /// The largest timestamp of the first batch, by which `segment.ms` counts.
    internal private(set) var firstTimestamp: Int64?
    /// The largest timestamp so far.
    internal private(set) var largestTimestamp = RecordMetadata.noTimestamp
    /// The last offset of the batch that has it.
    internal private(set) var largestTimestampOffset: Int64
    private var bytesSinceEntry = 0
    private var lastTimeEntry: SegmentIndex.TimeEntry?

    internal init(baseOffset: Int64) {
        self.baseOffset = baseOffset
        largestTimestampOffset = baseOffset
    }

    /// Goes on with a segment whose last entry in `.index` points to `position`.
    ///
    /// The batches from there on are to be appended again.
    internal init(
        baseOffset: Int64,
        from position: Int64,
        firstTimestamp: Int64,
        lastTimeEntry: SegmentIndex.TimeEntry?
    ) {
        self.baseOffset = baseOffset
        self.lastTimeEntry = lastTimeEntry
        self.firstTimestamp = position > 0 ? firstTimestamp : nil
        size = position
        largestTimestamp = lastTimeEntry?.timestamp ?? RecordMetadata.noTimestamp
        largestTimestampOffset = baseOffset + Int64(lastTimeEntry?.relativeOffset ?? 0)
    }

    /// What a batch at the end of the segment adds to the indexes.
    internal struct Entries {
        internal var offset: SegmentIndex.OffsetEntry?
        internal var time: SegmentIndex.TimeEntry?
    }

    /// Notes a batch that was appended.
    internal mutating func append(
        lastOffset: Int64,
        maxTimestamp: Int64,
        byteCount: Int
    ) -> Entries {
        var entries = Entries()
        if firstTimestamp == nil { firstTimestamp = maxTimestamp }
        if maxTimestamp > largestTimestamp {
            largestTimestamp = maxTimestamp
            largestTimestampOffset = lastOffset
        }
        if bytesSinceEntry > SegmentIndex.intervalBytes {
            entries.offset = SegmentIndex.OffsetEntry(
                relativeOffset: relative(lastOffset),
                position: Int32(clamping: size)
            )
            entries.time = nextTimeEntry()
            bytesSinceEntry = 0
        }
        bytesSinceEntry += byteCount
        size += Int64(byteCount)
        return entries
    }

    /// The entry that ends `.timeindex` when the segment is closed, unless it is there already.
    internal mutating func finalTimeEntry() -> SegmentIndex.TimeEntry? { nextTimeEntry() }

    /// Whether a batch has to go to a new segment.
    internal func isFull(
        before batch: EncodedBatch,
        lastOffset: Int64,
        settings: TopicSettings
    ) -> Bool {
        guard size > 0 else { return false }
        // Positions and relative offsets take 32 bits in the indexes.
        let limit = min(max(settings.segmentBytes, 1), Int64(Int32.max))
        if size + Int64(batch.buffer.count) > limit { return true }
        if lastOffset - baseOffset > Int64(Int32.max) { return true }
        guard let firstTimestamp else { return false }
        let (age, overflow) = batch.maxTimestamp.subtractingReportingOverflow(firstTimestamp)
        return overflow ? batch.maxTimestamp > 0 : age > settings.segmentMilliseconds
    }

    private mutating func nextTimeEntry() -> SegmentIndex.TimeEntry? {
        guard largestTimestamp > lastTimeEntry?.timestamp ?? RecordMetadata.noTimestamp else {
            return nil
        }
        let entry = SegmentIndex.TimeEntry(
            timestamp: largestTimestamp,
            relativeOffset: relative(largestTimestampOffset)
        )
        lastTimeEntry = entry
        return entry
    }

    private func relative(_ offset: Int64) -> Int32 { Int32(clamping: offset - baseOffset) }
}
