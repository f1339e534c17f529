/// Numbers that look random and depend on nothing but the seed, the record and the field.
///
/// So any record can be made without those before it: a source that starts again in the middle
/// goes on with the same records. The mixing is that of SplitMix64.
struct RandomBits {
    private var state: UInt64

    /// Starts the numbers of one field of one record.
    init(seed: UInt64, record: UInt64, field: UInt64) {
        state = Self.mix(seed &+ Self.mix(record &* 0x9e37_79b9_7f4a_7c15 &+ field))
    }

    private static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// The next 64 bits.
    mutating func next() -> UInt64 {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A number below `limit`, all alike as far as 64 bits allow; 0 stands for 2^64.
    mutating func next(below limit: UInt64) -> UInt64 {
        let bits = next()
        return limit == 0 ? bits : bits.multipliedFullWidth(by: limit).high
    }

    /// A whole number in a range.
    mutating func next(in range: ClosedRange<Int64>) -> Int64 {
        let count = UInt64(bitPattern: range.upperBound &- range.lowerBound) &+ 1
        return range.lowerBound &+ Int64(bitPattern: next(below: count))
    }

    /// A number of 0 ..< 1.
    mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
