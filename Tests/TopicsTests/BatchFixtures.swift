import Compression
import ConnectorSDK
import Testing

@testable import Topics

/// Bytes from hexadecimal digits.
func bytes(hex: String) -> [UInt8] {
    var result: [UInt8] = []
    var high: UInt8?
    for character in hex {
        guard let digit = character.hexDigitValue.map(UInt8.init) else { continue }
        if let first = high {
            result.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return result
}

/// A record as tests write and compare it.
struct TestRecord: Equatable {
    var offset: Int64 = 0
    var timestamp: Int64 = 0
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [UInt8] = []
    var headerCount = 0

    init(
        offset: Int64 = 0,
        timestamp: Int64 = 0,
        key: String? = nil,
        value: String?,
        headers: [UInt8] = [],
        headerCount: Int = 0
    ) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key.map { Array($0.utf8) }
        self.value = value.map { Array($0.utf8) }
        self.headers = headers
        self.headerCount = headerCount
    }

    init(_ batch: RecordBatch, row: Int) {
        let metadata = batch[metadata: row]
        offset = metadata.offset
        timestamp = metadata.timestamp
        if let cell = batch.keyRow(row)?.pointee, !cell.isNil { key = Array(cell.slice) }
        value = batch[row, 0].tag == .null ? nil : Array(batch[row, 0].slice)
        headers = Array(metadata.headers)
        headerCount = Int(metadata.headerCount)
    }
}

extension RecordBatchBuilder {
    func append(_ record: TestRecord) {
        func withOptional(
            _ bytes: [UInt8]?,
            _ body: (UnsafeRawBufferPointer?) -> Void
        ) {
            guard let bytes else { return body(nil) }
            bytes.withUnsafeBytes { body($0) }
        }
        withOptional(record.key) { key in
            withOptional(record.value) { value in
                record.headers.withUnsafeBytes { headers in
                    append(
                        timestamp: record.timestamp,
                        key: key,
                        value: value,
                        headers: headers,
                        headerCount: record.headerCount
                    )
                }
            }
        }
    }
}

/// Encodes records into one batch that begins at `offset`.
func encode(
    _ records: [TestRecord],
    at offset: Int64 = 0,
    compression: TopicSettings.CompressionType = .none,
    now: Int64 = 0,
    timestampType: TopicSettings.TimestampType = .createTime
) throws -> [UInt8] {
    let builder = RecordBatchBuilder(buffer: OutputBuffer(capacity: 64))
    for record in records { builder.append(record) }
    let batch = try builder.finish(
        compression: compression,
        now: now,
        timestampType: timestampType
    )
    #expect(batch.count == records.count)
    batch.assign(baseOffset: offset)
    return Array(batch.buffer.bytes)
}

/// Decodes all that can be decoded, in steps of `rowLimit` records.
func decode(
    _ bytes: [UInt8],
    from offset: Int64 = 0,
    upTo limit: Int64 = .max,
    rowLimit: Int = RecordBatch.rowLimit
) throws -> [TestRecord] {
    let decoder = RecordBatchDecoder(partition: 3, from: offset, decompressedLimit: 64 << 20)
    decoder.load(Chunk(copying: bytes), 0..<bytes.count)
    let batch = RecordBatch()
    var records: [TestRecord] = []
    while true {
        batch.reset(topic: "t")
        let count = try decoder.decode(into: batch, upTo: limit, rowLimit: rowLimit)
        guard count > 0 else { return records }
        #expect(count == batch.count)
        #expect(batch.indices.allSatisfy { batch[metadata: $0].partition == 3 })
        records += batch.indices.map { TestRecord(batch, row: $0) }
    }
}

/// Wraps records, already encoded or compressed, in a batch with any attributes.
func makeBatch(
    attributes: UInt16,
    records: [UInt8],
    count: Int,
    baseTimestamp: Int64 = 0,
    maxTimestamp: Int64 = 0
) -> [UInt8] {
    let header = RecordBatchHeader(
        attributes: .init(rawValue: attributes),
        totalLength: RecordBatchHeader.length + records.count,
        baseTimestamp: baseTimestamp,
        maxTimestamp: maxTimestamp,
        recordCount: count
    )
    let buffer = OutputBuffer(capacity: header.totalLength)
    header.write(to: buffer.reserve(RecordBatchHeader.length))
    buffer.count = RecordBatchHeader.length
    records.withUnsafeBytes { buffer.append($0) }
    RecordBatchHeader.seal(buffer.base, totalLength: header.totalLength)
    return Array(buffer.bytes)
}

/// The records part of a batch.
func recordBytes(_ records: [TestRecord]) throws -> [UInt8] {
    Array(try encode(records).dropFirst(RecordBatchHeader.length))
}
