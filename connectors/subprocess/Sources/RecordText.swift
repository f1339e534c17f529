internal import ConnectorSDK
internal import JSONDocuments
internal import JSONRecords

/// Writes records as messages: values that are JSON as they are, other text and bytes as such.
struct RecordText {
    private let output: OutputBuffer
    private var topic = ""
    private var start: [UInt8] = []

    init(_ output: OutputBuffer) { self.output = output }

    /// Appends a record and a line end.
    mutating func append(_ batch: RecordBatch, row: Int) {
        if topic != batch.topic || start.isEmpty {
            topic = batch.topic
            let name = JSONDocument.string(topic).text
            start = Array("{\"type\":\"record\",\"topic\":\(name),\"partition\":".utf8)
        }
        start.withUnsafeBytes { output.append($0) }
        let metadata = batch.metadata(row).pointee
        output.append("\(metadata.partition),\"offset\":\(metadata.offset)")
        if metadata.timestamp != RecordMetadata.noTimestamp {
            output.append(",\"timestamp\":\(metadata.timestamp)")
        }
        if let key = batch.keyRow(row)?.pointee, key.isSlice { append("key", key.slice) }
        if !metadata.isTombstone { append("value", batch[row, 0].slice) }
        if metadata.headerCount > 0 { appendHeaders(metadata) }
        output.append("}\n")
    }

    private func append(_ name: String, _ bytes: UnsafeRawBufferPointer) {
        output.append(",\"\(name)")
        if JSONText.error(in: bytes) == nil {
            output.append("\":")
            // A message is one line; between the tokens of a value a line break is a space.
            appendOnOneLine(bytes)
        } else if JSONRecordParser.isValidUTF8(bytes) {
            output.append("_text\":")
            JSONText.appendString(bytes, to: output)
        } else {
            output.append("_base64\":")
            JSONText.appendCell(.slice(.bytes, bytes), to: output)
        }
    }

    private func appendOnOneLine(_ bytes: UnsafeRawBufferPointer) {
        let before = output.count
        output.append(bytes)
        guard bytes.contains(0x0a) || bytes.contains(0x0d) else { return }
        for place in before..<output.count {
            let byte = (output.base + place).load(as: UInt8.self)
            guard byte == 0x0a || byte == 0x0d else { continue }
            (output.base + place).storeBytes(of: 0x20, as: UInt8.self)
        }
    }

    private func appendHeaders(_ metadata: RecordMetadata) {
        output.append(",\"headers\":{")
        var reader = HeaderReader(bytes: metadata.headers)
        for number in 0..<metadata.headerCount {
            guard let key = reader.next(), let value = reader.next() else { break }
            if number > 0 { output.append(",") }
            JSONText.appendString(String(decoding: key, as: UTF8.self), to: output)
            output.append(":")
            JSONText.appendString(String(decoding: value, as: UTF8.self), to: output)
        }
        output.append("}")
    }
}
