internal import ConnectorSDK

/// Collects what records become when one becomes none or many, and makes batches of it.
///
/// All that a record becomes has its key, headers, timestamp and number (`sequence`), by which the
/// engine knows that it belongs together: it is delivered whole or becomes one dead letter. (D6)
internal struct RowSpread {
    private var rows: [Int] = []
    private var cells: [Cell] = []
    private var positions: [Int64] = []

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        cells.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
    }

    /// Adds one record: the one of `row` with another value in a field.
    mutating func append(_ row: Int, _ cell: Cell, at position: Int64) {
        rows.append(row)
        cells.append(cell)
        positions.append(position)
    }

    /// Takes back what was added for `row`, which was added last.
    mutating func remove(_ row: Int) {
        while rows.last == row {
            rows.removeLast()
            cells.removeLast()
            positions.removeLast()
        }
    }

    /// How many records there are for `row`, which was added last.
    func count(of row: Int) -> Int {
        var count = 0
        while count < rows.count, rows[rows.count - 1 - count] == row { count += 1 }
        return count
    }

    /// Makes the batches; `fill` puts a value and its position into a row.
    ///
    /// What one record becomes is in one batch, as long as that is not beyond all measure.
    func batches(
        of batch: RecordBatch,
        fill: (RecordBatch, Int, Cell, Int64) -> Void
    ) -> [RecordBatch] {
        var result: [RecordBatch] = []
        var start = 0
        while start < rows.count {
            var end = min(start + RecordBatch.rowLimit, rows.count)
            while end < rows.count, rows[end] == rows[end - 1] { end += 1 }
            let part = RecordBatch()
            part.copyRows(rows[start..<end], of: batch)
            part.retain(batch)
            for row in part.indices {
                fill(part, row, cells[start + row], positions[start + row])
            }
            result.append(part)
            start = end
        }
        return result
    }
}
