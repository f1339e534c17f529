internal import ConnectorSDK
internal import Topics

/// Reads one segment from end to end, past what is damaged.
internal struct SegmentCheck {
    /// A part of the segment that holds no sound batch.
    internal struct Damage: Hashable {
        /// The bytes of the file.
        internal var bytes: Range<Int64>
        /// The offsets that are lost.
        internal var offsets: Range<Int64>
        internal var reason: String
    }

    /// A sound batch.
    internal struct Batch: Hashable {
        internal var bytes: Range<Int64>
        internal var lastOffset: Int64
        /// The largest timestamp of the segment up to and with this batch.
        internal var largestTimestamp: Int64
    }

    internal let segment: Segment
    /// The offsets that the segment should hold.
    internal let offsets: Range<Int64>
    /// Whether every offset must be there, as in a log that was never compacted.
    internal let isGapless: Bool
    internal private(set) var batches: [Batch] = []
    internal private(set) var recordCount = 0
    internal private(set) var damages: [Damage] = []

    internal init(_ segment: Segment, offsets: Range<Int64>, isGapless: Bool) {
        self.segment = segment
        self.offsets = offsets
        self.isGapless = isGapless
    }

    /// Reads the segment up to its committed size.
    internal mutating func run() throws(FileFailure) {
        guard Directory.exists(segment.logPath) else {
            note(0..<0, upTo: offsets.upperBound, "its file is missing")
            return
        }
        let log = try LogFile.open(segment.logPath)
        let size = min(segment.size, try log.size())
        let scanner = SegmentScanner(log, from: 0, to: size)
        var expected = offsets.lowerBound
        while scanner.position < size {
            let start = scanner.position
            do throws(ScanFailure) {
                guard let batch = try scanner.next() else { break }
                try judge(batch, &expected)
            } catch {
                switch error {
                case .file(let failure): throw failure
                case .damage(_, let reason):
                    try resume(scanner, log, from: start, to: size, &expected, reason)
                }
            }
        }
        if expected < offsets.upperBound, isGapless || size < segment.size {
            note(size..<size, from: expected, upTo: offsets.upperBound, "its end is missing")
        }
    }

    private mutating func judge(
        _ batch: ScannedBatch,
        _ expected: inout Int64
    ) throws(ScanFailure) {
        let header = batch.header
        guard header.baseOffset >= expected, header.nextOffset <= offsets.upperBound else {
            throw .damage(position: batch.position, "offsets are out of order")
        }
        if isGapless, header.baseOffset > expected {
            let here = batch.position..<batch.position
            note(here, from: expected, upTo: header.baseOffset, "records are missing")
        }
        expected = header.nextOffset
        recordCount += Int(header.recordCount)
        batches.append(
            Batch(
                bytes: batch.position..<batch.end,
                lastOffset: header.lastOffset,
                largestTimestamp: max(
                    batches.last?.largestTimestamp ?? .min,
                    header.maxTimestamp
                )
            )
        )
    }

    /// Notes damage, and goes on at the next batch that is sound.
    private mutating func resume(
        _ scanner: SegmentScanner,
        _ log: LogFile,
        from start: Int64,
        to size: Int64,
        _ expected: inout Int64,
        _ reason: String
    ) throws(FileFailure) {
        let next = try BatchSearch(log, end: size, offsets: expected..<offsets.upperBound)
            .first(from: start + 1)
        let offset = next?.baseOffset ?? offsets.upperBound
        note(start..<(next?.position ?? size), from: expected, upTo: offset, reason)
        expected = offset
        scanner.skip(to: next?.position ?? size)
    }

    private mutating func note(
        _ bytes: Range<Int64>,
        from first: Int64? = nil,
        upTo end: Int64,
        _ reason: String
    ) {
        let first = first ?? offsets.lowerBound
        damages.append(Damage(bytes: bytes, offsets: first..<max(first, end), reason: reason))
    }
}

/// Finds sound batches in bytes of which nothing is known.
internal struct BatchSearch {
    private static let windowSize = 1 << 20

    private let log: LogFile
    private let end: Int64
    private let offsets: Range<Int64>

    /// Makes a search for batches that end by `end` and hold some of `offsets`.
    internal init(_ log: LogFile, end: Int64, offsets: Range<Int64>) {
        self.log = log
        self.end = end
        self.offsets = offsets
    }

    /// The first sound batch that begins at `position` or later.
    internal func first(
        from position: Int64
    ) throws(FileFailure) -> (position: Int64, baseOffset: Int64)? {
        var start = position
        let overlap = Int64(RecordBatchHeader.length)
        while start + overlap <= end {
            let window = try log.bytes(start..<min(end, start + Int64(Self.windowSize)))
            for index in 0...max(0, window.count - RecordBatchHeader.length) {
                guard let header = header(in: window, at: index) else { continue }
                let found = start + Int64(index)
                if isSound(header, at: found) { return (found, header.baseOffset) }
            }
            start += max(1, Int64(window.count) - overlap + 1)
        }
        return nil
    }

    private func header(in window: [UInt8], at index: Int) -> RecordBatchHeader? {
        // Cheap tests first: the magic, and the first byte of an offset of less than 2^56.
        guard index + RecordBatchHeader.length <= window.count, window[index + 16] == 2,
            window[index] == 0
        else { return nil }
        let header = window.withUnsafeBytes {
            RecordBatchHeader(UnsafeRawBufferPointer(rebasing: $0[index...]))
        }
        guard let header, offsets.contains(header.baseOffset),
            header.nextOffset <= offsets.upperBound
        else { return nil }
        return header
    }

    private func isSound(_ header: RecordBatchHeader, at position: Int64) -> Bool {
        guard Int64(header.totalLength) <= end - position else { return false }
        let scanner = SegmentScanner(log, from: position, to: end)
        return (try? scanner.next()) != nil
    }
}
