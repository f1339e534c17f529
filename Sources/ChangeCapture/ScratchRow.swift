internal import ConnectorSDK

/// Memory for the cells of one row, used again for the next.
internal final class ScratchRow {
    private var memory: UnsafeMutablePointer<Cell>
    private var capacity: Int

    init() {
        capacity = 64
        memory = .allocate(capacity: capacity)
    }

    deinit { memory.deallocate() }

    /// Room for so many cells; what was in it stays as long as it does not grow.
    func cells(_ count: Int) -> UnsafeMutablePointer<Cell> {
        if count > capacity {
            memory.deallocate()
            capacity = count
            memory = .allocate(capacity: count)
        }
        return memory
    }
}
