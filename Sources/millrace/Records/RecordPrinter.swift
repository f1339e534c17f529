import ConnectorSDK
import JSONDocuments
import JSONRecords

/// Writes records of a topic for people and for other programs.
struct RecordPrinter {
    let asJSON: Bool
    private let line = OutputBuffer(capacity: 64 << 10)

    init(asJSON: Bool) { self.asJSON = asJSON }

    /// One record in one line; valid until the next call.
    func line(
        of batch: RecordBatch,
        row: Int,
        topic: String,
        partition: Int32
    ) -> UnsafeRawBufferPointer {
        line.count = 0
        let metadata = batch[metadata: row]
        let value = metadata.isTombstone ? nil : batch[row, 0].slice
        guard asJSON else {
            if let value { line.append(value) }
            return line.bytes
        }
        line.append("{\"topic\":")
        JSONText.appendString(topic, to: line)
        line.append(",\"partition\":\(partition),\"offset\":\(metadata.offset),\"timestamp\":")
        let hasTimestamp = metadata.timestamp != RecordMetadata.noTimestamp
        line.append(hasTimestamp ? String(metadata.timestamp) : "null")
        line.append(",\"key\":")
        append(key(of: batch, row))
        line.append(",\"value\":")
        append(value)
        line.append(",\"headers\":[")
        appendHeaders(HeaderList(metadata.headers, count: Int(metadata.headerCount)))
        line.append("]}")
        return line.bytes
    }

    /// A key or value as ``line(of:row:topic:partition:)`` writes it.
    func value(_ bytes: [UInt8]?) -> JSONDocument {
        guard let bytes else { return .null }
        line.count = 0
        bytes.withUnsafeBytes { append($0) }
        return .raw(String(decoding: line.bytes, as: UTF8.self))
    }

    private func key(of batch: RecordBatch, _ row: Int) -> UnsafeRawBufferPointer? {
        guard batch.keySchema != nil, let cell = batch.keyRow(row)?.pointee, !cell.isNil else {
            return nil
        }
        return cell.slice
    }

    private func appendHeaders(_ list: HeaderList) {
        for (index, header) in list.headers.enumerated() {
            line.append(index == 0 ? "{\"key\":" : ",{\"key\":")
            JSONText.appendString(header.key, to: line)
            line.append(",\"value\":")
            append(header.value)
            line.append("}")
        }
    }

    /// JSON stands as it is, other text as a string, other bytes as `{"base64":"…"}`.
    private func append(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return line.append("null") }
        guard bytes.isUTF8 else {
            line.append("{\"base64\":")
            JSONText.appendCell(.slice(.bytes, bytes), to: line)
            return line.append("}")
        }
        guard JSONSyntax.isValue(bytes) else { return JSONText.appendString(bytes, to: line) }
        let start = line.count
        line.append(bytes)
        // Line ends stand between tokens only, where a space means the same.
        for index in start..<line.count {
            let byte = line.base.load(fromByteOffset: index, as: UInt8.self)
            if byte == 0x0A || byte == 0x0D {
                line.base.storeBytes(of: 0x20, toByteOffset: index, as: UInt8.self)
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are well-formed UTF-8.
    fileprivate var isUTF8: Bool {
        String(validating: self, as: UTF8.self) != nil
    }
}
