import ConnectorSDK
import Testing

@testable import Topics

/// Batches that Kafka's own Java code wrote or accepts.
@Suite("Kafka's batches")
struct GoldenBatchTests {
    static let plain = """
        0000000000000000000000490000000002f1759baf0000000000010000018bcfe568000000018bcfe56805\
        ffffffffffffffffffffffffffff000000021c000000046b31047631020268027810000a02046b320100
        """
    static let transaction = """
        00000000000000020000003c0000000002e7a64f140010000000000000018bcfe5680a0000018bcfe5680a\
        00000000000000070000000000000000000114000000046b3304763300
        """
    static let commit = """
        00000000000000030000004200000000028dc8de5f0030000000000000018bcfe568140000018bcfe56814\
        00000000000000070000ffffffff000000012000000008000000010c00000000000000
        """
    static let secondTransaction = """
        00000000000000040000003f0000000002c8c70a140010000000000000018bcfe5681e0000018bcfe5681e\
        0000000000000007000000000001000000011a000000010e61626f7274656400
        """
    static let abort = """
        0000000000000005000000420000000002d9d4ee1f0030000000000000018bcfe568280000018bcfe56828\
        00000000000000070000ffffffff000000012000000008000000000c00000000000000
        """
    static let header: [UInt8] = [2, 0x68, 2, 0x78]
    static let time: Int64 = 1_700_000_000_000

    static let records = [
        TestRecord(
            offset: 0,
            timestamp: time,
            key: "k1",
            value: "v1",
            headers: header,
            headerCount: 1
        ),
        TestRecord(offset: 1, timestamp: time + 5, key: "k2", value: nil),
    ]

    @Test("a batch is written as Kafka writes it, byte for byte")
    func encodesPlain() throws {
        #expect(try encode(Self.records) == bytes(hex: Self.plain))
    }

    @Test("a batch that Kafka wrote is read, with headers, tombstone and timestamps")
    func decodesPlain() throws {
        #expect(try decode(bytes(hex: Self.plain)) == Self.records)
    }

    @Test("a tombstone is marked, and only it")
    func marksTombstone() throws {
        let data = bytes(hex: Self.plain)
        let decoder = RecordBatchDecoder(partition: 0, from: 0)
        decoder.load(Chunk(copying: data), 0..<data.count)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == 2)
        #expect(batch.indices.map { batch[metadata: $0].isTombstone } == [false, true])
        #expect(batch[metadata: 0].raw.elementsEqual("v1".utf8))
        #expect(batch.keySchema === Schema.opaque)
    }

    @Test("transaction markers are skipped, the records around them read, one row at a time too")
    func skipsControlBatches() throws {
        let segment = [
            Self.plain, Self.transaction, Self.commit, Self.secondTransaction, Self.abort,
        ].flatMap { bytes(hex: $0) }
        let expected: [Int64] = [0, 1, 2, 4]
        #expect(try decode(segment).map(\.offset) == expected)
        #expect(try decode(segment, rowLimit: 1).map(\.offset) == expected)
        #expect(try decode(segment, from: 3).map(\.offset) == [4])
        #expect(try decode(segment, upTo: 4).map(\.offset) == [0, 1, 2])
        #expect(try decode(segment, upTo: 1).map(\.offset) == [0])
        #expect(
            try decode(segment).last
                == TestRecord(
                    offset: 4,
                    timestamp: Self.time + 30,
                    value: "aborted"
                )
        )
    }

    @Test("the next offset passes a marker at the end of what is loaded")
    func passesTrailingMarker() throws {
        let data = bytes(hex: Self.secondTransaction) + bytes(hex: Self.abort)
        let decoder = RecordBatchDecoder(partition: 0, from: 4)
        decoder.load(Chunk(copying: data), 0..<data.count)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == 1)
        #expect(try decoder.decode(into: batch) == 0)
        #expect(decoder.nextOffset == 6)
        #expect(decoder.consumed == data.count)
    }

    @Test("a header tells what the log needs to know")
    func readsHeader() throws {
        let data = bytes(hex: Self.transaction)
        let header = try #require(data.withUnsafeBytes { RecordBatchHeader($0) })
        #expect(header.baseOffset == 2)
        #expect(header.totalLength == data.count)
        #expect(header.nextOffset == 3)
        #expect(header.producerID == 7)
        #expect(header.attributes == .transactional)
        #expect(header.maxTimestamp == Self.time + 10)
        #expect(data.withUnsafeBytes { header.isIntact($0) })
        #expect(!data.dropLast().withUnsafeBytes { header.isIntact($0) })
    }

    @Test("assigning an offset leaves the checksum right")
    func assignsOffset() throws {
        var data = bytes(hex: Self.plain)
        data.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            RecordBatchHeader.assign(baseOffset: 1 << 40, in: base)
        }
        #expect(try decode(data).map(\.offset) == [1 << 40, (1 << 40) + 1])
    }
}
