internal import ConnectorSDK
internal import PostgresRecords
internal import TableMapping

/// Writes rows of batches as the data of a COPY.
internal struct RowEncoder {
    internal struct Column {
        internal var name: String
        internal var origin: CellOrigin
        internal var encoder: CellEncoder
    }

    /// The form of COPY's data.
    internal enum Form: String {
        case binary, text
    }

    /// A value that its column cannot have.
    internal struct Refusal: Error {
        internal var column: Int
        internal var row: Int
        internal var problem: EncodingProblem
    }

    /// Where the cells of a column are in the batch at hand.
    private struct Cells {
        var first: UnsafePointer<Cell>?
        var stride: Int
        /// What every row has, where there are no cells.
        var constant: Cell
        var isOffset: Bool
    }

    internal let columns: [Column]
    private let scratch = OutputBuffer(capacity: 4 << 10)

    internal init(_ columns: [Column]) { self.columns = columns }

    /// Whether the server takes all columns in binary form.
    internal var hasBinary: Bool { columns.allSatisfy(\.encoder.kind.hasBinary) }

    /// Appends rows of a batch.
    ///
    /// - Parameters:
    ///   - batch: the rows.
    ///   - run: which of them; places in `order`, or rows if that is empty.
    ///   - order: the rows in the order to be written.
    ///   - form: how they are written.
    ///   - output: gets the data.
    /// - Throws: the first value that its column cannot have; what was appended is taken back then.
    internal func append(
        _ batch: RecordBatch,
        _ run: BatchPlanner.Run,
        order: [UInt32],
        as form: Form,
        to output: OutputBuffer
    ) throws(Refusal) {
        let start = output.count
        var topic = batch.topic
        let refusal: Refusal? = topic.withUTF8 { topic in
            let topicCell = Cell.slice(.string, UnsafeRawBufferPointer(topic))
            let cells = columns.map { Self.cells($0.origin, batch, topic: topicCell) }
            return cells.withUnsafeBufferPointer { cells in
                form == .binary
                    ? appendBinary(batch, run, order, cells, output)
                    : appendText(batch, run, order, cells, output)
            }
        }
        guard let refusal else { return }
        output.count = start
        throw refusal
    }

    private static func cells(_ origin: CellOrigin, _ batch: RecordBatch, topic: Cell) -> Cells {
        switch origin {
        case .value(let column):
            Cells(
                first: UnsafePointer(batch.row(0) + column),
                stride: batch.stride,
                constant: .null,
                isOffset: false
            )
        case .key(let column):
            Cells(
                first: batch.keyRow(0).map { UnsafePointer($0 + column) },
                stride: batch.keySchema?.count ?? 0,
                constant: .null,
                isOffset: false
            )
        case .topic: Cells(first: nil, stride: 0, constant: topic, isOffset: false)
        case .partition:
            Cells(
                first: nil,
                stride: 0,
                constant: .int(Int64(batch[metadata: 0].partition)),
                isOffset: false
            )
        case .offset: Cells(first: nil, stride: 0, constant: .null, isOffset: true)
        }
    }

    @inline(__always)
    private func cell(_ cells: Cells, _ row: Int, _ batch: RecordBatch) -> Cell {
        if let first = cells.first { return first[row &* cells.stride] }
        return cells.isOffset ? .int(batch.metadata(row).pointee.offset) : cells.constant
    }

    private func appendBinary(
        _ batch: RecordBatch,
        _ run: BatchPlanner.Run,
        _ order: [UInt32],
        _ cells: UnsafeBufferPointer<Cells>,
        _ output: OutputBuffer
    ) -> Refusal? {
        var cursor = CopyCursor(output)
        let count = Int16(truncatingIfNeeded: columns.count)
        return columns.withUnsafeBufferPointer { columns in
            for place in run.first..<run.first + run.count {
                let row = order.isEmpty ? place : Int(order[place])
                cursor.put(count)
                for column in columns.indices {
                    let cell = cell(cells[column], row, batch)
                    if let problem = columns[column].encoder.binary(cell, &cursor) {
                        return Refusal(column: column, row: row, problem: problem)
                    }
                }
            }
            cursor.commit()
            return nil
        }
    }

    private func appendText(
        _ batch: RecordBatch,
        _ run: BatchPlanner.Run,
        _ order: [UInt32],
        _ cells: UnsafeBufferPointer<Cells>,
        _ output: OutputBuffer
    ) -> Refusal? {
        for place in run.first..<run.first + run.count {
            let row = order.isEmpty ? place : Int(order[place])
            for column in columns.indices {
                if column > 0 { output.append(UInt8(ascii: "\t")) }
                let cell = cell(cells[column], row, batch)
                let problem = columns[column].encoder.text(cell, scratch: scratch, to: output)
                if let problem { return Refusal(column: column, row: row, problem: problem) }
            }
            output.append(UInt8(ascii: "\n"))
        }
        return nil
    }
}
