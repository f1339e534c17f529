import ConnectorSDK

/// Rows of a batch that are being filled with records of a few columns or many.
///
/// Kept on the stack, so that the loop over records touches no object.
struct XMLBlock {
    let batch: RecordBatch
    /// The number of rows filled.
    private(set) var used = 0

    private var cells: UnsafeMutablePointer<Cell>
    private var metadata: UnsafeMutablePointer<RecordMetadata>
    private var stride: Int
    private var columnCount: Int
    private let first: Int
    private let rows: Int
    private let keyCount: Int

    /// Sets rows aside, at most `limit`; ``end()`` gives back those not used.
    init(_ batch: RecordBatch, limit: Int) {
        self.batch = batch
        first = batch.count
        stride = batch.stride
        columnCount = batch.schema.count
        keyCount = batch.keySchema?.count ?? 0
        let room = min(limit, RecordBatch.rowLimit - first, RecordBatch.cellLimit / stride - first)
        rows = max(1, room)
        batch.appendRows(rows)
        cells = batch.row(first)
        metadata = batch.metadata(first)
    }

    var isFull: Bool {
        used == rows || (stride > 1_024 && (first + used) * stride >= RecordBatch.cellLimit)
    }

    /// Makes the next row the record whose cells `columns` has, which become missing.
    @inline(__always)
    mutating func append(_ columns: XMLColumns, _ value: RecordMetadata) {
        if columns.count != columnCount { widen(to: columns.schema) }
        let target = cells + used * stride
        columns.move(to: target)
        var column = columnCount
        while column < stride {
            target[column] = .missing
            column += 1
        }
        if keyCount > 0, let key = batch.keyRow(first + used) {
            for column in 0..<keyCount { key[column] = .missing }
        }
        (metadata + used).initialize(to: value)
        used += 1
    }

    private mutating func widen(to schema: Schema) {
        batch.widen(to: schema)
        columnCount = schema.count
        stride = batch.stride
        cells = batch.row(first)
        metadata = batch.metadata(first)
    }

    /// Gives back the rows that were not used.
    func end() { batch.removeLast(rows - used) }
}
