internal import Compression
public import ConnectorSDK

/// Reads the records of a partition out of chunks of a segment file.
///
/// Its owner reads bytes that begin with a batch into a chunk, calls ``load(_:_:)``, and then
/// ``decode(into:upTo:rowLimit:)`` until it returns 0; then it reads on behind the bytes that were
/// ``consumed``. Records keep pointing into the chunk, which the batches retain; decompressed
/// records are in chunks of their own. Every length is checked before it is used. (D9)
public final class RecordBatchDecoder {
    /// The offset of the next record to be read: earlier ones are skipped.
    public private(set) var nextOffset: Int64
    /// How many of the loaded bytes need not be loaded again.
    public var consumed: Int { position - start }

    private let partition: Int32
    private let decompressedLimit: Int
    private var chunk: Chunk?
    private var start = 0
    private var position = 0
    private var end = 0
    private var open: OpenBatch?
    private var decompressor: BlockDecompressor?

    /// Makes a decoder.
    ///
    /// - Parameters:
    ///   - partition: the partition's number, for the records' metadata and for errors.
    ///   - offset: the first offset wanted.
    ///   - decompressedLimit: the most bytes that a compressed batch may become. (D7)
    public init(partition: Int32, from offset: Int64, decompressedLimit: Int = 256 << 20) {
        self.partition = partition
        self.decompressedLimit = decompressedLimit
        nextOffset = offset
    }

    /// Goes on with the bytes `range` of `chunk`, which begin where a batch begins.
    ///
    /// Replaces the bytes loaded before. Does not touch the batch whose records are being read.
    public func load(_ chunk: Chunk, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= chunk.capacity)
        self.chunk = chunk
        start = range.lowerBound
        position = start
        end = range.upperBound
    }

    /// Forgets what is loaded, and wants `offset` next.
    public func seek(to offset: Int64) {
        open = nil
        chunk = nil
        (start, position, end) = (0, 0, 0)
        nextOffset = offset
    }

    /// How many bytes have to be loaded from where ``consumed`` ends, so that there is one whole
    /// batch: at least the 12 bytes that tell its length.
    public var neededLength: Int {
        RecordBatchHeader.totalLength(unread) ?? RecordBatchHeader.prefixLength
    }

    /// Appends records to `batch`, whose values are opaque, until it has `rowLimit` rows, a record
    /// would not be below `limit`, or no whole batch is loaded any more.
    ///
    /// - Parameters:
    ///   - batch: an opaque batch.
    ///   - limit: the high watermark as it was before the loaded bytes were read. (D4)
    ///   - rowLimit: the number of rows at which to stop.
    /// - Returns: how many rows were appended.
    /// - Throws: `topics.corrupt` when the bytes are not what Kafka's format says. Records in front
    ///   of the damage are returned first; the call after that throws.
    public func decode(
        into batch: RecordBatch,
        upTo limit: Int64 = .max,
        rowLimit: Int = RecordBatch.rowLimit
    ) throws(ConnectorError) -> Int {
        let before = batch.count
        do throws(ConnectorError) {
            while batch.count < rowLimit, nextOffset < limit {
                if open == nil {
                    guard try openNext(below: limit) else { break }
                }
                try readRecords(into: batch, upTo: limit, rowLimit: rowLimit)
            }
        } catch {
            if batch.count == before { throw error }
        }
        return batch.count - before
    }

    /// The loaded bytes that no batch was read from yet.
    private var unread: UnsafeRawBufferPointer {
        guard let chunk else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: chunk.base + position, count: end - position)
    }
}

/// A batch whose records are being read.
private struct OpenBatch {
    let header: RecordBatchHeader
    /// Holds the records.
    let chunk: Chunk
    var cursor: UnsafeRawPointer
    let end: UnsafeRawPointer
    var remaining: Int
    /// The smallest offset delta that the next record may have.
    var nextDelta: Int64 = 0
}

extension RecordBatchDecoder {
    /// Opens the next batch that has wanted records; returns `false` when no such batch is loaded.
    private func openNext(below limit: Int64) throws(ConnectorError) -> Bool {
        while let chunk {
            let bytes = unread
            guard bytes.count >= RecordBatchHeader.prefixLength else { return false }
            guard let length = RecordBatchHeader.totalLength(bytes) else {
                throw corrupt("its length cannot be")
            }
            guard length <= bytes.count else { return false }
            guard let header = RecordBatchHeader(bytes) else {
                throw corrupt("its header cannot be")
            }
            if header.lastOffset < nextOffset {
                position += length
                continue
            }
            guard header.baseOffset < limit else { return false }
            guard header.isIntact(bytes) else { throw corrupt("its checksum is wrong") }
            guard !header.isControl, header.recordCount > 0 else {
                position += length
                nextOffset = header.nextOffset
                continue
            }
            open = try makeOpenBatch(header, chunk, bytes)
            position += length
            return true
        }
        return false
    }

    private func makeOpenBatch(
        _ header: RecordBatchHeader,
        _ chunk: Chunk,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ConnectorError) -> OpenBatch {
        var (owner, records) = (
            chunk,
            UnsafeRawBufferPointer(
                rebasing: bytes[RecordBatchHeader.length..<header.totalLength]
            )
        )
        guard let codec = header.codec else { throw corrupt("its compression is unknown") }
        if codec != .none {
            (owner, records) = try decompress(codec, records)
        }
        guard let first = records.baseAddress else { throw corrupt("it has no records") }
        return OpenBatch(
            header: header,
            chunk: owner,
            cursor: first,
            end: first + records.count,
            remaining: Int(header.recordCount)
        )
    }

    private func decompress(
        _ codec: CompressionKind,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ConnectorError) -> (Chunk, UnsafeRawBufferPointer) {
        let decompressor = self.decompressor ?? BlockDecompressor()
        self.decompressor = decompressor
        do throws(ConnectorError) {
            let result = try decompressor.decompress(codec, bytes, limit: decompressedLimit)
            return (
                result.chunk,
                UnsafeRawBufferPointer(start: result.chunk.base, count: result.count)
            )
        } catch {
            throw corrupt("it cannot be decompressed", underlying: error)
        }
    }

    /// Appends records of the open batch, and closes it when there are no more.
    private func readRecords(
        into batch: RecordBatch,
        upTo limit: Int64,
        rowLimit: Int
    ) throws(ConnectorError) {
        guard var open else { return }
        let first = batch.count
        let rows = min(rowLimit - first, open.remaining)
        batch.appendRows(rows)
        batch.retain(open.chunk)
        let outcome = fill(batch, rows: first..<first + rows, from: &open, upTo: limit)
        batch.removeLast(first + rows - outcome.row)
        self.open = open
        switch outcome.ending {
        case .full: break
        case .corrupt: throw corrupt("record \(open.nextDelta) in it cannot be")
        case .atLimit: nextOffset = limit
        case .done:
            guard open.cursor == open.end else { throw corrupt("bytes follow its last record") }
            self.open = nil
            nextOffset = open.header.nextOffset
        }
    }

    /// Why no more rows were filled.
    private enum Ending {
        /// All rows are filled.
        case full
        /// The batch has no more records.
        case done
        /// The next record must not be read yet.
        case atLimit
        /// The next record is not one.
        case corrupt
    }

    /// Fills rows that were appended, and returns the first that is not filled.
    private func fill(
        _ batch: RecordBatch,
        rows: Range<Int>,
        from open: inout OpenBatch,
        upTo limit: Int64
    ) -> (row: Int, ending: Ending) {
        let header = open.header
        let isLogAppendTime = header.attributes.contains(.logAppendTime)
        let wanted = nextOffset
        var hasKeys = batch.keySchema != nil
        var row = rows.lowerBound
        var cursor = open.cursor
        defer {
            open.cursor = cursor
            if row > rows.lowerBound { nextOffset = batch.metadata(row - 1).pointee.offset + 1 }
        }
        while open.remaining > 0 {
            if row == rows.upperBound { return (row, .full) }
            var next = cursor
            guard let record = EncodedRecord(&next, end: open.end),
                record.offsetDelta >= open.nextDelta,
                record.offsetDelta <= Int64(header.lastOffsetDelta)
            else { return (row, .corrupt) }
            let offset = header.baseOffset &+ record.offsetDelta
            if offset >= limit { return (row, .atLimit) }
            cursor = next
            open.remaining &-= 1
            open.nextDelta = record.offsetDelta &+ 1
            if offset < wanted { continue }
            if record.keyStart != nil, !hasKeys {
                batch.addKeys(.opaque)
                hasKeys = true
            }
            if hasKeys, let target = batch.keyRow(row) {
                target.pointee = record.key.map { .slice(.bytes, $0) } ?? .missing
            }
            batch.row(row).pointee = record.value.map { .slice(.bytes, $0) } ?? .null
            var metadata = RecordMetadata()
            metadata.timestamp =
                isLogAppendTime
                ? header.maxTimestamp : header.baseTimestamp &+ record.timestampDelta
            metadata.offset = offset
            metadata.partition = partition
            if let value = record.value { metadata.raw = value }
            metadata.headers = record.headers
            metadata.headerCount = UInt32(truncatingIfNeeded: record.headerCount)
            metadata.isTombstone = record.valueStart == nil && record.keyStart != nil
            batch.metadata(row).pointee = metadata
            row &+= 1
        }
        return (row, .done)
    }

    private func corrupt(_ detail: String, underlying: (any Error)? = nil) -> ConnectorError {
        ConnectorError(
            .init("topics.corrupt"),
            .failTask,
            "The batch with offset \(nextOffset) of partition \(partition) is damaged: \(detail).",
            kind: .environment,
            hint: "Run millrace fsck to see what is affected.",
            underlying: underlying
        )
    }
}
