internal import ConnectorSDK
internal import JSONRecords

/// A table in memory: rows of cells, found by the text of a key.
internal final class LookupTable {
    /// The names of the columns that rows have.
    let columns: [String]
    /// The memory that cells point to; batches that have them retain it.
    let memory = RecordBatch()
    private var index = NameTable()
    private var cells: [Cell] = []
    private var used = 0
    private let limit: Int

    init(columns: [String], limit: Int) {
        self.columns = columns
        self.limit = limit
        memory.reset(topic: "")
    }

    /// The number of rows.
    var count: Int { index.count }

    /// The values of a row, in the order of ``columns``.
    func values(for key: UnsafeRawBufferPointer?) -> ArraySlice<Cell>? {
        guard let key, let start = key.bindMemory(to: UInt8.self).baseAddress,
            let row = index.find(start, count: key.count)
        else { return nil }
        return cells[row * columns.count..<(row + 1) * columns.count]
    }

    /// Adds a row, whose slices are copied; of rows with one key the last counts.
    ///
    /// - Returns: `false` when it takes more memory than it may.
    func add(_ key: UnsafeRawBufferPointer, _ values: [Cell]) -> Bool {
        used += key.count + 64 + values.reduce(0) { $0 + 16 + ($1.isSlice ? Int($1.length) : 0) }
        guard used <= limit else { return false }
        // An empty key has an address, too.
        let copy = memory.arena.allocate(max(key.count, 1))
        if let start = key.baseAddress { copy.copyMemory(from: start, byteCount: key.count) }
        let name = UnsafePointer(copy.assumingMemoryBound(to: UInt8.self))
        let (row, isNew) = index.insert(name, count: key.count)
        let own = values.map { cell in
            cell.isSlice ? .slice(cell.tag, memory.arena.copy(cell.slice)) : cell
        }
        if isNew {
            cells += own
        } else {
            cells.replaceSubrange(row * columns.count..<(row + 1) * columns.count, with: own)
        }
        return true
    }
}
