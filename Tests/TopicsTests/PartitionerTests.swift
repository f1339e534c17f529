import ConnectorSDK
import Testing

@testable import Topics

@Suite("Partitioners")
struct PartitionerTests {
    @Test(
        "the hash is Kafka's",
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107), ("", 275_646_681), ("a", -1_563_381_124),
            ("ab", 316_155_434), ("abcd", -1_323_649_548), ("key-1", 193_331_640),
            ("user:42", -1_493_546_323), ("{\"id\":1}", -56_768_732), ("größe", 588_164_084),
        ] as [(String, Int32)]
    )
    func hashes(key: String, expected: Int32) {
        #expect(Array(key.utf8).withUnsafeBytes { Murmur2.hash($0) } == expected)
    }

    @Test("the hash of bytes that are no text is Kafka's")
    func hashesBytes() {
        #expect((0..<16).map { UInt8($0) }.withUnsafeBytes { Murmur2.hash($0) } == -1_038_035_159)
        let number = withUnsafeBytes(of: Int64(1_001).bigEndian) { Murmur2.hash($0) }
        #expect(number == -758_558_613)
    }

    // D5: records with one key stay in one partition.
    @Test(
        "a key's partition is the one Kafka's Java client chooses",
        arguments: [
            ("", [0, 3, 9, 31]), ("a", [1, 4, 4, 24]), ("ab", [2, 2, 2, 34]),
            ("abc", [0, 3, 3, 7]), ("abcd", [2, 2, 8, 0]), ("21", [0, 0, 0, 40]),
            ("foobar", [0, 0, 6, 16]), ("key-1", [0, 0, 0, 40]), ("user:42", [1, 1, 1, 25]),
            ("{\"id\":1}", [0, 0, 0, 16]), ("größe", [2, 2, 8, 34]),
        ] as [(String, [Int32])]
    )
    func partitions(key: String, expected: [Int32]) {
        let found = [3, 6, 12, 50].map { (count: Int32) in
            var partitioner = Partitioner(count: count)
            return Array(key.utf8).withUnsafeBytes {
                partitioner.partition(wanted: -1, key: $0)
            }
        }
        #expect(found == expected)
    }

    @Test("records without a key stay on one partition until the batch is complete")
    func sticks() {
        var partitioner = Partitioner(count: 3, strategy: .sticky, startingAt: 1)
        func next() -> Int32? { partitioner.partition(wanted: -1, key: nil) }
        #expect([next(), next(), next()] == [1, 1, 1])
        partitioner.batchIsComplete()
        #expect(next() == 2)
        partitioner.batchIsComplete()
        #expect(next() == 0)
    }

    @Test("round robin takes turns, whatever the key")
    func takesTurns() {
        var partitioner = Partitioner(count: 3, strategy: .roundRobin, startingAt: 2)
        let key = Array("k".utf8)
        let found = (0..<4).map { _ in
            key.withUnsafeBytes { partitioner.partition(wanted: -1, key: $0) }
        }
        #expect(found == [2, 0, 1, 2])
    }

    @Test("a partition that is asked for wins, if the topic has it")
    func obeys() {
        for strategy in Partitioner.Strategy.allCases {
            var partitioner = Partitioner(count: 4, strategy: strategy)
            let key = Array("abc".utf8)
            key.withUnsafeBytes {
                #expect(partitioner.partition(wanted: 3, key: $0) == 3)
                #expect(partitioner.partition(wanted: 4, key: $0) == nil)
            }
        }
    }

    @Test("a topic of one partition needs no choice")
    func single() {
        var partitioner = Partitioner(count: 1)
        partitioner.batchIsComplete()
        #expect(partitioner.partition(wanted: -1, key: nil) == 0)
        #expect(
            "x".utf8.withContiguousStorageIfAvailable {
                Murmur2.partition(forKey: UnsafeRawBufferPointer($0), count: 1)
            } == 0
        )
    }
}
