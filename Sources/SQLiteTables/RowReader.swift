internal import CSQLiteShim
public import ConnectorSDK
public import SQLiteClient
public import TableMapping

/// Fills batches with the rows of a statement, whose last columns are what orders the rows.
public final class RowReader {
    /// How a batch came to its end.
    public enum Ending {
        /// The batch is full; the last row read is in it.
        case full
        /// There are no more rows.
        case end
        /// The next row needs another schema.
        case otherSchema
    }

    /// Text and bytes are copied into pieces of this size, of the batch's arena.
    private static let slabSize = 64 << 10

    /// The columns of the rows.
    public let rows: RowSchema
    private let keyColumns: [Int]
    private let orderCount: Int
    private let orderCells: UnsafeMutablePointer<mr_cell>
    // These change with every row, for an instant each or in calls that do not come back here: a
    // check at run time would cost several times the change.
    @exclusivity(unchecked) private var slab = mr_slab()
    @exclusivity(unchecked) private var isOnRow = false
    /// Whether ``lastOrder`` has been set since it was taken.
    @exclusivity(unchecked) private var hasOrder = false
    /// Called for each row's order, before the row's successor is read.
    @exclusivity(unchecked) public var onRow: ((UnsafePointer<Cell>) -> Void)?

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - rows: the columns, which are the statement's first.
    ///   - keyColumns: those that are copied to the keys.
    ///   - orderCount: how many columns behind them order the rows.
    public init(_ rows: RowSchema, keyColumns: [Int], orderCount: Int) {
        self.rows = rows
        self.keyColumns = keyColumns
        self.orderCount = orderCount
        orderCells = .allocate(capacity: max(orderCount, 1))
    }

    deinit { orderCells.deallocate() }

    /// Forgets the row that the statement is on, because it was reset.
    public func rewind() { isOnRow = false }

    /// Goes to a row that has not been read; `false` when there is none.
    public func advance(_ statement: SQLiteStatement) throws(SQLiteFailure) -> Bool {
        if !isOnRow { isOnRow = try statement.step() }
        return isOnRow
    }

    /// Adds rows to an empty batch of ``RowSchema/schema``.
    public func fill(
        _ batch: RecordBatch,
        from statement: SQLiteStatement,
        limit: Int,
        source: String
    ) throws(SQLiteFailure) -> Ending {
        slab = mr_slab()
        var bytes = 0
        var count = 0
        while try advance(statement) {
            let row = batch.appendRow()
            let result = read(statement, into: batch, row)
            switch Int(result) {
            case MR_ROW_READ: copyKey(batch, row)
            case MR_ROW_NOT_UTF8: reject(statement, batch, source)
            case MR_ROW_OTHER_TYPE:
                let tag = batch.row(row)[Int(slab.column)].tag
                batch.removeLast()
                rows.admit(tag, in: Int(slab.column))
                return .otherSchema
            default: throw SQLiteFailure(code: 7, message: "out of memory")
            }
            readOrder(statement, batch)
            isOnRow = false
            count += 1
            bytes += Int(slab.needed)
            if count >= limit || batch.isFull || bytes >= RecordBatch.byteLimit { return .full }
        }
        return .end
    }

    /// The values that order the last row read.
    public func takeOrder() -> [OrderValue]? {
        guard hasOrder else { return nil }
        hasOrder = false
        var values: [OrderValue] = []
        for index in 0..<orderCount {
            guard let value = OrderValue(order[index]) else { return nil }
            values.append(value)
        }
        return values
    }

    private var order: UnsafePointer<Cell> {
        UnsafeRawPointer(orderCells).assumingMemoryBound(to: Cell.self)
    }

    private func read(_ statement: SQLiteStatement, into batch: RecordBatch, _ row: Int) -> Int32 {
        let cells = UnsafeMutableRawPointer(batch.row(row)).assumingMemoryBound(to: mr_cell.self)
        let count = Int32(truncatingIfNeeded: rows.schema.count)
        return rows.columns.withUnsafeBufferPointer { columns in
            while true {
                let result = mr_row_read(
                    statement.pointer,
                    0,
                    count,
                    columns.baseAddress,
                    cells,
                    &slab
                )
                guard Int(result) == MR_ROW_NEEDS_ROOM else { return result }
                makeRoom(batch)
            }
        }
    }

    private func readOrder(_ statement: SQLiteStatement, _ batch: RecordBatch) {
        guard orderCount > 0 else { return }
        let needed = slab.needed
        let first = Int32(truncatingIfNeeded: rows.schema.count)
        let count = Int32(truncatingIfNeeded: orderCount)
        let pointer = statement.pointer
        while Int(mr_row_read(pointer, first, count, nil, orderCells, &slab)) == MR_ROW_NEEDS_ROOM {
            makeRoom(batch)
        }
        slab.needed += needed
        hasOrder = true
        onRow?(order)
    }

    private func makeRoom(_ batch: RecordBatch) {
        let size = max(Self.slabSize, Int(slab.needed))
        let start = batch.arena.allocate(size).assumingMemoryBound(to: UInt8.self)
        slab.next = start
        slab.end = start + size
    }

    private func copyKey(_ batch: RecordBatch, _ row: Int) {
        guard let key = batch.keyRow(row) else { return }
        let values = batch.row(row)
        for (index, column) in keyColumns.enumerated() { key[index] = values[column] }
    }

    /// D6: a text that is not UTF-8 has no place in a batch, so its row is rejected.
    private func reject(_ statement: SQLiteStatement, _ batch: RecordBatch, _ source: String) {
        batch.removeLast()
        let column = Int(slab.column)
        let error = ConnectorError(
            .init("sqlite.invalid_utf8"),
            .rejectRecord,
            "The text in \(source).\(rows.schema.fields[column].name) is not UTF-8.",
            hint: "Store such values as BLOB."
        )
        var record = RejectedRecord(
            error: error,
            topic: batch.topic,
            value: statement.text(column)
        )
        // The row's other values are not in it.
        record.isCut = true
        batch.reject(record)
    }
}
