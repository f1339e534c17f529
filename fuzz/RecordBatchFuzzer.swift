internal import CBytes
internal import ConnectorSDK
internal import Topics

/// Makes the checksums of all whole batches right, so that the fuzzer gets past them.
private func seal(_ chunk: Chunk, count: Int) {
    var position = 0
    while position + RecordBatchHeader.length <= count {
        let bytes = UnsafeRawBufferPointer(start: chunk.base + position, count: count - position)
        guard let length = RecordBatchHeader.totalLength(bytes), length <= bytes.count else {
            return
        }
        let crc = mr_crc32c(0, chunk.base + position + 21, length - 21)
        chunk.base.storeBytes(of: crc.bigEndian, toByteOffset: position + 17, as: UInt32.self)
        position += length
    }
}

/// Reads every byte that a slice claims, so that the address sanitizer sees it.
private func touch(_ bytes: UnsafeRawBufferPointer) -> UInt8 { bytes.reduce(0, ^) }

/// Encodes the records again, as whoever copies a topic would.
private func encodeAgain(_ batch: RecordBatch, _ builder: RecordBatchBuilder) {
    builder.reset()
    for row in batch.indices {
        let metadata = batch[metadata: row]
        let key = batch.keyRow(row)?.pointee
        let isNull = batch[row, 0].tag == .null
        builder.append(
            timestamp: metadata.timestamp,
            key: key.flatMap { $0.isNil ? nil : $0.slice },
            value: isNull ? nil : batch[row, 0].slice,
            headers: metadata.headers,
            headerCount: Int(metadata.headerCount)
        )
    }
    guard builder.count > 0 else { return }
    do {
        let encoded = try builder.finish(compression: .lz4, now: 7, timestampType: .createTime)
        let copy = Chunk(copying: encoded.buffer.bytes)
        let decoder = RecordBatchDecoder(partition: 0, from: 0)
        decoder.load(copy, 0..<copy.capacity)
        let again = RecordBatch()
        again.reset(topic: "t")
        let count = try decoder.decode(into: again)
        precondition(count == batch.count, "Records were lost on the way there and back.")
        for row in batch.indices {
            precondition(again[row, 0].slice.elementsEqual(batch[row, 0].slice))
            precondition(again[metadata: row].headers.elementsEqual(batch[metadata: row].headers))
        }
    } catch {
        preconditionFailure("A batch that was read could not be written: \(error)")
    }
}

/// The first byte chooses what else is done, the rest is a segment's record batches.
func feedRecordBatches(_ input: UnsafeBufferPointer<UInt8>) {
    guard let mode = input.first else { return }
    let count = input.count
    let batch = RecordBatch()
    let builder = RecordBatchBuilder()
    let chunk = Chunk(copying: input.dropFirst())
    if mode & 1 == 0 { seal(chunk, count: count - 1) }
    let decoder = RecordBatchDecoder(
        partition: 1,
        from: Int64(mode >> 4),
        decompressedLimit: 1 << 20
    )
    decoder.load(chunk, 0..<count - 1)
    let rowLimit = mode & 2 == 0 ? RecordBatch.rowLimit : 3
    var sum: UInt8 = 0
    do {
        while true {
            batch.reset(topic: "t")
            guard try decoder.decode(into: batch, rowLimit: rowLimit) > 0 else { break }
            for row in batch.indices {
                sum ^= touch(batch[row, 0].slice) ^ touch(batch[metadata: row].headers)
                if let key = batch.keyRow(row)?.pointee { sum ^= touch(key.slice) }
            }
            if mode & 4 == 0 { encodeAgain(batch, builder) }
        }
    } catch {
        // Refused, as it should be.
    }
    use(sum)
}
