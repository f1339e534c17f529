internal import ConnectorSDK
internal import JSONRecords

/// Where the parts of a record lie in the bytes that were written for it.
private struct RecordLayout {
    var before = 0
    var beforeEnd = 0
    var after = 0
    var afterEnd = 0
    var source = 0
    var sourceEnd = 0
    var transaction = 0
    var transactionEnd = 0
    var operation = 0
    var valueEnd = 0
    var headerCount: UInt32 = 1
}

/// The columns of an envelope.
private enum Column {
    static let before = 0, after = 1, source = 2, transaction = 3, operation = 4, time = 5
}

extension RecordText {
    /// Appends a change to a batch of the table's schema.
    ///
    /// - Returns: the bytes of its value.
    @inline(__always)
    func append(
        _ rows: Rows,
        _ operation: UInt8,
        _ table: CapturedTable,
        at position: UInt64,
        _ counter: TransactionCounter,
        to batch: RecordBatch
    ) throws(ConnectorError) -> Int {
        var layout = RecordLayout()
        try appendRows(rows, table, &layout)
        let isSnapshot = operation == ChangeOperation.read.rawValue
        appendTail(operation, table, position, counter, isSnapshot, &layout)
        if let header = rows.header, let other = rows.otherRow {
            try appendKeyHeader(header, table, other)
            layout.headerCount += 1
        }
        store(layout, rows, table, batch)
        return layout.valueEnd
    }

    /// Starts a value: `{"before":…,"after":…`.
    @inline(__always)
    private func appendRows(
        _ rows: Rows,
        _ table: CapturedTable,
        _ layout: inout RecordLayout
    ) throws(ConnectorError) {
        output.count = 0
        put(#"{"before":"#)
        layout.before = output.count
        if let cells = rows.before {
            try table.before.write(cells, to: output)
        } else {
            put("null")
        }
        layout.beforeEnd = output.count
        put(#","after":"#)
        layout.after = output.count
        if let cells = rows.after {
            try table.after.write(cells, to: output)
        } else {
            put("null")
        }
        layout.afterEnd = output.count
    }

    @inline(__always)
    private func put(_ text: StaticString) {
        var cursor = TextCursor(output.reserve(text.utf8CodeUnitCount))
        cursor.put(text)
        output.count &+= text.utf8CodeUnitCount
    }

    /// Everything behind the rows, and the headers that all changes have.
    @inline(__always)
    private func appendTail(
        _ operation: UInt8,
        _ table: CapturedTable,
        _ position: UInt64,
        _ counter: TransactionCounter,
        _ isSnapshot: Bool,
        _ layout: inout RecordLayout
    ) {
        let moment = isSnapshot ? snapshotMoment : self.moment
        // The parts of known length, and room for numbers, names and lengths.
        let most =
            table.source.count &+ moment.count &+ told.count &+ clock.count &+ mark.count
            &+ table.header.count &+ 320
        let start = output.reserve(most)
        let base = output.base
        var cursor = TextCursor(start)
        // The name and colon before the object are not part of it.
        layout.source = start - base + Envelope.sourceName.utf8CodeUnitCount
        cursor.put(table.source.start, table.source.count)
        cursor.put(moment.bytes)
        cursor.put(number: position)
        if let between {
            cursor.put(between.start, between.count)
            cursor.put(number: position)
        }
        cursor.put(UInt8(ascii: "}"))
        layout.sourceEnd = cursor.next - base
        if isSnapshot || told.count == 0 {
            cursor.put(#","transaction":null"#)
        } else {
            layout.transaction = cursor.next - base + Envelope.transactionName.utf8CodeUnitCount
            cursor.put(told.bytes)
            cursor.put(number: counter.events)
            cursor.put(#","data_collection_order":"#)
            cursor.put(number: table.events)
            cursor.put(UInt8(ascii: "}"))
            layout.transactionEnd = cursor.next - base
        }
        cursor.put(#","op":""#)
        layout.operation = cursor.next - base
        cursor.put(operation)
        cursor.put(#"","ts_ms":"#)
        cursor.put(clock.bytes)
        cursor.put(UInt8(ascii: "}"))
        layout.valueEnd = cursor.next - base
        cursor.put(table.header.start, table.header.count)
        if !isSnapshot {
            putMark(counter.records, &cursor)
            layout.headerCount = 2
        }
        output.count = cursor.next - base
    }

    /// The header with the place in the transaction.
    @inline(__always)
    private func putMark(_ order: UInt64, _ cursor: inout TextCursor) {
        let name = CapturedChangeHeader.transaction
        // Zig-zag doubles a length; both are below 64, so one byte holds them.
        cursor.put(UInt8(truncatingIfNeeded: name.utf8CodeUnitCount &<< 1))
        cursor.put(name)
        let length = mark.count &+ TextCursor.digits(of: order)
        cursor.put(UInt8(truncatingIfNeeded: length &<< 1))
        cursor.put(mark.bytes)
        cursor.put(number: order)
    }

    private func appendKeyHeader(
        _ header: Key.Header,
        _ table: CapturedTable,
        _ row: UnsafePointer<Cell>
    ) throws(ConnectorError) {
        guard let schema = table.keySchema else { return }
        let cells = UnsafeMutablePointer<Cell>.allocate(capacity: table.keyColumns.count)
        defer { cells.deallocate() }
        for index in 0..<table.keyColumns.count { cells[index] = keyCell(index, table, row, nil) }
        let key = OutputBuffer(capacity: 256)
        try keyWriter.writeObject(cells, of: schema, into: key)
        HeaderWriter.append(header.rawValue, key.text, to: output)
    }

    /// Copies what was written into the batch, as one more record.
    @inline(__always)
    private func store(
        _ layout: RecordLayout,
        _ rows: Rows,
        _ table: CapturedTable,
        _ batch: RecordBatch
    ) {
        let bytes = batch.arena.copy(output.bytes)
        guard let start = bytes.baseAddress else { return }
        @inline(__always)
        func slice(_ tag: Cell.Tag, _ from: Int, _ to: Int) -> Cell {
            .slice(tag, UnsafeRawBufferPointer(start: start + from, count: to &- from))
        }
        let row = batch.appendRow()
        let cells = batch.row(row)
        cells[Column.before] =
            rows.before == nil ? .null : slice(.json, layout.before, layout.beforeEnd)
        cells[Column.after] =
            rows.after == nil ? .null : slice(.json, layout.after, layout.afterEnd)
        cells[Column.source] = slice(.json, layout.source, layout.sourceEnd)
        cells[Column.transaction] =
            layout.transaction == 0
            ? .null : slice(.json, layout.transaction, layout.transactionEnd)
        cells[Column.operation] = slice(.string, layout.operation, layout.operation &+ 1)
        cells[Column.time] = .int(now)
        let metadata = batch.metadata(row)
        metadata.pointee.raw = UnsafeRawBufferPointer(start: start, count: layout.valueEnd)
        metadata.pointee.headers = UnsafeRawBufferPointer(
            start: start + layout.valueEnd,
            count: bytes.count &- layout.valueEnd
        )
        metadata.pointee.headerCount = layout.headerCount
        if let given = rows.given.after ?? rows.given.before {
            storeKey(table, given, rows.given.before, batch, row)
        }
    }

    @inline(__always)
    private func storeKey(
        _ table: CapturedTable,
        _ row: UnsafePointer<Cell>,
        _ other: UnsafePointer<Cell>?,
        _ batch: RecordBatch,
        _ number: Int
    ) {
        guard table.keySchema != nil, let key = batch.keyRow(number) else { return }
        for index in 0..<table.keyColumns.count {
            let cell = keyCell(index, table, row, other)
            key[index] = cell.isSlice ? .slice(cell.tag, batch.arena.copy(cell.slice)) : cell
        }
    }

    @inline(__always)
    private func keyCell(
        _ index: Int,
        _ table: CapturedTable,
        _ row: UnsafePointer<Cell>,
        _ other: UnsafePointer<Cell>?
    ) -> Cell {
        let column = table.keyColumns[index]
        var cell = row[column]
        // A large key that did not change is not told again.
        if cell.tag == .missing, let other { cell = other[column] }
        if table.keyIsPlain { return cell }
        return conversion.convert(cell, by: table.keyPlans[index].conversion)
    }

    /// Appends a record with the key of a row and no value.
    func appendTombstone(
        _ table: CapturedTable,
        _ row: UnsafePointer<Cell>,
        _ counter: TransactionCounter,
        to batch: RecordBatch
    ) {
        conversion.begin()
        output.count = 0
        let most = table.header.count &+ mark.count &+ 64
        let start = output.reserve(most)
        var cursor = TextCursor(start)
        cursor.put(table.header.start, table.header.count)
        putMark(counter.records, &cursor)
        output.count = cursor.next - start
        let number = batch.appendRow()
        let metadata = batch.metadata(number)
        metadata.pointee.isTombstone = true
        metadata.pointee.headers = batch.arena.copy(output.bytes)
        metadata.pointee.headerCount = 2
        storeKey(table, row, nil, batch, number)
    }
}
