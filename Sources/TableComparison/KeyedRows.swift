internal import ConnectorSDK

/// Walks over a table in the order of its key, a batch at a time.
internal final class KeyedRows {
    private static let batchSize = 2_048

    private let table: any ComparableTable
    private let key: [String]
    private let batch = RecordBatch()
    private var row = 0
    private var last: [Value]?
    private var isAtEnd = false
    private var columns: (schema: Schema, key: [Int])?
    /// Rows walked over so far.
    internal private(set) var count = 0

    /// `key` names the key's columns in the order of the other side's.
    internal init(_ table: any ComparableTable, key: [String], after: [Value]?) {
        self.table = table
        self.key = key
        last = after
    }

    /// The row at hand, or `nil` at the end of the table.
    internal func current() throws(ConnectorError) -> Row? {
        if row == batch.count {
            guard !isAtEnd else { return nil }
            batch.reset(topic: table.name)
            row = 0
            try table.read(after: last, limit: Self.batchSize, into: batch)
            if let rejected = batch.takeRejections().first { throw rejected.error }
            isAtEnd = batch.count < Self.batchSize
            guard batch.count > 0 else { return nil }
            try checkOrder()
            last = Row(batch, batch.count - 1, try keyColumns()).key
        }
        return Row(batch, row, try keyColumns())
    }

    internal func advance() {
        row += 1
        count += 1
    }

    /// Rows in another order would look as if they were missing.
    private func checkOrder() throws(ConnectorError) {
        let key = try keyColumns()
        for row in 1..<max(batch.count, 1) {
            guard Row(batch, row - 1, key).order(to: Row(batch, row, key)) < 0 else {
                throw ConnectorError(
                    .init("verify.order"),
                    .failTask,
                    "The rows of \(table.name) do not come in the order of their key.",
                    hint: "The key must be unique, its text compared byte by byte."
                )
            }
        }
    }

    private func keyColumns() throws(ConnectorError) -> [Int] {
        if let columns, columns.schema === batch.schema { return columns.key }
        var found: [Int] = []
        for name in key {
            guard let column = batch.schema.index(of: name) else {
                throw ConnectorError(
                    .init("verify.no_key"),
                    .failTask,
                    "The table \(table.name) has no column `\(name)`."
                )
            }
            found.append(column)
        }
        columns = (batch.schema, found)
        return found
    }
}

/// A row and where its key is.
internal struct Row {
    internal let batch: RecordBatch
    internal let index: Int
    private let keyColumns: [Int]

    internal init(_ batch: RecordBatch, _ index: Int, _ keyColumns: [Int]) {
        self.batch = batch
        self.index = index
        self.keyColumns = keyColumns
    }

    internal var key: [Value] { keyColumns.map { Value(batch[index, $0]) } }

    /// Less than, equal to or greater than 0, as the key is to the other row's.
    internal func order(to other: Row) -> Int {
        for (own, others) in zip(keyColumns, other.keyColumns) {
            let order = CellComparison.order(batch[index, own], other.batch[other.index, others])
            if order != 0 { return order }
        }
        return 0
    }
}
