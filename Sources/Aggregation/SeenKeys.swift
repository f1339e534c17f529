internal import ConnectorSDK
internal import Glibc

/// Keys in the order in which they were first seen, up to a number of them.
internal struct SeenKeys {
    internal struct Entry {
        var key: [UInt8]
        /// The time of the record, in milliseconds.
        var time: Int64
        /// Whether its newest record was a deletion.
        var isDeleted = false
        /// Counts up from the first key that this process knows; in the store, from the first of all.
        var number: Int64
        /// The partition it came from, or 0.
        var partition: Int32

        /// What the store has for the key, when so many numbers were given out before.
        func value(behind base: Int64) -> [UInt8] {
            var bytes: [UInt8] = []
            CellBytes.append(time, to: &bytes)
            CellBytes.append(base + number, to: &bytes)
            CellBytes.append(isDeleted ? 1 : 0, to: &bytes)
            return bytes
        }
    }

    internal let capacity: Int
    private var numbers: [[UInt8]: Int64] = [:]
    /// A ring: the entry with a number is at the rest of its division by the capacity.
    private var ring: [Entry] = []
    private var first: Int64 = 0
    private var next: Int64 = 0
    /// What is added to numbers in the store, so that they stay in order over restarts.
    private(set) var base: Int64 = 0

    internal init(capacity: Int) { self.capacity = capacity }

    /// Whether a key must be forgotten before another is remembered.
    internal var isFull: Bool { next - first == Int64(capacity) }

    /// The key seen first of those that are remembered.
    internal var oldest: Entry? { first < next ? ring[place(first)] : nil }

    internal subscript(key: [UInt8]) -> Entry? { numbers[key].map { ring[place($0)] } }

    private func place(_ number: Int64) -> Int { Int(number % Int64(capacity)) }

    /// Remembers a key that is not known; there is room.
    internal mutating func insert(_ key: [UInt8], time: Int64, partition: Int32) -> Entry {
        let entry = Entry(key: key, time: time, number: next, partition: partition)
        append(entry)
        return entry
    }

    private mutating func append(_ entry: Entry) {
        numbers[entry.key] = entry.number
        if place(entry.number) < ring.count {
            ring[place(entry.number)] = entry
        } else {
            ring.append(entry)
        }
        next = entry.number + 1
    }

    /// Notes another record of a key that is known.
    internal mutating func update(_ key: [UInt8], time: Int64, isDeleted: Bool) -> Entry {
        guard let number = numbers[key] else { return insert(key, time: time, partition: 0) }
        ring[place(number)].time = time
        ring[place(number)].isDeleted = isDeleted
        return ring[place(number)]
    }

    /// Forgets the oldest key; there is one.
    internal mutating func removeOldest() -> Entry {
        let entry = ring[place(first)]
        numbers[entry.key] = nil
        first += 1
        return entry
    }

    /// Takes a key back, in the order of the numbers; there is room.
    internal mutating func restore(_ stored: Entry) {
        base = stored.number - next
        append(
            Entry(
                key: stored.key,
                time: stored.time,
                isDeleted: stored.isDeleted,
                number: next,
                partition: stored.partition
            )
        )
    }
}

extension SeenKeys.Entry {
    /// Reads an entry of the store.
    internal init?(_ stored: StateEntry) {
        let numbers = stored.value.withUnsafeBytes { bytes -> (Int64, Int64, Int64)? in
            var reader = CellBytes.Reader(bytes)
            guard let time = reader.number(), let number = reader.number(),
                let isDeleted = reader.number()
            else { return nil }
            return (time, number, isDeleted)
        }
        guard let numbers else { return nil }
        self.init(
            key: stored.key,
            time: numbers.0,
            isDeleted: numbers.2 == 1,
            number: numbers.1,
            partition: stored.part
        )
    }
}

/// The time of day, for records that have none.
internal enum WallClock {
    internal static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
