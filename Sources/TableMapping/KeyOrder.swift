internal import ConnectorSDK
internal import Glibc

/// Whether a batch's rows ascend by key, and how they would.
///
/// Writing in the order of the key touches each page of a table once.
internal struct KeyOrder {
    internal enum Finding {
        /// Which rows share a key is not known.
        case unknown
        /// The rows ascend by key.
        case ascending
        case unordered
    }

    /// One key column's cells.
    private struct Column {
        var cells: UnsafeMutablePointer<Cell>
        var stride: Int
        var tag: Cell.Tag

        @inline(__always)
        subscript(row: UInt32) -> Cell { cells[Int(row) &* stride] }
    }

    private struct Pair {
        var key: Int64
        var row: UInt32
    }

    private var columns: [Column] = []
    private var pairs: [Pair] = []
    private var finding = Finding.unknown

    /// Looks at the keys of a batch; what it finds holds for the same batch only.
    internal mutating func examine(_ batch: RecordBatch, _ key: [BatchPlanner.KeyColumn]) -> Finding
    {
        finding = .unknown
        columns.removeAll(keepingCapacity: true)
        guard batch.count > 0, !key.isEmpty else { return finding }
        for column in key {
            guard let cells = Self.cells(batch, column.origin),
                column.comparable.contains(cells.tag)
            else { return finding }
            columns.append(cells)
        }
        guard haveOneType(batch.count) else { return finding }
        finding = .ascending
        for row in 1..<UInt32(max(batch.count, 1)) where compare(row - 1, row) > 0 {
            finding = .unordered
            break
        }
        return finding
    }

    private static func cells(_ batch: RecordBatch, _ origin: CellOrigin) -> Column? {
        switch origin {
        case .value(let column):
            let first = batch.row(0) + column
            return Column(cells: first, stride: batch.stride, tag: first.pointee.tag)
        case .key(let column):
            guard let keys = batch.keyRow(0), let schema = batch.keySchema else { return nil }
            let first = keys + column
            return Column(cells: first, stride: schema.count, tag: first.pointee.tag)
        case .topic, .partition, .offset: return nil
        }
    }

    private func haveOneType(_ count: Int) -> Bool {
        for column in columns {
            for row in 0..<UInt32(count) where column[row].tag != column.tag { return false }
        }
        return true
    }

    @inline(__always)
    private func compare(_ left: UInt32, _ right: UInt32) -> Int {
        for column in columns {
            let a = column[left], b = column[right]
            let difference =
                a.isSlice
                ? Self.compareBytes(a, b) : (a.int64 < b.int64 ? -1 : a.int64 > b.int64 ? 1 : 0)
            if difference != 0 { return difference }
        }
        return 0
    }

    private static func compareBytes(_ left: Cell, _ right: Cell) -> Int {
        let a = left.slice, b = right.slice
        let common = min(a.count, b.count)
        if common > 0, let first = a.baseAddress, let second = b.baseAddress {
            let difference = memcmp(first, second, common)
            if difference != 0 { return Int(difference) }
        }
        return a.count - b.count
    }

    /// Puts the rows in ascending order of their keys; rows of one key keep their order.
    internal mutating func sort(_ count: Int, into order: inout [UInt32]) {
        order.removeAll(keepingCapacity: true)
        order.append(contentsOf: 0..<UInt32(count))
        if finding == .ascending { return }
        guard columns.count == 1, columns[0].tag == .int else {
            order.sort { left, right in
                let difference = compare(left, right)
                return difference != 0 ? difference < 0 : left < right
            }
            return
        }
        pairs.removeAll(keepingCapacity: true)
        for row in 0..<UInt32(count) {
            pairs.append(Pair(key: columns[0][row].int64, row: row))
        }
        pairs.sort { $0.key != $1.key ? $0.key < $1.key : $0.row < $1.row }
        for place in pairs.indices { order[place] = pairs[place].row }
    }

    /// Whether rows next to each other in an order have one key.
    @inline(__always)
    internal func isSameKey(_ left: UInt32, _ right: UInt32) -> Bool { compare(left, right) == 0 }
}
