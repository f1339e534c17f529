internal import ConnectorSDK
internal import Glibc

/// Cuts records out of a content that grows: lines, or groups of them.
///
/// What is not complete stays where it is, in the file: the cutter keeps no bytes, only how far it
/// has looked. (D7) So ten thousand followed files cost ten thousand small values.
struct LineCutter {
    /// What is done with that which is not complete.
    enum Finish {
        /// It waits for its rest.
        case nothing
        /// A group of whole lines is a record.
        case group
        /// There will be no more: what is left is a record.
        case everything
    }

    private static let newline: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d
    // Enough to recognise the line by.
    private static let sampleSize = 1_024

    /// Behind the last record; a line of 0 is not known.
    private(set) var place: ReaderPosition
    /// Bytes before it need not be looked at again.
    private(set) var scanned: Int64
    /// Whether a line is being passed over that is too long.
    private(set) var isSkipping = false
    private let limit: Int
    private let joiner: LineJoiner?
    /// Behind the last line of the group that is not complete.
    private var groupEnd: Int64
    private var groupLines: Int64 = 0
    private var sample: [UInt8] = []

    init(at place: ReaderPosition, limit: Int, joiner: LineJoiner?) {
        self.place = place
        self.limit = limit
        self.joiner = joiner
        scanned = place.byte
        groupEnd = place.byte
    }

    /// Where the next window must begin.
    var windowStart: Int64 { isSkipping ? scanned : place.byte }

    /// Whether whole lines wait for more of their group.
    var hasGroup: Bool { groupEnd > place.byte }

    /// Whether bytes were seen that belong to no record yet.
    var hasRest: Bool { scanned > place.byte }

    /// Passes over a byte order mark, of which a part may have been looked at.
    mutating func skip(_ count: Int) {
        guard place.byte == 0, scanned <= Int64(count) else { return }
        place.byte = Int64(count)
        scanned = place.byte
        groupEnd = place.byte
    }

    /// Appends the records that are complete in a window that begins at ``windowStart``.
    ///
    /// - Returns: whether the window has no more of them; else the batch is full.
    mutating func cut(
        _ window: UnsafeRawBufferPointer,
        into batch: RecordBatch
    ) -> Bool {
        guard let base = window.baseAddress else { return true }
        let first = windowStart
        let end = first + Int64(window.count)
        if isSkipping {
            guard let after = passOver(window, from: first, into: batch) else { return true }
            guard after < end else { return true }
            let rest = UnsafeRawBufferPointer(rebasing: window[Int(after - first)...])
            return cut(rest, into: batch)
        }
        var line = groupEnd
        var search = max(scanned, line)
        while search < end {
            if batch.count >= RecordBatch.rowLimit { return false }
            let from = base + Int(search - first)
            guard let found = memchr(from, Int32(Self.newline), Int(end - search)) else { break }
            let stop = first + Int64(UnsafeRawPointer(found) - base)
            take(line..<stop, hasEnd: true, base, first, batch)
            line = stop + 1
            search = line
        }
        scanned = end
        if end - line > Int64(limit) {
            emitGroup(base, first, batch)
            sample = Array(window[Int(line - first)...].prefix(Self.sampleSize))
            isSkipping = true
        }
        return true
    }

    /// Appends what is left at the end of a content, as far as `finish` says; the window is that
    /// of the last ``cut(_:into:)``.
    mutating func finish(
        _ finish: Finish,
        _ window: UnsafeRawBufferPointer,
        at first: Int64,
        into batch: RecordBatch
    ) {
        if isSkipping {
            guard finish == .everything else { return }
            rejectLong(until: scanned, behind: scanned, into: batch)
            return
        }
        guard finish != .nothing, let base = window.baseAddress else { return }
        if finish == .everything, scanned > groupEnd {
            take(groupEnd..<scanned, hasEnd: false, base, first, batch)
        }
        emitGroup(base, first, batch)
    }

    // MARK: Lines

    /// Takes one line, without its end.
    private mutating func take(
        _ line: Range<Int64>,
        hasEnd: Bool,
        _ base: UnsafeRawPointer,
        _ first: Int64,
        _ batch: RecordBatch
    ) {
        let behind = line.upperBound + (hasEnd ? 1 : 0)
        if line.count > limit {
            emitGroup(base, first, batch)
            let bytes = UnsafeRawBufferPointer(
                start: base + Int(line.lowerBound - first),
                count: min(line.count, Self.sampleSize)
            )
            sample = Array(bytes)
            rejectLong(until: line.upperBound, behind: behind, into: batch)
            return
        }
        guard let joiner else {
            emit(until: behind, lines: 1, base, first, batch)
            return
        }
        // D7: a group that would be too long is two records, and nothing of it is lost.
        if hasGroup, line.upperBound - place.byte > Int64(limit) { emitGroup(base, first, batch) }
        let bytes = UnsafeRawBufferPointer(
            start: base + Int(line.lowerBound - first),
            count: line.count
        )
        let text = Self.withoutReturn(bytes)
        var decision = joiner.decide(text, isInGroup: hasGroup)
        if decision == .precedes {
            emitGroup(base, first, batch)
            decision = joiner.decide(text, isInGroup: false)
        }
        groupEnd = behind
        groupLines += 1
        if decision == .ends { emitGroup(base, first, batch) }
    }

    private mutating func emitGroup(
        _ base: UnsafeRawPointer,
        _ first: Int64,
        _ batch: RecordBatch
    ) {
        guard hasGroup else { return }
        emit(until: groupEnd, lines: groupLines, base, first, batch)
    }

    /// Appends the record from the place to `end`, and moves the place there.
    private mutating func emit(
        until end: Int64,
        lines: Int64,
        _ base: UnsafeRawPointer,
        _ first: Int64,
        _ batch: RecordBatch
    ) {
        var bytes = UnsafeRawBufferPointer(
            start: base + Int(place.byte - first),
            count: Int(end - place.byte)
        )
        if bytes.last == Self.newline { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        let value = Self.withoutReturn(bytes)
        let row = batch.appendRow()
        batch.row(row).pointee = .slice(.bytes, value)
        let metadata = batch.metadata(row)
        metadata.pointee.raw = value
        metadata.pointee.offset = place.byte
        metadata.pointee.line = place.line
        move(to: end, lines: lines)
    }

    private mutating func move(to end: Int64, lines: Int64) {
        place.byte = end
        if place.line > 0 { place.line += lines }
        place.record += 1
        scanned = max(scanned, end)
        groupEnd = end
        groupLines = 0
    }

    private static func withoutReturn(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard bytes.last == carriageReturn else { return bytes }
        return UnsafeRawBufferPointer(rebasing: bytes.dropLast())
    }

    // MARK: Lines that are too long

    /// Looks for the end of the line that is passed over; returns what is behind it.
    private mutating func passOver(
        _ window: UnsafeRawBufferPointer,
        from first: Int64,
        into batch: RecordBatch
    ) -> Int64? {
        guard let base = window.baseAddress,
            let found = memchr(base, Int32(Self.newline), window.count)
        else {
            scanned += Int64(window.count)
            return nil
        }
        let stop = first + Int64(UnsafeRawPointer(found) - base)
        rejectLong(until: stop, behind: stop + 1, into: batch)
        return stop + 1
    }

    private mutating func rejectLong(
        until stop: Int64,
        behind: Int64,
        into batch: RecordBatch
    ) {
        let length = stop - place.byte
        let name = place.line > 0 ? "Line \(place.line)" : "The line"
        let error = ConnectorError(
            .init("file.line_too_long"),
            .rejectRecord,
            "\(name) at byte \(place.byte) has \(length) bytes; \(limit) are allowed.",
            at: "max_line_bytes"
        )
        var record = RejectedRecord(
            error: error,
            topic: batch.topic,
            value: sample,
            offset: place.byte,
            line: place.line
        )
        record.isCut = true
        batch.reject(record)
        isSkipping = false
        sample = []
        move(to: behind, lines: 1)
    }
}
