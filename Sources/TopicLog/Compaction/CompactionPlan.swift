internal import ConnectorSDK
internal import Topics

/// Which segments of a partition a compaction reads and which it writes anew.
///
/// A value: decided from what is known of the segments, without touching a file.
internal struct CompactionPlan {
    /// Segments that may be cleaned: neither active, nor too young, nor held for a sink.
    internal let cleanable: ArraySlice<Segment>
    /// Those of them that have records that no compaction has seen.
    internal let dirty: ArraySlice<Segment>
    /// One past the last offset of the cleanable segments.
    internal let endOffset: Int64

    /// Plans the work that is due at `now`; `nil` when there is too little of it.
    internal init?(
        _ view: PartitionView,
        settings: TopicSettings,
        heldAt held: Int64?,
        now: Int64
    ) {
        var count = 0
        for (segment, next) in zip(view.segments, view.segments.dropFirst()) {
            if let held, next.baseOffset > held { break }
            let lag = settings.minCompactionLagMilliseconds
            if lag > 0, segment.largestTimestamp > now - min(lag, max(now, 0)) { break }
            count += 1
        }
        guard count > 0 else { return nil }
        cleanable = view.segments.prefix(count)
        endOffset = view.segments[count].baseOffset
        let ends = view.segments.dropFirst().prefix(count).map(\.baseOffset)
        let clean = ends.prefix { $0 <= view.cleanedOffset }.count
        dirty = cleanable.dropFirst(clean)
        let dirtyBytes = dirty.reduce(0) { $0 + $1.size }
        let bytes = cleanable.reduce(0) { $0 + $1.size }
        guard dirtyBytes > 0, bytes > 0,
            Double(dirtyBytes) / Double(bytes) > settings.minCleanableDirtyRatio
        else { return nil }
    }

    /// Neighbouring segments with offsets below `end`, put together up to `segmentBytes`.
    internal func groups(below end: Int64, segmentBytes: Int64) -> [ArraySlice<Segment>] {
        let segments = cleanable.prefix { $0.baseOffset < end }
        let limit = min(max(segmentBytes, 1), Int64(Int32.max))
        var groups: [ArraySlice<Segment>] = []
        var first = segments.startIndex
        var size: Int64 = 0
        for index in segments.indices {
            let span = lastOffset(index) - segments[first].baseOffset
            if index > first, size + segments[index].size > limit || span > Int64(Int32.max) {
                groups.append(segments[first..<index])
                first = index
                size = 0
            }
            size += segments[index].size
        }
        if first < segments.endIndex { groups.append(segments[first...]) }
        return groups
    }

    private func lastOffset(_ index: Int) -> Int64 {
        index + 1 < cleanable.endIndex ? cleanable[index + 1].baseOffset - 1 : endOffset - 1
    }
}
