internal import ConnectorSDK
internal import Topics

/// A batch met by a scan; the bytes are valid until the scan goes on.
internal struct ScannedBatch {
    internal var header: RecordBatchHeader
    internal var position: Int64
    internal var bytes: UnsafeRawBufferPointer

    /// The position of the next batch.
    internal var end: Int64 { position + Int64(header.totalLength) }
}

/// Why a scan cannot go on.
internal enum ScanFailure: Error {
    /// What lies at the position is no batch, or a damaged one.
    case damage(position: Int64, String)
    /// The file cannot be read.
    case file(FileFailure)
}

/// Visits the batches of a part of a segment, and checks each one's CRC.
internal final class SegmentScanner {
    private static let stepSize = 1 << 20

    private let file: LogFile
    /// Where the next batch begins.
    internal private(set) var position: Int64
    private let end: Int64
    private var chunk = Chunk(capacity: stepSize)
    /// The file position of the chunk's first byte, and the bytes of it that are filled.
    private var loaded: (start: Int64, count: Int) = (0, 0)

    /// Makes a scan of the bytes from `start`, where a batch begins, to `end`.
    internal init(_ file: LogFile, from start: Int64, to end: Int64) {
        self.file = file
        self.end = end
        position = start
        loaded = (start, 0)
    }

    /// The next batch, or `nil` when the scan has come to its end.
    internal func next() throws(ScanFailure) -> ScannedBatch? {
        guard position < end else { return nil }
        let prefix = try load(RecordBatchHeader.length)
        guard let header = RecordBatchHeader(prefix) else {
            throw .damage(position: position, "there is no batch header")
        }
        guard Int64(header.totalLength) <= end - position else {
            throw .damage(position: position, "the batch reaches past the end of the segment")
        }
        let bytes = try load(header.totalLength)
        guard header.isIntact(bytes) else {
            throw .damage(position: position, "the checksum is wrong")
        }
        let batch = ScannedBatch(header: header, position: position, bytes: bytes)
        position = batch.end
        return batch
    }

    /// Goes on at `position`, where a batch is believed to begin.
    internal func skip(to position: Int64) { self.position = position }

    /// The bytes at `position`, at least `count` of them.
    private func load(_ count: Int) throws(ScanFailure) -> UnsafeRawBufferPointer {
        if position < loaded.start || position + Int64(count) > loaded.start + Int64(loaded.count) {
            try fill(count)
        }
        let start = Int(position - loaded.start)
        guard loaded.count - start >= count else {
            throw .damage(position: position, "the file ends too early")
        }
        return UnsafeRawBufferPointer(start: chunk.base + start, count: loaded.count - start)
    }

    private func fill(_ count: Int) throws(ScanFailure) {
        let wanted = Int(min(end - position, Int64(max(count, Self.stepSize))))
        if wanted > chunk.capacity { chunk = Chunk(capacity: wanted) }
        let target = UnsafeMutableRawBufferPointer(start: chunk.base, count: wanted)
        do throws(FileFailure) {
            loaded = (position, try file.read(into: target, at: position))
        } catch {
            throw .file(error)
        }
    }
}
