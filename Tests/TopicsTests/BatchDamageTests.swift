import ConnectorSDK
import Testing

@testable import Topics

/// D9: whatever the bytes of a segment are, the answer is records or an error.
@Suite("Damaged batches")
struct BatchDamageTests {
    static let records = BatchRoundTripTests.records.dropLast().enumerated().map { row, record in
        var record = record
        record.offset = Int64(row)
        return record
    }

    /// What decoding comes to: the records, or the code of the error.
    static func outcome(_ data: [UInt8]) -> Result<[TestRecord], ConnectorError> {
        do {
            return .success(try decode(data))
        } catch let error as ConnectorError {
            return .failure(error)
        } catch {
            return .failure(ConnectorError(.init("unexpected"), .failTask, "\(error)"))
        }
    }

    /// Makes the checksum right again.
    static func reseal(_ data: [UInt8]) -> [UInt8] {
        var data = data
        let length = data.count
        data.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress, length >= RecordBatchHeader.length else { return }
            RecordBatchHeader.seal(base, totalLength: length)
        }
        return data
    }

    @Test(
        "a flipped bit is noticed, wherever it is",
        arguments: TopicSettings.CompressionType.allCases
    )
    func noticesFlippedBits(compression: TopicSettings.CompressionType) throws {
        let padding = [TestRecord(offset: 6, value: String(repeating: "long ", count: 20))]
        let data = try encode(Self.records + padding, compression: compression)
        for position in data.indices {
            for bit in 0..<8 {
                var damaged = data
                damaged[position] ^= 1 << UInt8(bit)
                switch Self.outcome(damaged) {
                case .failure(let error):
                    #expect(error.code.rawValue == "topics.corrupt", "byte \(position)")
                case .success(let found):
                    // The offset and the epoch are not covered by the checksum, and a length that
                    // says there is more makes the batch one that is not all there yet.
                    let isMoved = found.map(\.value) == (Self.records + padding).map(\.value)
                    #expect(
                        (position < 8 && isMoved) || (12..<16 ~= position && isMoved)
                            || (8..<12 ~= position && found.isEmpty),
                        "byte \(position)"
                    )
                }
            }
        }
    }

    @Test("a byte changed under a right checksum is an error or a record, never a crash")
    func survivesHostileBytes() throws {
        let data = try encode(Self.records)
        for position in 21..<data.count {
            for value: UInt8 in [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff] {
                var damaged = data
                damaged[position] = value
                damaged = Self.reseal(damaged)
                guard case .failure(let error) = Self.outcome(damaged) else { continue }
                #expect(error.code.rawValue == "topics.corrupt", "byte \(position)")
            }
        }
    }

    @Test("records cut off under a right checksum and length are an error")
    func noticesTruncatedRecords() throws {
        let data = try encode(Self.records)
        for length in RecordBatchHeader.length..<data.count {
            var cut = Array(data[..<length])
            let counted = UInt32(length - RecordBatchHeader.prefixLength)
            cut.replaceSubrange(8..<12, with: withUnsafeBytes(of: counted.bigEndian) { Array($0) })
            let result = Self.outcome(Self.reseal(cut))
            guard case .failure(let error) = result else {
                Issue.record("no error at \(length)")
                continue
            }
            #expect(error.code.rawValue == "topics.corrupt")
        }
    }

    @Test(
        "numbers that cannot be are errors",
        arguments: [
            ("a record longer than the batch", [0x7e, 0, 0, 0, 1, 1, 0]),
            ("a negative record length", [1, 0, 0, 0, 1, 1, 0]),
            ("a key longer than its record", [12, 0, 0, 0, 40, 1, 0]),
            ("a key length below -1", [12, 0, 0, 0, 3, 1, 0]),
            ("a value longer than its record", [12, 0, 0, 0, 1, 40, 0]),
            ("a header count without headers", [12, 0, 0, 0, 1, 1, 2]),
            ("a negative header count", [12, 0, 0, 0, 1, 1, 1]),
            ("bytes behind the headers", [14, 0, 0, 0, 1, 1, 0, 0]),
            ("a varint without an end", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            ("a length of 2^63", [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            ("an offset beyond the batch's last", [12, 0, 0, 2, 1, 1, 0]),
            ("a negative offset", [12, 0, 0, 1, 1, 1, 0]),
            ("nothing", []),
            ("bytes behind the last record", [12, 0, 0, 0, 1, 1, 0, 9]),
        ] as [(String, [UInt8])]
    )
    func refuses(what: String, records: [UInt8]) {
        let data = makeBatch(attributes: 0, records: records, count: 1)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        let decoder = RecordBatchDecoder(partition: 0, from: 0)
        decoder.load(Chunk(copying: data), 0..<data.count)
        #expect(throws: ConnectorError.self) {
            // A record in front of the damage is given first.
            _ = try decoder.decode(into: batch)
            _ = try decoder.decode(into: batch)
        }
    }

    @Test("a valid record of the same form is read")
    func readsMinimal() throws {
        let data = makeBatch(attributes: 0, records: [12, 0, 0, 0, 1, 1, 0], count: 1)
        #expect(try decode(data) == [TestRecord(value: nil)])
    }

    @Test("an unknown codec, another magic and a record count too high are errors")
    func refusesHeaders() throws {
        let record: [UInt8] = [12, 0, 0, 0, 1, 1, 0]
        let codec = makeBatch(attributes: 7, records: record, count: 1)
        #expect(throws: ConnectorError.self) { try decode(codec) }
        var magic = makeBatch(attributes: 0, records: record, count: 1)
        magic[16] = 1
        #expect(throws: ConnectorError.self) { try decode(magic) }
        let count = makeBatch(attributes: 0, records: record, count: Int(Int32.max))
        #expect(throws: ConnectorError.self) { try decode(count) }
        var length = makeBatch(attributes: 0, records: record, count: 1)
        length.replaceSubrange(8..<12, with: [0, 0, 0, 48])
        #expect(throws: ConnectorError.self) { try decode(length) }
    }

    @Test("records in front of the damage are read before the error is raised")
    func givesWhatIsWhole() throws {
        let good = try encode(Self.records)
        var bad = try encode(Self.records, at: Int64(Self.records.count))
        bad[bad.count - 1] ^= 1
        let decoder = RecordBatchDecoder(partition: 5, from: 0)
        decoder.load(Chunk(copying: good + bad), 0..<good.count + bad.count)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try decoder.decode(into: batch) == Self.records.count)
        for _ in 0..<2 {
            #expect {
                try decoder.decode(into: batch)
            } throws: { error in
                guard let error = error as? ConnectorError else { return false }
                return error.code.rawValue == "topics.corrupt"
                    && error.message.contains("offset \(Self.records.count) of partition 5")
            }
        }
        #expect(batch.count == Self.records.count)
    }

    // D7: memory is bounded whatever the input.
    @Test("a compressed batch that becomes too large is an error")
    func boundsDecompression() throws {
        let data = try encode(
            [TestRecord(value: String(repeating: "a", count: 2_000_000))],
            compression: .zstd
        )
        #expect(data.count < 10_000)
        let decoder = RecordBatchDecoder(partition: 0, from: 0, decompressedLimit: 1_000_000)
        decoder.load(Chunk(copying: data), 0..<data.count)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(throws: ConnectorError.self) { try decoder.decode(into: batch) }
    }
}
