internal import Compression
public import ConnectorSDK

/// A record of a stored batch, as slices that are valid while its batch is visited.
public struct StoredRecord {
    /// The offset.
    public let offset: Int64
    /// Milliseconds since the epoch.
    public let timestamp: Int64
    /// The key, or `nil` for none.
    public let key: UnsafeRawBufferPointer?
    /// Whether the value is null.
    public let hasNullValue: Bool
}

/// Visits the records of stored batches, and writes batches anew without some of them.
///
/// Compaction does so. One task owns a rewriter. Batches end at least
/// ``ConnectorSDK/Chunk/padding`` bytes before their memory does.
public final class RecordBatchRewriter {
    private let decompressor = BlockDecompressor()
    private let compressor = BlockCompressor()
    private let plain = OutputBuffer()
    private let decompressedLimit: Int

    /// Makes a rewriter that refuses batches of more than `decompressedLimit` bytes. (D7)
    public init(decompressedLimit: Int = 256 << 20) {
        self.decompressedLimit = decompressedLimit
    }

    /// Calls `body` with each record of a batch, until it returns `false`.
    ///
    /// Throws `topics.corrupt` when the records are not what Kafka's format says.
    public func visit(
        _ batch: UnsafeRawBufferPointer,
        _ header: RecordBatchHeader,
        _ body: (StoredRecord) -> Bool
    ) throws(ConnectorError) {
        try forEach(batch, header) { body($1) }
    }

    /// Appends to `output` the batch with those records for which `keep` holds.
    ///
    /// Offsets stay as they are: base offset and last offset delta do not change. With a delete
    /// horizon, which becomes the base timestamp, tombstones are marked to be dropped after that
    /// time. A batch of which nothing changes is copied as it is; one of which nothing is left is
    /// not written, see ``appendEmpty(offsets:to:)``.
    ///
    /// - Returns: the number of records kept.
    public func rewrite(
        _ batch: UnsafeRawBufferPointer,
        _ header: RecordBatchHeader,
        deleteHorizon: Int64?,
        into output: OutputBuffer,
        keep: (StoredRecord) -> Bool
    ) throws(ConnectorError) -> Int {
        var new = header
        if let deleteHorizon {
            new.baseTimestamp = deleteHorizon
            new.attributes.insert(.deleteHorizon)
        }
        let isStamped = header.attributes.contains(.logAppendTime)
        var kept = 0
        var largest = Int64.min
        plain.count = 0
        try forEach(batch, header) { record, stored in
            guard keep(stored) else { return true }
            kept += 1
            largest = max(largest, stored.timestamp)
            let delta = isStamped ? record.timestampDelta : stored.timestamp &- new.baseTimestamp
            append(record, timestampDelta: delta)
            return true
        }
        guard kept > 0 else { return 0 }
        if kept == Int(header.recordCount), deleteHorizon == nil {
            output.append(UnsafeRawBufferPointer(rebasing: batch[..<header.totalLength]))
            return kept
        }
        new.recordCount = Int32(truncatingIfNeeded: kept)
        if !isStamped { new.maxTimestamp = largest }
        try write(new, to: output)
        return kept
    }

    /// Appends a batch without records, so that its offsets stay accounted for.
    ///
    /// There are at least one and at most 2^31 `offsets`.
    public func appendEmpty(offsets: Range<Int64>, to output: OutputBuffer) {
        var empty = RecordBatchHeader(
            attributes: [],
            totalLength: RecordBatchHeader.length,
            baseTimestamp: -1,
            maxTimestamp: -1,
            recordCount: 0
        )
        empty.baseOffset = offsets.lowerBound
        empty.lastOffsetDelta = Int32(clamping: offsets.count - 1)
        let start = output.reserve(RecordBatchHeader.length)
        empty.write(to: start)
        RecordBatchHeader.seal(start, totalLength: RecordBatchHeader.length)
        output.count += RecordBatchHeader.length
    }

    private func append(_ record: EncodedRecord, timestampDelta: Int64) {
        let keyLength = record.key?.count ?? -1, valueLength = record.value?.count ?? -1
        let delta = Int(truncatingIfNeeded: timestampDelta)
        let offset = Int(truncatingIfNeeded: record.offsetDelta)
        let body =
            1 + Varint.length(delta) + Varint.length(offset) + Varint.length(keyLength)
            + max(keyLength, 0) + Varint.length(valueLength) + max(valueLength, 0)
            + Varint.length(record.headerCount) + record.headers.count
        let start = plain.reserve(body + Varint.maxLength)
        var target = start
        Varint.write(body, to: &target)
        target.storeBytes(of: 0, as: UInt8.self)
        target += 1
        Varint.write(delta, to: &target)
        Varint.write(offset, to: &target)
        Varint.write(keyLength, to: &target)
        Self.copy(record.key, to: &target)
        Varint.write(valueLength, to: &target)
        Self.copy(record.value, to: &target)
        Varint.write(record.headerCount, to: &target)
        Self.copy(record.headers, to: &target)
        plain.count += target - start
    }

    private static func copy(
        _ bytes: UnsafeRawBufferPointer?,
        to target: inout UnsafeMutableRawPointer
    ) {
        guard let bytes, let start = bytes.baseAddress else { return }
        target.copyMemory(from: start, byteCount: bytes.count)
        target += bytes.count
    }

    /// Writes a batch whose records are in `plain`.
    private func write(
        _ header: RecordBatchHeader,
        to output: OutputBuffer
    ) throws(ConnectorError) {
        var header = header
        let start = output.count
        _ = output.reserve(RecordBatchHeader.length)
        output.count += RecordBatchHeader.length
        // gzip and snappy, which only other writers use, become their faster relatives.
        switch header.codec {
        case .lz4, .snappy:
            try compressor.compressLZ4(plain.bytes, into: output)
            header.attributes.setCodec(3)
        case .zstd, .gzip:
            try compressor.compressZstd(plain.bytes, into: output)
            header.attributes.setCodec(4)
        case .none?, nil:
            output.append(plain.bytes)
        }
        header.totalLength = output.count - start
        header.write(to: output.base + start)
        RecordBatchHeader.seal(output.base + start, totalLength: header.totalLength)
    }

    private func forEach(
        _ batch: UnsafeRawBufferPointer,
        _ header: RecordBatchHeader,
        _ body: (EncodedRecord, StoredRecord) -> Bool
    ) throws(ConnectorError) {
        guard header.recordCount > 0, !header.isControl else { return }
        guard batch.count >= header.totalLength, let codec = header.codec else {
            throw corrupt(header)
        }
        var bytes = UnsafeRawBufferPointer(
            rebasing: batch[RecordBatchHeader.length..<header.totalLength]
        )
        var owner: Chunk?
        if codec != .none {
            let result = try decompressor.decompress(codec, bytes, limit: decompressedLimit)
            owner = result.chunk
            bytes = UnsafeRawBufferPointer(start: result.chunk.base, count: result.count)
        }
        defer { withExtendedLifetime(owner) {} }
        guard var cursor = bytes.baseAddress else { throw corrupt(header) }
        let end = cursor + bytes.count
        let isStamped = header.attributes.contains(.logAppendTime)
        for _ in 0..<header.recordCount {
            guard let record = EncodedRecord(&cursor, end: end) else { throw corrupt(header) }
            let timestamp =
                isStamped ? header.maxTimestamp : header.baseTimestamp &+ record.timestampDelta
            let stored = StoredRecord(
                offset: header.baseOffset &+ record.offsetDelta,
                timestamp: timestamp,
                key: record.key,
                hasNullValue: record.valueStart == nil
            )
            guard body(record, stored) else { return }
        }
    }

    private func corrupt(_ header: RecordBatchHeader) -> ConnectorError {
        ConnectorError(
            .init("topics.corrupt"),
            .failTask,
            "The batch at offset \(header.baseOffset) does not hold the records it should.",
            kind: .environment,
            hint: "Run millrace fsck to see what is affected."
        )
    }
}

extension RecordBatchHeader.Attributes {
    /// Replaces the number of the codec.
    fileprivate mutating func setCodec(_ codec: UInt16) {
        self = Self(rawValue: rawValue & ~0x7 | codec)
    }
}

extension EncodedBatch {
    /// Whether some record has no key, which a compacted topic cannot hold.
    public func hasRecordWithoutKey() throws(ConnectorError) -> Bool {
        guard let header = RecordBatchHeader(buffer.bytes) else { return false }
        var found = false
        try RecordBatchRewriter().visit(buffer.bytes, header) { record in
            found = record.key == nil
            return !found
        }
        return found
    }
}
