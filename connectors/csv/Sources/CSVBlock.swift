import ConnectorSDK

/// Rows of a batch that are being filled, and the reader's place meanwhile.
///
/// Kept on the stack, so that the loop over records touches no object.
struct CSVBlock {
    let batch: RecordBatch
    /// The number of rows filled.
    private(set) var used = 0
    /// The place of the record that comes next.
    var position: ReaderPosition
    /// The cells of the row that comes next.
    private(set) var cells: UnsafeMutablePointer<Cell>

    private var metadata: UnsafeMutablePointer<RecordMetadata>
    private let rows: Int
    private let stride: Int
    private let columnCount: Int
    private let keyCount: Int
    private let first: Int

    init(
        batch: RecordBatch,
        first: Int,
        rows: Int,
        columns: CSVColumns,
        position: ReaderPosition
    ) {
        self.batch = batch
        self.first = first
        self.rows = rows
        self.position = position
        stride = batch.stride
        columnCount = columns.count
        keyCount = batch.keySchema?.count ?? 0
        cells = batch.row(first)
        metadata = batch.metadata(first)
    }

    var isFull: Bool { used == rows }

    var place: CSVPlace { CSVPlace(line: position.line, byte: position.byte) }

    /// Makes the row a record.
    @inline(__always)
    mutating func accept(_ raw: UnsafeRawBufferPointer) {
        var value = RecordMetadata()
        value.line = position.line
        value.offset = position.byte
        value.raw = raw
        metadata.initialize(to: value)
        var column = columnCount
        while column < stride {
            cells[column] = .missing
            column += 1
        }
        if keyCount > 0 { clearKey() }
        position.record &+= 1
        used += 1
        cells += stride
        metadata += 1
    }

    private func clearKey() {
        guard let key = batch.keyRow(first + used) else { return }
        for column in 0..<keyCount { key[column] = .missing }
    }

    /// Rejects a record, whose row is used for the next one.
    mutating func reject(_ raw: UnsafeRawBufferPointer, _ error: ConnectorError) {
        reject(raw, error, line: position.line)
    }

    /// Rejects a record with misplaced quotes, or too many or few cells.
    mutating func reject(
        _ raw: UnsafeRawBufferPointer,
        _ scanner: CSVScanner,
        _ columns: CSVColumns
    ) {
        switch scanner.problem {
        case .none:
            reject(raw, .csvRagged(place, found: scanner.cellCount, expected: columns.count))
        case .textAfterQuote(let cell):
            let name = cell < columns.count ? columns.schema.fields[cell].name : nil
            reject(raw, .csvTextAfterQuote(place, cell: cell, name: name))
        case .unterminatedQuote(let lines):
            var opened = place
            opened.line &+= Int64(lines)
            reject(raw, .csvUnterminated(opened), line: opened.line)
        }
    }

    private mutating func reject(
        _ raw: UnsafeRawBufferPointer,
        _ error: ConnectorError,
        line: Int64
    ) {
        position.record &+= 1
        batch.reject(
            RejectedRecord(
                error: error,
                topic: batch.topic,
                value: raw,
                offset: position.byte,
                line: line
            )
        )
    }
}
