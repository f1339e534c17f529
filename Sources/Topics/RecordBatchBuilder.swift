public import ConnectorSDK

/// Encodes records into one Kafka RecordBatch, magic 2.
///
/// It is reused with its buffer: `finish` hands both over as an ``EncodedBatch``, and the store
/// gives them back when the batch is on disk. Then ``reset()`` makes it ready for the next batch.
public final class RecordBatchBuilder {
    /// Bytes of the batch header.
    public static let headerLength = RecordBatchHeader.length

    /// The most bytes of a record beside its key, value and headers: seven varints.
    private static let recordOverhead = 7 * Varint.maxLength

    /// Where the batch is written; complete only after ``finish(compression:now:timestampType:)``.
    public let buffer: OutputBuffer
    /// The number of records so far.
    @inlinable public var count: Int { recordsEncoded }
    /// Bytes encoded so far, header included.
    @inlinable public var byteCount: Int { bytesEncoded }
    // What follows changes with every record, for an instant each: a check at run time would cost
    // more than the change. The first two stand behind inlinable accessors because `@exclusivity`
    // has no effect in another module.
    @exclusivity(unchecked) @usableFromInline internal private(set) var recordsEncoded = 0
    @exclusivity(unchecked) @usableFromInline internal private(set) var bytesEncoded =
        RecordBatchHeader.length

    @exclusivity(unchecked) private var base: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var capacity: Int
    @exclusivity(unchecked) private var baseTimestamp = RecordMetadata.noTimestamp
    @exclusivity(unchecked) private var maxTimestamp = RecordMetadata.noTimestamp
    /// Runs of records that have no timestamp yet and are written as if they had the base's.
    private var unstamped: [Range<Int>] = []
    /// The last such run, which is not among them yet.
    @exclusivity(unchecked) private var unstampedRun = 0..<0
    @exclusivity(unchecked) private var unstampedCount = 0
    private var compressor: BatchCompressor?

    /// Makes an empty builder.
    ///
    /// - Parameters:
    ///   - buffer: where the batch is written; what it holds is forgotten.
    ///   - compressor: shared by the builders of a task, so that it is not made for each batch.
    public init(buffer: OutputBuffer = OutputBuffer(), compressor: BatchCompressor? = nil) {
        self.buffer = buffer
        self.compressor = compressor
        buffer.count = 0
        base = buffer.reserve(RecordBatchHeader.length)
        capacity = buffer.capacity
    }

    /// Forgets all records; the buffer's bytes must not be needed any more.
    public func reset() {
        buffer.count = 0
        recordsEncoded = 0
        bytesEncoded = RecordBatchHeader.length
        baseTimestamp = RecordMetadata.noTimestamp
        maxTimestamp = RecordMetadata.noTimestamp
        unstamped.removeAll(keepingCapacity: true)
        unstampedRun = 0..<0
        unstampedCount = 0
    }

    /// Appends a record.
    ///
    /// - Parameters:
    ///   - timestamp: milliseconds since the epoch; ``ConnectorSDK/RecordMetadata/noTimestamp``
    ///     for the time that `finish` is given.
    ///   - key: the key, or `nil` for none. An empty key is a key.
    ///   - value: the value, or `nil` for null: with a key, a tombstone.
    ///   - headers: the headers in Kafka's record encoding.
    ///   - headerCount: how many they are.
    public func append(
        timestamp: Int64,
        key: UnsafeRawBufferPointer?,
        value: UnsafeRawBufferPointer?,
        headers: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        headerCount: Int = 0
    ) {
        let delta = note(timestamp)
        let keyLength = key?.count ?? 0, valueLength = value?.count ?? 0
        let body =
            1 &+ Varint.length(delta) &+ Varint.length(count)
            &+ Varint.length(key == nil ? -1 : keyLength) &+ keyLength
            &+ Varint.length(value == nil ? -1 : valueLength) &+ valueLength
            &+ Varint.length(headerCount) &+ headers.count
        let needed = body &+ Self.recordOverhead
        if needed > capacity &- byteCount { grow(needed) }
        var target = base + byteCount
        Varint.write(body, to: &target)
        target.storeBytes(of: 0, as: UInt8.self)
        target += 1
        Varint.write(delta, to: &target)
        Varint.write(count, to: &target)
        Varint.write(key == nil ? -1 : keyLength, to: &target)
        Self.copy(key, to: &target)
        Varint.write(value == nil ? -1 : valueLength, to: &target)
        Self.copy(value, to: &target)
        Varint.write(headerCount, to: &target)
        Self.copy(headers, to: &target)
        bytesEncoded = target - base
        recordsEncoded &+= 1
    }

    /// Completes the batch.
    ///
    /// - Parameters:
    ///   - compression: the codec; records that it would only make longer stay as they are.
    ///   - now: the time, in milliseconds, for records that have none.
    ///   - timestampType: whose clock counts.
    /// - Returns: the batch, in ``buffer``. Call ``reset()`` before appending again.
    /// - Throws: `topics.batch_too_large` for more than 2 GiB, `topics.batch_empty`.
    public func finish(
        compression: TopicSettings.CompressionType,
        now: Int64,
        timestampType: TopicSettings.TimestampType
    ) throws(ConnectorError) -> EncodedBatch {
        try checkSize()
        resolveTimestamps(now: now)
        buffer.count = byteCount
        var attributes = try compress(compression)
        try checkSize()
        if timestampType == .logAppendTime {
            attributes.insert(.logAppendTime)
            maxTimestamp = now
        }
        let header = RecordBatchHeader(
            attributes: attributes,
            totalLength: byteCount,
            baseTimestamp: baseTimestamp,
            maxTimestamp: maxTimestamp,
            recordCount: count
        )
        header.write(to: base)
        RecordBatchHeader.seal(base, totalLength: byteCount)
        return EncodedBatch(
            buffer: buffer,
            count: count,
            maxTimestamp: maxTimestamp,
            builder: self
        )
    }

    private func checkSize() throws(ConnectorError) {
        if count == 0 {
            throw ConnectorError(
                .init("topics.batch_empty"),
                .failTask,
                "A batch without records cannot be stored."
            )
        }
        if byteCount > Int(Int32.max) || count > Int(Int32.max) {
            throw ConnectorError(
                .init("topics.batch_too_large"),
                .failTask,
                "A batch of \(count) records takes \(byteCount) bytes, more than a topic can hold.",
                hint: "Send fewer records in a batch."
            )
        }
    }

    /// Notes a timestamp, and returns its distance from the base.
    @inline(__always)
    private func note(_ timestamp: Int64) -> Int {
        if timestamp == RecordMetadata.noTimestamp {
            noteUnstamped()
            return 0
        }
        if baseTimestamp == RecordMetadata.noTimestamp { baseTimestamp = timestamp }
        if timestamp > maxTimestamp { maxTimestamp = timestamp }
        return Int(timestamp &- baseTimestamp)
    }

    @inline(__always)
    private func noteUnstamped() {
        unstampedCount &+= 1
        if unstampedRun.upperBound != count { beginUnstampedRun() }
        unstampedRun = Range(uncheckedBounds: (unstampedRun.lowerBound, count &+ 1))
    }

    @inline(never)
    private func beginUnstampedRun() {
        if !unstampedRun.isEmpty { unstamped.append(unstampedRun) }
        unstampedRun = count..<count
    }

    @inline(__always)
    private static func copy(
        _ bytes: UnsafeRawBufferPointer?,
        to target: inout UnsafeMutableRawPointer
    ) {
        guard let bytes, let start = bytes.baseAddress else { return }
        target.copyMemory(from: start, byteCount: bytes.count)
        target += bytes.count
    }

    private func grow(_ needed: Int) {
        buffer.count = byteCount
        _ = buffer.reserve(needed)
        base = buffer.base
        capacity = buffer.capacity
    }
}

extension RecordBatchBuilder {
    /// Gives `now` to the records that have no timestamp.
    private func resolveTimestamps(now: Int64) {
        guard unstampedCount > 0 else { return }
        if unstampedCount == count {
            baseTimestamp = now
            maxTimestamp = now
        } else {
            restamp(now: now)
        }
    }

    /// Writes all records again, since a distance from the base may take more bytes than before.
    ///
    /// Only for a batch in which some records have a timestamp and some have none.
    private func restamp(now: Int64) {
        let old = OutputBuffer(capacity: byteCount)
        old.append(UnsafeRawBufferPointer(start: base, count: byteCount))
        let records = count, runs = unstamped + [unstampedRun]
        let oldBase = baseTimestamp
        reset()
        var source = UnsafeRawPointer(old.base) + RecordBatchHeader.length
        var run = 0
        for index in 0..<records {
            guard
                let record = EncodedRecord(&source, end: UnsafeRawPointer(old.base) + old.count)
            else { return }
            while run < runs.count, runs[run].upperBound <= index { run += 1 }
            let isUnstamped = run < runs.count && runs[run].contains(index)
            append(
                timestamp: isUnstamped ? now : oldBase &+ record.timestampDelta,
                key: record.key,
                value: record.value,
                headers: record.headers,
                headerCount: record.headerCount
            )
        }
    }

    /// Replaces the records by one compressed blob; returns the codec as attributes.
    private func compress(
        _ type: TopicSettings.CompressionType
    ) throws(ConnectorError) -> RecordBatchHeader.Attributes {
        guard type != .none else { return [] }
        let compressor = self.compressor ?? BatchCompressor()
        self.compressor = compressor
        let records = UnsafeRawBufferPointer(
            start: base + RecordBatchHeader.length,
            count: byteCount - RecordBatchHeader.length
        )
        guard let (bytes, codec) = try compressor.compress(records, type) else { return [] }
        buffer.count = RecordBatchHeader.length
        buffer.append(bytes)
        bytesEncoded = buffer.count
        return .init(rawValue: codec)
    }
}
