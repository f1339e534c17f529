internal import ConnectorSDK
internal import Topics

/// Kafka's two sparse indexes of a segment: entries of fixed size, big-endian, in rising order.
///
/// Indexes are hints and never truth: what they say is checked against the log, and a missing or
/// wrong one only costs time.
internal enum SegmentIndex {
    /// A new entry is due after so many bytes of log; Kafka's `index.interval.bytes`.
    internal static let intervalBytes = 4_096
    /// Offset relative to the base, and position: four bytes each.
    internal static let offsetEntrySize = 8
    /// Timestamp, eight bytes, and relative offset, four bytes.
    internal static let timeEntrySize = 12

    /// An entry of `.index`: `offset` is the last one of what was appended at `position`.
    internal struct OffsetEntry: Hashable {
        internal var relativeOffset: Int32
        internal var position: Int32

        internal init(relativeOffset: Int32, position: Int32) {
            self.relativeOffset = relativeOffset
            self.position = position
        }

        internal init(_ bytes: UnsafeRawBufferPointer) {
            relativeOffset = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
            position = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self))
        }

        internal func append(to bytes: inout [UInt8]) {
            withUnsafeBytes(of: relativeOffset.bigEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: position.bigEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// An entry of `.timeindex`: no record up to the offset is younger than `timestamp`.
    internal struct TimeEntry: Hashable {
        internal var timestamp: Int64
        internal var relativeOffset: Int32

        internal init(timestamp: Int64, relativeOffset: Int32) {
            self.timestamp = timestamp
            self.relativeOffset = relativeOffset
        }

        internal init(_ bytes: UnsafeRawBufferPointer) {
            timestamp = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
            relativeOffset = Int32(
                bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self)
            )
        }

        internal func append(to bytes: inout [UInt8]) {
            withUnsafeBytes(of: timestamp.bigEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: relativeOffset.bigEndian) { bytes.append(contentsOf: $0) }
        }
    }

    /// A position at or before the batch that holds `offset`, at which a batch begins.
    internal static func position(of offset: Int64, in segment: Segment, log: LogFile) -> Int64 {
        let relative = offset - segment.baseOffset
        guard relative > 0, let file = try? LogFile.open(segment.indexPath) else { return 0 }
        // An entry names the last offset of a batch, so the batch that holds `offset` is behind
        // the last entry that is below it, or it is that entry's own.
        let found = lastEntry(in: file, size: offsetEntrySize) { bytes in
            Int64(OffsetEntry(bytes).relativeOffset) <= relative
        }
        guard let entry = found.map({ $0.withUnsafeBytes { OffsetEntry($0) } }) else { return 0 }
        let position = Int64(entry.position)
        return isBatch(at: position, upTo: offset, in: segment, log: log) ? position : 0
    }

    /// The offset behind which all records with a timestamp of at least `timestamp` lie, or the
    /// base offset when the index does not tell.
    internal static func offset(before timestamp: Int64, in segment: Segment) -> Int64 {
        guard let file = try? LogFile.open(segment.timeIndexPath) else { return segment.baseOffset }
        let found = lastEntry(in: file, size: timeEntrySize) { bytes in
            TimeEntry(bytes).timestamp < timestamp
        }
        guard let entry = found.map({ $0.withUnsafeBytes { TimeEntry($0) } }),
            entry.relativeOffset >= 0
        else { return segment.baseOffset }
        return segment.baseOffset + Int64(entry.relativeOffset) + 1
    }

    /// The last entry of `.timeindex`, or `nil`.
    internal static func lastTimeEntry(of segment: Segment) -> TimeEntry? {
        guard let file = try? LogFile.open(segment.timeIndexPath) else { return nil }
        let found = lastEntry(in: file, size: timeEntrySize) { _ in true }
        return found.map { $0.withUnsafeBytes { TimeEntry($0) } }
    }

    /// The last entry of `.index`, or `nil`.
    internal static func lastOffsetEntry(of segment: Segment) -> OffsetEntry? {
        guard let file = try? LogFile.open(segment.indexPath) else { return nil }
        let found = lastEntry(in: file, size: offsetEntrySize) { _ in true }
        return found.map { $0.withUnsafeBytes { OffsetEntry($0) } }
    }

    /// Whether a batch that begins at or before `offset` can begin at `position`.
    internal static func isBatch(
        at position: Int64,
        upTo offset: Int64,
        in segment: Segment,
        log: LogFile
    ) -> Bool {
        let size = segment.size
        guard position >= 0, position < size,
            let bytes = try? log.bytes(position..<position + Int64(RecordBatchHeader.length)),
            let header = bytes.withUnsafeBytes({ RecordBatchHeader($0) })
        else { return false }
        return header.baseOffset >= segment.baseOffset && header.baseOffset <= offset
            && Int64(header.totalLength) <= size - position
    }

    /// The last entry for which `isBelow` holds; it holds for a first part of the entries.
    private static func lastEntry(
        in file: LogFile,
        size: Int,
        where isBelow: (UnsafeRawBufferPointer) -> Bool
    ) -> [UInt8]? {
        guard let length = try? file.size() else { return nil }
        var low: Int64 = 0
        var high = length / Int64(size)
        var found: [UInt8]?
        while low < high {
            let middle = (low + high) / 2
            let start = middle * Int64(size)
            guard let bytes = try? file.bytes(start..<start + Int64(size)), bytes.count == size
            else { return nil }
            if bytes.withUnsafeBytes(isBelow) {
                found = bytes
                low = middle + 1
            } else {
                high = middle
            }
        }
        return found
    }
}
