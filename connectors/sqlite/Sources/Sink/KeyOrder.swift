internal import CSQLiteShim
internal import ConnectorSDK
internal import Glibc

/// Whether a batch's rows ascend by key, and how they would.
///
/// Writing in the order of the key touches each page of the table once.
internal struct KeyOrder {
    internal enum Finding {
        /// Changing the order of rows could change what the table holds in the end.
        case unknown
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
    private var isAscending = true

    /// Looks at the keys of a batch; what it finds holds for the same batch only.
    internal mutating func examine(_ batch: RecordBatch, _ plan: WritePlan) -> Finding {
        columns.removeAll(keepingCapacity: true)
        guard plan.toleratesReordering, batch.count > 0 else { return .unknown }
        for column in plan.key {
            guard let cells = Self.cells(batch, column), Self.isComparable(column, cells, plan)
            else { return .unknown }
            columns.append(cells)
        }
        guard !columns.isEmpty, haveOneType(batch.count) else { return .unknown }
        isAscending = true
        for row in 1..<UInt32(max(batch.count, 1)) where compare(row - 1, row) > 0 {
            isAscending = false
            return .unordered
        }
        return .ascending
    }

    private static func cells(_ batch: RecordBatch, _ column: WritePlan.Column) -> Column? {
        let cell = Int(column.binding.cell)
        switch Int(column.binding.source) {
        case MR_FROM_VALUE:
            let first = batch.row(0) + cell
            return Column(cells: first, stride: batch.stride, tag: first.pointee.tag)
        case MR_FROM_KEY:
            guard let keys = batch.keyRow(0), let schema = batch.keySchema else { return nil }
            let first = keys + cell
            return Column(cells: first, stride: schema.count, tag: first.pointee.tag)
        default: return nil
        }
    }

    /// Whether different cells are different keys in the table, and the other way round.
    private static func isComparable(
        _ column: WritePlan.Column,
        _ cells: Column,
        _ plan: WritePlan
    ) -> Bool {
        let affinity = Int(column.binding.target) & ~MR_TARGET_IS_KEY
        switch cells.tag {
        case .int: return affinity != MR_TARGET_REAL
        case .string:
            return plan.table.keyIsBinary
                && (affinity == MR_TARGET_ANY || affinity == MR_TARGET_TEXT)
        default: return false
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
                column.tag == .int
                ? (a.int64 < b.int64 ? -1 : a.int64 > b.int64 ? 1 : 0) : Self.compareText(a, b)
            if difference != 0 { return difference }
        }
        return 0
    }

    private static func compareText(_ left: Cell, _ right: Cell) -> Int {
        let a = left.slice, b = right.slice
        let common = min(a.count, b.count)
        if common > 0, let first = a.baseAddress, let second = b.baseAddress {
            let difference = memcmp(first, second, common)
            if difference != 0 { return Int(difference) }
        }
        return a.count - b.count
    }

    /// The rows in ascending order of their keys; rows of one key keep their order.
    internal mutating func sorted(_ count: Int) -> [UInt32] {
        if isAscending { return Array(0..<UInt32(count)) }
        guard columns.count == 1, columns[0].tag == .int else {
            return (0..<UInt32(count)).sorted { left, right in
                let difference = compare(left, right)
                return difference != 0 ? difference < 0 : left < right
            }
        }
        pairs.removeAll(keepingCapacity: true)
        for row in 0..<UInt32(count) {
            pairs.append(Pair(key: columns[0][row].int64, row: row))
        }
        pairs.sort { $0.key != $1.key ? $0.key < $1.key : $0.row < $1.row }
        return pairs.map(\.row)
    }

    /// Whether rows that share a key also share a group, so that groups may be written apart.
    internal func equalKeysAgree(_ order: [UInt32], _ groups: [Int32]) -> Bool {
        for place in 1..<max(order.count, 1) {
            let left = order[place - 1], right = order[place]
            if groups[Int(left)] != groups[Int(right)], compare(left, right) == 0 { return false }
        }
        return true
    }
}

extension WritePlan {
    /// Whether nothing in the table can tell in which order rows of different keys are written.
    internal var toleratesReordering: Bool {
        let keys = Set(key.map { SQLText.fold($0.name) })
        return !keys.isEmpty && !table.hasTriggers && table.otherUniqueIndexes == 0
            && Set(table.keyColumns.map { SQLText.fold($0.name) }) == keys
    }
}
