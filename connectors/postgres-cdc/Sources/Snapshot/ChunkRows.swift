internal import ConnectorSDK

/// The rows of a chunk, kept until the stream has come as far as they are.
internal final class ChunkRows {
    private let columns: Int
    private var cells: UnsafeMutablePointer<Cell>
    private var capacity: Int
    private var arena = Arena()
    private var isGone: [Bool] = []
    private var index: KeyIndex
    /// The keys as the server writes them.
    internal private(set) var keys: [[String]] = []

    /// Makes room for rows of so many columns, of which some are the key.
    internal init(columns: Int, key: [Int]) {
        self.columns = max(columns, 1)
        capacity = 256
        cells = .allocate(capacity: capacity * self.columns)
        index = KeyIndex(key)
    }

    deinit { cells.deallocate() }

    /// The number of rows.
    internal var count: Int { isGone.count }

    /// The bytes that the rows take.
    internal var bytes: Int { arena.count + count * columns * MemoryLayout<Cell>.stride }

    /// Copies a row.
    internal func append(_ row: UnsafePointer<Cell>, key: [String]) {
        if count == capacity { grow() }
        let target = cells + count * columns
        for column in 0..<columns {
            let cell = row[column]
            target[column] = cell.isSlice ? .slice(cell.tag, arena.copy(cell.slice)) : cell
        }
        index.append(target)
        isGone.append(false)
        keys.append(key)
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Cell>.allocate(capacity: capacity * 2 * columns)
        larger.update(from: cells, count: capacity * columns)
        cells.deallocate()
        cells = larger
        capacity *= 2
    }

    /// The cells of a row; `nil` when it was removed.
    internal func row(_ number: Int) -> UnsafePointer<Cell>? {
        isGone[number] ? nil : UnsafePointer(cells + number * columns)
    }

    /// Removes the row with the same key as `cells` and returns its cells; `nil` when there is none.
    internal func remove(like cells: UnsafePointer<Cell>) -> UnsafePointer<Cell>? {
        guard let number = index.row(like: cells, in: { UnsafePointer(self.cells + $0 * columns) }),
            let row = row(number)
        else { return nil }
        isGone[number] = true
        return row
    }

    /// Removes all rows.
    internal func removeAll() {
        for number in isGone.indices { isGone[number] = true }
    }
}
