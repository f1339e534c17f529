/// Finds the index of a name among many, by its bytes and without a `String`.
///
/// Names are remembered by address. Their memory outlives the table's use and, like all slices, may
/// be read for 8 bytes behind its end. The hash is seeded, so that nobody can write an
/// object whose names all collide.
public struct NameTable {
    private struct Name {
        var start: UnsafePointer<UInt8>
        var count: Int
        var hash: UInt64
    }

    private static let seed = UInt64.random(in: 0 ... .max)
    private var names: [Name] = []
    /// Generation in the upper half, index in the lower: emptying is one addition.
    private var slots: [UInt64] = Array(repeating: 0, count: 64)
    private var generation: UInt64 = 1
    private let seed = Self.seed

    /// Makes an empty table.
    public init() {}

    /// The number of names.
    public var count: Int { names.count }

    /// The index of a name, or `nil`.
    public func find(_ start: UnsafePointer<UInt8>, count: Int) -> Int? {
        find(start, count: count, hash: hash(start, count: count)).index
    }

    /// The index of a name, which is added when it is new.
    public mutating func insert(
        _ start: UnsafePointer<UInt8>,
        count: Int
    ) -> (index: Int, isNew: Bool) {
        let hash = hash(start, count: count)
        let found = find(start, count: count, hash: hash)
        if let index = found.index { return (index, false) }
        names.append(Name(start: start, count: count, hash: hash))
        slots[found.slot] = generation << 32 | UInt64(names.count - 1)
        if names.count * 2 > slots.count { grow() }
        return (names.count - 1, true)
    }

    /// Forgets all names.
    public mutating func removeAll() {
        names.removeAll(keepingCapacity: true)
        generation = (generation &+ 1) & 0xFFFF_FFFF
        guard generation == 0 else { return }
        for slot in slots.indices { slots[slot] = 0 }
        generation = 1
    }

    private func find(
        _ start: UnsafePointer<UInt8>,
        count: Int,
        hash: UInt64
    ) -> (index: Int?, slot: Int) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >> 32 == generation {
            let index = Int(slots[slot] & 0xFFFF_FFFF)
            let name = names[index]
            if name.hash == hash, name.count == count,
                Bytes.equal(name.start, start, count: count)
            {
                return (index, slot)
            }
            slot = (slot + 1) & mask
        }
        return (nil, slot)
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (index, name) in names.enumerated() {
            var slot = Int(truncatingIfNeeded: name.hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = generation << 32 | UInt64(index)
        }
    }

    @inline(__always)
    private func hash(_ start: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: count)
        var at = 0
        while at < count {
            let word = Bytes.word(start + at, count: min(8, count - at))
            let product = (state ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            state = product.high ^ product.low
            at += 8
        }
        return state ^ state >> 29
    }
}

/// Comparisons of 8 bytes at a time, which read up to 7 bytes behind what they compare.
internal enum Bytes {
    /// Up to 8 bytes, the first lowest, zeros above.
    @inline(__always)
    static func word(_ start: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        let word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
        return count >= 8 ? word : word & ((1 << UInt64(count &* 8)) &- 1)
    }

    /// Whether `count` bytes are the same.
    @inline(__always)
    static func equal(
        _ left: UnsafePointer<UInt8>,
        _ right: UnsafePointer<UInt8>,
        count: Int
    ) -> Bool {
        var at = 0
        while count &- at >= 8 {
            let a = UnsafeRawPointer(left + at).loadUnaligned(as: UInt64.self)
            let b = UnsafeRawPointer(right + at).loadUnaligned(as: UInt64.self)
            if a != b { return false }
            at &+= 8
        }
        if at == count { return true }
        return word(left + at, count: count &- at) == word(right + at, count: count &- at)
    }
}
