internal import Glibc

/// SipHash-2-4 with 128 bits of result: keys that differ do not meet, even if someone tries.
internal struct KeyHash {
    /// 128 bits.
    internal struct Value: Hashable {
        internal var low: UInt64
        internal var high: UInt64
    }

    private let key0: UInt64
    private let key1: UInt64

    /// Makes a hash function of its own.
    internal init() {
        var generator = SystemRandomNumberGenerator()
        self.init(generator.next(), generator.next())
    }

    internal init(_ key0: UInt64, _ key1: UInt64) {
        self.key0 = key0
        self.key1 = key1
    }

    internal func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> Value {
        var state = SipState(key0, key1)
        let count = bytes.count
        var index = 0
        while index + 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            state.absorb(UInt64(littleEndian: word))
            index += 8
        }
        var last = UInt64(truncatingIfNeeded: count) << 56
        var shift: UInt64 = 0
        while index < count {
            last |= UInt64(bytes[index]) << shift
            shift += 8
            index += 1
        }
        state.absorb(last)
        return state.finish()
    }
}

private struct SipState {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ key0: UInt64, _ key1: UInt64) {
        v0 = key0 ^ 0x736f_6d65_7073_6575
        v1 = key1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key0 ^ 0x6c79_6765_6e65_7261
        v3 = key1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> KeyHash.Value {
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return KeyHash.Value(low: low, high: v0 ^ v1 ^ v2 ^ v3)
    }

    private mutating func round() {
        v0 = v0 &+ v1
        v1 = v1 &<< 13 | v1 &>> 51
        v1 ^= v0
        v0 = v0 &<< 32 | v0 &>> 32
        v2 = v2 &+ v3
        v3 = v3 &<< 16 | v3 &>> 48
        v3 ^= v2
        v0 = v0 &+ v3
        v3 = v3 &<< 21 | v3 &>> 43
        v3 ^= v0
        v2 = v2 &+ v1
        v1 = v1 &<< 17 | v1 &>> 47
        v1 ^= v2
        v2 = v2 &<< 32 | v2 &>> 32
    }
}
