import Compression
import ConnectorSDK
import Testing

@testable import Topics

@Suite("Record batches, there and back")
struct BatchRoundTripTests {
    static func varint(_ value: Int) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: Varint.maxLength, alignment: 1) { buffer in
            guard let start = buffer.baseAddress else { return [] }
            var end = start
            Varint.write(value, to: &end)
            return Array(buffer[..<(end - start)])
        }
    }

    @Test(
        "numbers of all sizes are written in as few bytes as Kafka does, and read back",
        arguments: [
            0, -1, 1, 63, -64, 64, -65, 8_191, 8_192, -8_192, 1_048_575, 1_048_576, 1 << 31,
            -(1 << 31), 1 << 62, .max, .min,
        ]
    )
    func varints(value: Int) {
        var bytes = Self.varint(value)
        #expect(bytes.count == Varint.length(value))
        let count = bytes.count
        bytes += [UInt8](repeating: 0xff, count: 16)
        bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            var cursor = start
            #expect(Varint.read(&cursor) == Int64(value))
            #expect(cursor - start == count)
        }
    }

    /// A header in Kafka's record encoding.
    static func header(_ key: String, _ value: String?) -> [UInt8] {
        varint(key.utf8.count) + Array(key.utf8) + varint(value.map { $0.utf8.count } ?? -1)
            + Array((value ?? "").utf8)
    }

    static let records: [TestRecord] = [
        TestRecord(offset: 0, timestamp: 5_000, key: "k", value: "v"),
        TestRecord(offset: 1, timestamp: 4_000, key: "", value: ""),
        TestRecord(offset: 2, timestamp: 6_000, key: nil, value: "no key"),
        TestRecord(offset: 3, timestamp: -7, key: "tombstone", value: nil),
        TestRecord(offset: 4, timestamp: 1 << 60, key: nil, value: nil),
        TestRecord(
            offset: 5,
            timestamp: 5_000,
            key: "h",
            value: "v",
            headers: header("a", "1") + header("", nil) + header("a", ""),
            headerCount: 3
        ),
        TestRecord(offset: 6, timestamp: 5_000, value: String(repeating: "long ", count: 5_000)),
    ]

    @Test(
        "every codec gives the same records",
        arguments: TopicSettings.CompressionType.allCases,
        [1, 3, 4_096]
    )
    func roundTrips(compression: TopicSettings.CompressionType, rowLimit: Int) throws {
        let data = try encode(Self.records, compression: compression)
        let header = try #require(data.withUnsafeBytes { RecordBatchHeader($0) })
        #expect(header.attributes.codec == [.none: 0, .lz4: 3, .zstd: 4][compression])
        #expect(header.maxTimestamp == 1 << 60)
        #expect(try decode(data, rowLimit: rowLimit) == Self.records)
    }

    @Test(
        "the codecs that only Kafka's clients write are read, too",
        arguments: [(CompressionKind.gzip, 1), (.snappy, 2)] as [(CompressionKind, UInt16)]
    )
    func readsForeignCodecs(kind: CompressionKind, attributes: UInt16) throws {
        let plain = try recordBytes(Self.records)
        let compressed: [UInt8]
        if kind == .gzip {
            let output = OutputBuffer()
            let compressor = try GzipCompressor()
            try plain.withUnsafeBytes { try compressor.write($0, into: output) }
            try compressor.endFrame(into: output)
            compressed = Array(output.bytes)
        } else {
            compressed = snappyLiterals(plain)
        }
        let data = makeBatch(
            attributes: attributes,
            records: compressed,
            count: Self.records.count,
            baseTimestamp: 5_000
        )
        #expect(try decode(data) == Self.records)
    }

    /// Snappy in its simplest form: nothing but literals.
    private func snappyLiterals(_ data: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = data.count
        while rest >= 0x80 {
            result.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        result.append(UInt8(rest))
        for start in stride(from: 0, to: data.count, by: 60) {
            let piece = data[start..<min(start + 60, data.count)]
            result.append(UInt8(piece.count - 1) << 2)
            result += piece
        }
        return result
    }

    @Test("records that compression would make longer stay as they are")
    func keepsIncompressible() throws {
        let data = try encode([TestRecord(value: "x")], compression: .lz4)
        #expect(data == (try encode([TestRecord(value: "x")])))
    }

    @Test("a builder is used again, and grows as far as it must")
    func reuses() throws {
        let builder = RecordBatchBuilder(buffer: OutputBuffer(capacity: 64))
        for compression in [TopicSettings.CompressionType.none, .zstd, .lz4, .none] {
            builder.reset()
            #expect(builder.byteCount == RecordBatchBuilder.headerLength)
            for record in Self.records { builder.append(record) }
            let before = builder.byteCount
            let batch = try builder.finish(
                compression: compression,
                now: 0,
                timestampType: .createTime
            )
            #expect(batch.buffer.count == builder.byteCount)
            #expect(compression == .none ? builder.byteCount == before : builder.byteCount < before)
            #expect(try decode(Array(batch.buffer.bytes)) == Self.records)
        }
    }

    @Test("a batch without records is refused")
    func refusesEmpty() {
        let builder = RecordBatchBuilder()
        #expect(throws: ConnectorError.self) {
            try builder.finish(compression: .none, now: 0, timestampType: .createTime)
        }
    }

    @Test(
        "records without a timestamp get the time of the batch, the others keep theirs",
        arguments: TopicSettings.CompressionType.allCases,
        [[true, true, true], [false, true, true, false], [true, false, true], [false, false]]
    )
    func stamps(compression: TopicSettings.CompressionType, missing: [Bool]) throws {
        let now: Int64 = 1_700_000_000_000
        let records = missing.enumerated().map { row, isMissing in
            TestRecord(
                offset: Int64(row),
                timestamp: isMissing ? RecordMetadata.noTimestamp : 1_000 + Int64(row),
                key: "key",
                value: "a value, a value, a value, a value"
            )
        }
        let expected = records.map { record in
            var record = record
            if record.timestamp == RecordMetadata.noTimestamp { record.timestamp = now }
            return record
        }
        let data = try encode(records, compression: compression, now: now)
        #expect(try decode(data) == expected)
        let header = try #require(data.withUnsafeBytes { RecordBatchHeader($0) })
        #expect(header.maxTimestamp == expected.map(\.timestamp).max())
        #expect(header.baseTimestamp == expected[0].timestamp)
    }

    @Test("with the store's clock all records have the time of the append")
    func logAppendTime() throws {
        let records = [TestRecord(timestamp: 9, value: "a"), TestRecord(timestamp: 5, value: "b")]
        let data = try encode(records, now: 1_234, timestampType: .logAppendTime)
        #expect(try decode(data).map(\.timestamp) == [1_234, 1_234])
    }

    // D4: nothing from the limit on is read, though its bytes are loaded.
    @Test("reading starts at an offset inside a batch, and stops in front of another")
    func startsInside() throws {
        for compression in TopicSettings.CompressionType.allCases {
            let data = try encode(Self.records, at: 100, compression: compression)
            #expect(try decode(data, from: 103).map(\.offset) == [103, 104, 105, 106])
            #expect(try decode(data, from: 101, upTo: 103).map(\.offset) == [101, 102])
            #expect(try decode(data, from: 107).isEmpty)
            #expect(try decode(data, from: 0, upTo: 100).isEmpty)
        }
    }

    @Test("a batch that is not there as a whole is left for later")
    func waitsForWholeBatches() throws {
        let first = try encode(Self.records, at: 0), second = try encode(Self.records, at: 7)
        let data = first + second
        let batch = RecordBatch()
        for length in [0, 5, 11, 12, 60, 61, first.count - 1] {
            let decoder = RecordBatchDecoder(partition: 0, from: 0)
            decoder.load(Chunk(copying: data), 0..<length)
            batch.reset(topic: "t")
            #expect(try decoder.decode(into: batch) == 0)
            #expect(decoder.consumed == 0)
            #expect(decoder.neededLength == (length < 12 ? 12 : first.count))
        }
        let decoder = RecordBatchDecoder(partition: 0, from: 0)
        decoder.load(Chunk(copying: data), 0..<data.count - 1)
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == 7)
        #expect(decoder.consumed == first.count)
        #expect(decoder.nextOffset == 7)
        decoder.load(Chunk(copying: data[first.count...]), 0..<second.count)
        #expect(try decoder.decode(into: batch) == 7)
        #expect(batch.indices.map { batch[metadata: $0].offset } == Array(0..<14))
    }

    @Test("loading more does not touch the batch that is being read")
    func keepsOpenBatch() throws {
        let decoder = RecordBatchDecoder(partition: 0, from: 0)
        let data = try encode(Self.records)
        decoder.load(Chunk(copying: data), 0..<data.count)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch, rowLimit: 2) == 2)
        #expect(decoder.consumed == data.count)
        let next = try encode(Self.records, at: 7)
        decoder.load(Chunk(copying: next), 0..<next.count)
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == 12)
        #expect(batch.indices.map { batch[metadata: $0].offset } == Array(2..<14))
        decoder.seek(to: 9)
        decoder.load(Chunk(copying: next), 0..<next.count)
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == 5)
    }

    @Test("keys are there only when a record has one, and earlier records have none")
    func addsKeys() throws {
        let batch = RecordBatch()
        for (records, hasKeys) in [(Array(Self.records[2...2]), false), (Self.records, true)] {
            batch.reset(topic: "t")
            let decoder = RecordBatchDecoder(partition: 0, from: 0)
            let keyless = try encode([TestRecord(value: "first")])
            let data = try keyless + encode(records, at: 1)
            decoder.load(Chunk(copying: data), 0..<data.count)
            #expect(try decoder.decode(into: batch) == records.count + 1)
            #expect((batch.keySchema === Schema.opaque) == hasKeys)
            #expect(TestRecord(batch, row: 0).key == nil)
            #expect(batch.schema.isOpaque)
            guard hasKeys else { continue }
            #expect(TestRecord(batch, row: 2).key == [])
            #expect(TestRecord(batch, row: 3).key == nil)
        }
    }

    @Test("records stay where they were loaded, and the batch keeps them alive")
    func retains() throws {
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for compression in TopicSettings.CompressionType.allCases {
            let decoder = RecordBatchDecoder(partition: 0, from: 0)
            let data = try encode(Self.records, compression: compression)
            decoder.load(Chunk(copying: data), 0..<data.count)
            #expect(try decoder.decode(into: batch) == 7)
        }
        let expected = Self.records + Self.records + Self.records
        #expect(batch.indices.map { TestRecord(batch, row: $0) } == expected)
    }

    @Test("batches that compaction emptied are passed over")
    func passesEmptyBatches() throws {
        var header = RecordBatchHeader(
            attributes: [],
            totalLength: RecordBatchHeader.length,
            baseTimestamp: -1,
            maxTimestamp: -1,
            recordCount: 0
        )
        header.lastOffsetDelta = 9
        let buffer = OutputBuffer()
        header.write(to: buffer.reserve(RecordBatchHeader.length))
        RecordBatchHeader.seal(buffer.base, totalLength: RecordBatchHeader.length)
        buffer.count = RecordBatchHeader.length
        let data = try Array(buffer.bytes) + encode([TestRecord(value: "x")], at: 10)
        #expect(try decode(data).map(\.offset) == [10])
    }

    @Test("gaps that compaction left are kept")
    func keepsGaps() throws {
        // Three records of which the first and the last are kept; lengths and deltas by hand.
        let records: [UInt8] = [
            14, 0, 0, 2, 1, 2, 0x61, 0, 14, 0, 0, 8, 1, 2, 0x62, 0,
        ]
        var data = makeBatch(attributes: 0, records: records, count: 2)
        data.replaceSubrange(23..<27, with: [0, 0, 0, 9])
        data.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            RecordBatchHeader.seal(base, totalLength: buffer.count)
        }
        #expect(try decode(data).map(\.offset) == [1, 4])
        let decoder = RecordBatchDecoder(partition: 0, from: 2)
        decoder.load(Chunk(copying: data), 0..<data.count)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == 1)
        #expect(try decoder.decode(into: batch) == 0)
        #expect(decoder.nextOffset == 10)
    }
}
