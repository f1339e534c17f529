/// Kafka's key hash, so that records with one key share a partition with Kafka's own producers.
public enum Murmur2 {
    /// The 32-bit murmur2 of `key`, with the seed of Kafka's Java client.
    public static func hash(_ key: UnsafeRawBufferPointer) -> Int32 {
        let multiplier: UInt32 = 0x5bd1_e995
        var hash = 0x9747_b28c ^ UInt32(truncatingIfNeeded: key.count)
        var index = 0
        while index &+ 4 <= key.count {
            var word = UInt32(
                littleEndian: key.loadUnaligned(fromByteOffset: index, as: UInt32.self)
            )
            word = word &* multiplier
            word ^= word >> 24
            hash = (hash &* multiplier) ^ (word &* multiplier)
            index &+= 4
        }
        if index < key.count {
            for rest in stride(from: key.count &- 1, through: index, by: -1) {
                hash ^= UInt32(key[rest]) << UInt32((rest &- index) &* 8)
            }
            hash = hash &* multiplier
        }
        hash ^= hash >> 13
        hash = hash &* multiplier
        hash ^= hash >> 15
        return Int32(bitPattern: hash)
    }

    /// The partition, of `count`, that a record with this key belongs to. (D5)
    ///
    /// An empty key is a key: it is hashed, as Kafka's Java client does.
    public static func partition(forKey key: UnsafeRawBufferPointer, count: Int32) -> Int32 {
        guard count > 1 else { return 0 }
        return (hash(key) & 0x7fff_ffff) % count
    }
}
