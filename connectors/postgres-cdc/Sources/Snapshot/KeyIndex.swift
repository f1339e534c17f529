internal import ConnectorSDK

/// Rows by their keys.
internal struct KeyIndex {
    private let columns: [Int]
    private var first: [UInt64: Int] = [:]
    /// For each row the next one whose key has the same hash, or -1.
    private var next: [Int] = []

    /// Makes an empty index over columns of rows.
    internal init(_ columns: [Int]) { self.columns = columns }

    /// Adds the next row.
    internal mutating func append(_ cells: UnsafePointer<Cell>) {
        let hash = hash(cells)
        next.append(first[hash] ?? -1)
        first[hash] = next.count - 1
    }

    /// The number of the row with the same key as `cells`; `rows` gives the cells of a row.
    internal func row(
        like cells: UnsafePointer<Cell>,
        in rows: (Int) -> UnsafePointer<Cell>
    ) -> Int? {
        var row = first[hash(cells)] ?? -1
        while row >= 0 {
            let other = rows(row)
            if columns.allSatisfy({ Self.areEqual(cells[$0], other[$0]) }) { return row }
            row = next[row]
        }
        return nil
    }

    private func hash(_ cells: UnsafePointer<Cell>) -> UInt64 {
        // FNV-1a, by words of inline values and by bytes of others.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for column in columns {
            let cell = cells[column]
            if cell.isSlice {
                for byte in cell.slice { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            } else {
                hash = (hash ^ cell.bits) &* 0x100_0000_01B3
                hash ^= hash >> 32
            }
        }
        return hash
    }

    private static func areEqual(_ left: Cell, _ right: Cell) -> Bool {
        guard left.tag == right.tag else { return false }
        if left.isSlice { return left.slice.elementsEqual(right.slice) }
        return left.bits == right.bits && left.length == right.length && left.scale == right.scale
    }
}
