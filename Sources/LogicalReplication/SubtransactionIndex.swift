/// Knows where the messages of each subtransaction begin among those of their transaction.
///
/// A subtransaction that is rolled back has nothing but its own messages and those of its children
/// behind its first one, so cutting there removes it, and only it.
internal struct SubtransactionIndex {
    private struct Entry {
        var transaction: UInt32
        /// Numbers wrap around, so they are compared by their distance from the transaction's own.
        var largestDistance: UInt32
        var offset: Int
    }

    private let top: UInt32
    private var entries: [Entry] = []
    private var last: UInt32

    internal init(of transaction: UInt32) {
        top = transaction
        last = transaction
    }

    internal var count: Int { entries.count }

    /// Notes that a message stands at `offset`, behind all those noted before.
    @inline(__always)
    internal mutating func note(_ transaction: UInt32, at offset: Int) {
        if transaction == last { return }
        noteChange(to: transaction, at: offset)
    }

    private mutating func noteChange(to transaction: UInt32, at offset: Int) {
        last = transaction
        guard transaction != top, find(transaction) == nil else { return }
        let distance = max(transaction &- top, entries.last?.largestDistance ?? 0)
        entries.append(
            Entry(transaction: transaction, largestDistance: distance, offset: offset)
        )
    }

    /// Forgets a subtransaction and all that came after its first message.
    ///
    /// - Returns: where it begins, or `nil` when it has no messages.
    internal mutating func cut(_ transaction: UInt32) -> Int? {
        guard let index = find(transaction) else { return nil }
        let offset = entries[index].offset
        entries.removeSubrange(index...)
        // Whatever comes next is looked up.
        last = top
        return offset
    }

    /// Numbers ascend almost always; only a parent may have its first message after a child's.
    private func find(_ transaction: UInt32) -> Int? {
        let distance = transaction &- top
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].largestDistance < distance {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return entries[low...].firstIndex { $0.transaction == transaction }
    }
}
