internal import ConnectorSDK
internal import JSONRecords

/// The records of a batch are the lines of the input.
///
/// Each is accepted exactly when the validating scanner accepts it, whether its fields are expected
/// or new; and what is written of it reads back as the same.
func feedJSONRecords(_ input: UnsafeBufferPointer<UInt8>) {
    let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
    let parser = JSONRecordParser()
    let writer = JSONRecordWriter()
    let batch = RecordBatch()
    batch.reset(topic: "t")
    parser.begin(batch)
    for line in lines {
        let chunk = Chunk(capacity: line.count)
        // What lies behind the record looks as if it went on.
        for index in 0..<(line.count + Chunk.padding) {
            let byte = index < line.count ? line[line.startIndex + index] : line.last ?? 0x7D
            chunk.base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        batch.retain(chunk)
        let text = UnsafeRawBufferPointer(start: chunk.base, count: line.count)
        var outcome = parser.append(text, to: batch)
        if outcome == .conflict {
            batch.reset(topic: "t")
            parser.begin(batch)
            batch.retain(chunk)
            outcome = parser.append(text, to: batch)
        }
        switch outcome {
        case .conflict: fatalError("A record conflicts with an empty batch.")
        case .parsed:
            precondition(JSONText.error(in: text) == nil, "The parser accepts too much.")
            check(batch, writer)
        case .invalid(let error):
            precondition(error.offset >= 0 && error.offset <= text.count)
            let known = JSONText.error(in: text)
            precondition(known != nil || error.reason == .tooManyFields, "It accepts too little.")
        }
    }
}

/// Writes the last row, reads it, and writes it again.
private func check(_ batch: RecordBatch, _ writer: JSONRecordWriter) {
    let first = write(batch, batch.count - 1, writer)
    let again = RecordBatch()
    let chunk = Chunk(copying: first)
    again.retain(chunk)
    let parser = JSONRecordParser()
    parser.begin(again)
    let text = UnsafeRawBufferPointer(start: chunk.base, count: first.count)
    precondition(parser.append(text, to: again) == .parsed, "What was written is no JSON.")
    precondition(write(again, 0, writer) == first, "What was written reads back differently.")
}

private func write(_ batch: RecordBatch, _ row: Int, _ writer: JSONRecordWriter) -> [UInt8] {
    let output = OutputBuffer(capacity: 16)
    do throws(ConnectorError) {
        try writer.writeObject(batch.row(row), of: batch.schema, into: output)
    } catch {
        fatalError("A parsed record cannot be written: \(error)")
    }
    return Array(output.bytes)
}
