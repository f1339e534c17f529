/// The last offset of each key in a range of a partition, within a fixed amount of memory. (D7)
internal final class KeyOffsets {
    private struct Slot {
        var key: KeyHash.Value
        var offset: Int64
    }

    private let hash = KeyHash()
    private let slots: UnsafeMutablePointer<Slot>
    private let slotCount: Int
    private let limit: Int
    internal private(set) var count = 0

    /// Makes an empty map that takes at most `byteCount` bytes.
    internal init(byteCount: Int) {
        slotCount = max(byteCount / MemoryLayout<Slot>.stride, 64)
        limit = slotCount * 3 / 4
        slots = .allocate(capacity: slotCount)
        slots.initialize(
            repeating: Slot(key: KeyHash.Value(low: 0, high: 0), offset: -1),
            count: slotCount
        )
    }

    deinit { slots.deallocate() }

    /// Notes that `key` occurs at `offset`, later than before.
    ///
    /// - Returns: `false` when there is no room for another key; nothing is noted then.
    internal func set(_ key: UnsafeRawBufferPointer, _ offset: Int64) -> Bool {
        let value = hash(key)
        let index = slot(of: value)
        if slots[index].offset < 0 {
            guard count < limit else { return false }
            count += 1
            slots[index].key = value
        }
        slots[index].offset = offset
        return true
    }

    /// The last offset of `key`, or `nil` when it does not occur.
    internal func offset(of key: UnsafeRawBufferPointer) -> Int64? {
        let found = slots[slot(of: hash(key))].offset
        return found < 0 ? nil : found
    }

    private func slot(of value: KeyHash.Value) -> Int {
        var index = Int(value.low % UInt64(slotCount))
        while slots[index].offset >= 0, slots[index].key != value {
            index += 1
            if index == slotCount { index = 0 }
        }
        return index
    }
}
