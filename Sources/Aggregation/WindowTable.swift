internal import ConnectorSDK
internal import Glibc

/// The groups of one window, found by the bytes of their key.
internal final class WindowTable {
    internal struct Group {
        var hash: UInt64
        var keyOffset: Int
        var keyLength: Int
        /// The partition its records come from, or 0.
        var partition: Int32
        /// The time of its newest record, in milliseconds.
        var newest: Int64
        /// Whether the store does not know its present results yet.
        var isDirty: Bool
        /// Whether nobody was told its present results yet.
        var isUntold: Bool
    }

    /// The window's first millisecond.
    internal private(set) var start: Int64
    internal private(set) var count = 0
    /// The groups that changed since they were stored.
    @exclusivity(unchecked) internal var dirty: [Int] = []
    private let functions: Int
    @exclusivity(unchecked) private var slots: UnsafeMutablePointer<Int32>
    @exclusivity(unchecked) private var slotCount = 256
    @exclusivity(unchecked) private var groups: UnsafeMutablePointer<Group>
    @exclusivity(unchecked) private var accumulators: UnsafeMutablePointer<Accumulator>
    @exclusivity(unchecked) private var capacity = 64
    @exclusivity(unchecked) private var keys: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var keyCapacity = 4_096
    @exclusivity(unchecked) private var keyCount = 0

    internal init(start: Int64, functions: Int) {
        self.start = start
        self.functions = functions
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: -1, count: slotCount)
        groups = .allocate(capacity: capacity)
        accumulators = .allocate(capacity: capacity * functions)
        keys = .allocate(byteCount: keyCapacity, alignment: 8)
    }

    deinit {
        accumulators.deinitialize(count: count * functions)
        accumulators.deallocate()
        groups.deallocate()
        slots.deallocate()
        keys.deallocate()
    }

    /// Empties the table for another window.
    internal func reset(start: Int64) {
        self.start = start
        accumulators.deinitialize(count: count * functions)
        slots.update(repeating: -1, count: slotCount)
        count = 0
        keyCount = 0
        dirty.removeAll(keepingCapacity: true)
    }

    internal func group(_ index: Int) -> UnsafeMutablePointer<Group> { groups + index }

    /// The first of the group's accumulators, valid until the next group is made.
    @inline(__always)
    internal func accumulators(_ index: Int) -> UnsafeMutablePointer<Accumulator> {
        accumulators + index &* functions
    }

    internal func key(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: keys + groups[index].keyOffset,
            count: groups[index].keyLength
        )
    }

    /// Finds a group, or makes it.
    @inline(__always)
    internal func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int {
        var slot = Int(truncatingIfNeeded: hash) & (slotCount &- 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if groups[index].hash == hash, groups[index].keyLength == key.count {
                guard let start = key.baseAddress, key.count > 0 else { return index }
                if memcmp(keys + groups[index].keyOffset, start, key.count) == 0 { return index }
            }
            slot = (slot &+ 1) & (slotCount &- 1)
        }
        return insert(key, hash, at: slot)
    }

    @inline(never)
    private func insert(_ key: UnsafeRawBufferPointer, _ hash: UInt64, at slot: Int) -> Int {
        if count == capacity { growGroups() }
        if keyCount + key.count > keyCapacity { growKeys(by: key.count) }
        if let start = key.baseAddress, !key.isEmpty {
            (keys + keyCount).copyMemory(from: start, byteCount: key.count)
        }
        let index = count
        groups[index] = Group(
            hash: hash,
            keyOffset: keyCount,
            keyLength: key.count,
            partition: 0,
            newest: .min,
            isDirty: false,
            isUntold: false
        )
        (accumulators + index * functions).initialize(repeating: Accumulator(), count: functions)
        keyCount += key.count
        count += 1
        slots[slot] = Int32(index)
        if count * 2 > slotCount { growSlots() }
        return index
    }

    private func growGroups() {
        let larger = capacity * 2
        let newGroups = UnsafeMutablePointer<Group>.allocate(capacity: larger)
        newGroups.moveInitialize(from: groups, count: count)
        groups.deallocate()
        groups = newGroups
        let newOnes = UnsafeMutablePointer<Accumulator>.allocate(capacity: larger * functions)
        newOnes.moveInitialize(from: accumulators, count: count * functions)
        accumulators.deallocate()
        accumulators = newOnes
        capacity = larger
    }

    private func growKeys(by extra: Int) {
        let larger = max(keyCapacity * 2, keyCount + extra)
        let new = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 8)
        new.copyMemory(from: keys, byteCount: keyCount)
        keys.deallocate()
        keys = new
        keyCapacity = larger
    }

    private func growSlots() {
        slots.deallocate()
        slotCount *= 2
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: -1, count: slotCount)
        for index in 0..<count {
            var slot = Int(truncatingIfNeeded: groups[index].hash) & (slotCount - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slotCount - 1) }
            slots[slot] = Int32(index)
        }
    }

    private static let seed = UInt64.random(in: 0 ... .max)

    /// A hash that nobody outside can foresee.
    @inline(__always)
    internal static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: key.count)
        var at = 0
        while at &+ 8 <= key.count {
            hash = mix(hash ^ key.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at &+= 8
        }
        var rest: UInt64 = 0
        while at < key.count {
            rest = rest << 8 | UInt64(key[at])
            at &+= 1
        }
        return mix(hash ^ rest)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xBF58_476D_1CE4_E5B9)
        return product.high ^ product.low
    }
}
