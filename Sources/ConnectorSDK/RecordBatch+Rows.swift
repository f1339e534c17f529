extension RecordBatch {
    /// Keeps the rows for which `keep` is true, in order.
    public func filter<E: Error>(_ keep: (Int) throws(E) -> Bool) throws(E) {
        var kept = 0
        for row in 0..<count where try keep(row) {
            if kept != row { moveRow(row, to: kept) }
            kept += 1
        }
        rowCount = kept
    }

    /// Takes a record out of the batch, with the reason; order of the others is kept.
    ///
    /// Rows after `row` move up by one.
    public func reject(row: Int, _ error: ConnectorError) {
        rejections.append(RejectedRecord(row: row, of: self, error: error))
        for next in row + 1..<max(count, row + 1) { moveRow(next, to: next - 1) }
        rowCount -= 1
    }

    /// Takes several records out, with their reasons.
    ///
    /// `rows` ascend.
    public func reject(_ rows: [(row: Int, error: ConnectorError)]) {
        guard !rows.isEmpty else { return }
        for item in rows {
            rejections.append(RejectedRecord(row: item.row, of: self, error: item.error))
        }
        var next = 0
        filter { row in
            guard next < rows.count, rows[next].row == row else { return true }
            next += 1
            return false
        }
    }

    /// Notes a record that never became a row, such as a line that cannot be parsed.
    public func reject(_ record: RejectedRecord) {
        rejections.append(record)
        guard record.origin == nil else { return }
        rejections[rejections.count - 1].origin = origin
    }

    /// Hands over the rejections noted so far, and forgets them.
    public func takeRejections() -> [RejectedRecord] {
        defer { rejections.removeAll(keepingCapacity: true) }
        return rejections
    }

    /// Copies rows of another batch, which this one then must not outlive unless it retains it.
    ///
    /// For slow paths, such as finding the record that a database refuses.
    public func copyRows(_ rows: some Sequence<Int>, of other: RecordBatch) {
        reset(topic: other.topic, schema: other.schema, keySchema: other.keySchema)
        for chunk in other.retained { retain(chunk) }
        for batch in other.retainedBatches { retain(batch) }
        origin = other.origin
        recordContext = other.recordContext
        rawIsJSON = other.rawIsJSON
        for row in rows {
            let target = appendRow()
            for column in 0..<other.schema.count {
                cells[target * rowStride + column] = other.cells[row * other.rowStride + column]
            }
            if let key = keyRow(target), let otherKey = other.keyRow(row) {
                key.update(from: otherKey, count: keyStride)
            }
            metadataBase[target] = other.metadataBase[row]
        }
    }

    /// Moves the rows from `row` on to `rest`, their values opaque again: the bytes that
    /// ``RecordMetadata/raw`` says.
    ///
    /// Keys and metadata go with them, rejections stay.
    public func split(at row: Int, into rest: RecordBatch) {
        rest.reset(topic: topic, schema: .opaque, keySchema: keySchema)
        for chunk in retained { rest.retain(chunk) }
        guard row < count else { return }
        // Where schemas alternate a row is split off many times, so each time has to be cheap.
        rest.appendRows(count - row)
        for target in rest.indices {
            let metadata = rest.metadata(target)
            metadata.pointee = metadataBase[row &+ target]
            metadata.pointee.raw = rest.keep(metadata.pointee.raw)
            if metadata.pointee.headersLength > 0 {
                metadata.pointee.headers = rest.keep(metadata.pointee.headers)
            }
            rest.row(target).pointee =
                metadata.pointee.isTombstone ? .null : .slice(.bytes, metadata.pointee.raw)
            guard let key = rest.keyRow(target), let ownKey = keyRow(row &+ target) else {
                continue
            }
            key.update(from: ownKey, count: keyStride)
            for column in 0..<keyStride where key[column].isSlice {
                key[column] = .slice(key[column].tag, rest.keep(key[column].slice))
            }
        }
        rowCount = row
    }

    /// Returns the bytes where they are if a retained chunk holds them, else a copy of them.
    @inline(__always)
    private func keep(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return bytes }
        if let chunk = retained.last, start >= chunk.base, start < chunk.base + chunk.capacity {
            return bytes
        }
        return keepElsewhere(bytes, start)
    }

    @inline(never)
    private func keepElsewhere(
        _ bytes: UnsafeRawBufferPointer,
        _ start: UnsafeRawPointer
    ) -> UnsafeRawBufferPointer {
        for chunk in retained.reversed()
        where start >= chunk.base && start < chunk.base + chunk.capacity { return bytes }
        return arena.copy(bytes)
    }

    @usableFromInline
    internal func moveRow(_ from: Int, to: Int) {
        (cells + to * rowStride).update(from: cells + from * rowStride, count: rowStride)
        metadataBase[to] = metadataBase[from]
        if let keyCells {
            (keyCells + to * keyStride).update(
                from: keyCells + from * keyStride,
                count: keyStride
            )
        }
    }
}

/// A record that could not be processed, with what is needed to put it into a dead letter topic.
public struct RejectedRecord: Sendable {
    /// Why it was rejected.
    public var error: ConnectorError
    /// The value's bytes as they arrived; empty when the source had none.
    public var value: [UInt8]
    /// The topic it came from or was going to.
    public var topic: String
    /// Where it was read, such as a file's path or a table; `nil` when unknown.
    public var origin: String?
    /// The partition it came from, or -1.
    public var partition: Int32
    /// Its offset in the partition, or its byte offset in the source; -1 when unknown.
    public var offset: Int64
    /// Its line or row number in the source, counted from 1; 0 when unknown.
    public var line: Int64
    /// Its timestamp, or ``RecordMetadata/noTimestamp``.
    public var timestamp: Int64
    /// The headers in Kafka's record encoding.
    public var headers: [UInt8]
    /// The number of headers.
    public var headerCount: Int
    /// Whether the value was null.
    public var isTombstone: Bool
    /// Whether ``value`` is not the whole record, as of one that is too long to be kept.
    ///
    /// Such a record is never put back as it is. (D6)
    public var isCut: Bool
    /// The row it had in its batch, or -1 when it never became one.
    public var row: Int
    /// Its ``RecordMetadata/sequence``.
    public var sequence: UInt32

    /// Describes a record that never became a row.
    public init(
        error: ConnectorError,
        topic: String,
        value: some Collection<UInt8>,
        offset: Int64 = -1,
        line: Int64 = 0
    ) {
        self.error = error
        self.topic = topic
        self.value = Array(value)
        self.offset = offset
        self.line = line
        partition = -1
        timestamp = RecordMetadata.noTimestamp
        headers = []
        headerCount = 0
        isTombstone = false
        isCut = false
        row = -1
        sequence = 0
    }

    internal init(row: Int, of batch: RecordBatch, error: ConnectorError) {
        let metadata = batch[metadata: row]
        self.init(
            error: error,
            topic: batch.topic,
            value: metadata.raw,
            offset: metadata.offset,
            line: metadata.line
        )
        partition = metadata.partition
        timestamp = metadata.timestamp
        headers = Array(metadata.headers)
        headerCount = Int(metadata.headerCount)
        isTombstone = metadata.isTombstone
        origin = batch.origin
        sequence = metadata.sequence
        self.row = row
    }
}
