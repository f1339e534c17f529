internal import ConnectorSDK
internal import JSONRecords
internal import SyslogMessages

/// The input is one message.
func feedSyslog(_ input: UnsafeBufferPointer<UInt8>) {
    // Of the exact size first, so that reading past its end is seen.
    var parser = SyslogParser(zone: .offset(3_600))
    let bytes = Array(input)
    let format = bytes.withUnsafeBytes { parser.parse($0, received: 1_795_300_000).format }

    let chunk = Chunk(copying: bytes)
    let batch = RecordBatch()
    batch.reset(topic: "t", schema: Schema(SyslogFields.fields))
    batch.retain(chunk)
    let fields = SyslogFields()
    fields.begin(batch)
    let message = parser.parse(UnsafeRawBufferPointer(chunk.bytes), received: 1_795_300_000)
    precondition(message.format == format, "A message depends on what is behind it.")
    precondition(message.message.count <= bytes.count, "More text than there was.")
    fields.write(message, to: batch.row(batch.appendRow()), in: batch)
    for column in SyslogFields.fields.indices {
        let cell = batch[0, column]
        switch cell.tag {
        case .string:
            precondition(JSONRecordParser.isValidUTF8(cell.slice), "A text is not UTF-8.")
        case .json:
            // A copy with the padding that the check asks for.
            let text = Chunk(copying: cell.slice)
            precondition(
                JSONText.error(in: UnsafeRawBufferPointer(text.bytes)) == nil,
                "Structured data is not JSON."
            )
        case .timestamp, .missing: break
        default: preconditionFailure("A cell of another kind.")
        }
    }
}
