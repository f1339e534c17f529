package import ConnectorSDK
internal import JSONRecords

/// Writes records as the JSON texts that programs run with.
package final class JqInput {
    private let writer = JSONRecordWriter()
    private let keyWriter = JSONRecordWriter()
    private let output = OutputBuffer(capacity: 4 << 10)
    private let mayRound: Bool

    /// - Parameter mayRound: whether numbers may lose digits, as they do in jq.
    package init(mayRound: Bool) { self.mayRound = mayRound }

    /// The text of one record: its value, or an object of the record and its value.
    ///
    /// An opaque value is a string, as with `jq --raw-input`. Valid until the next call.
    package func text(
        _ batch: RecordBatch,
        row: Int,
        withRecord: Bool
    ) throws(ConnectorError) -> UnsafeRawBufferPointer {
        output.count = 0
        if withRecord {
            output.append("{\"record\":{")
            writeRecord(batch, row)
            output.append("},\"value\":")
        }
        try writeValue(batch, row)
        if withRecord { output.append(UInt8(ascii: "}")) }
        let text = output.bytes
        if !mayRound, JqNumbers.areChanged(in: text) { throw Self.inexactNumber }
        return text
    }

    private func writeValue(_ batch: RecordBatch, _ row: Int) throws(ConnectorError) {
        if batch.schema.isOpaque {
            let cell = batch[row, 0]
            guard cell.tag != .bytes || JSONRecordParser.isValidUTF8(cell.slice) else {
                throw Self.notText
            }
            JSONText.appendString(cell.slice, to: output)
        } else {
            try writer.writeValue(batch, row: row, into: output)
        }
    }

    private func writeRecord(_ batch: RecordBatch, _ row: Int) {
        let metadata = batch[metadata: row]
        output.append("\"topic\":")
        JSONText.appendString(batch.topic, to: output)
        output.append(",\"partition\":")
        output.append(metadata.partition < 0 ? "null" : String(metadata.partition))
        output.append(",\"offset\":")
        output.append(metadata.offset < 0 ? "null" : String(metadata.offset))
        output.append(",\"timestamp\":")
        let hasTime = metadata.timestamp != RecordMetadata.noTimestamp
        output.append(hasTime ? String(metadata.timestamp) : "null")
        output.append(",\"key\":")
        writeKey(batch, row)
        output.append(",\"headers\":{")
        writeHeaders(metadata)
        output.append(UInt8(ascii: "}"))
    }

    private func writeKey(_ batch: RecordBatch, _ row: Int) {
        guard let schema = batch.keySchema, let key = batch.keyRow(row) else {
            return output.append("null")
        }
        if schema.isOpaque || schema.names == ["key"] {
            let cell = key.pointee
            if cell.tag == .bytes, JSONRecordParser.isValidUTF8(cell.slice) {
                return JSONText.appendString(cell.slice, to: output)
            }
            JSONText.appendCell(cell, to: output)
            return
        }
        let start = output.count
        do throws(ConnectorError) {
            try keyWriter.writeObject(key, of: schema, into: output)
        } catch {
            output.count = start
            output.append("null")
        }
    }

    private func writeHeaders(_ metadata: RecordMetadata) {
        var reader = HeaderReader(bytes: metadata.headers)
        for index in 0..<metadata.headerCount {
            guard let name = reader.next(), let value = reader.next() else { return }
            if index > 0 { output.append(UInt8(ascii: ",")) }
            writeText(name)
            output.append(UInt8(ascii: ":"))
            writeText(value)
        }
    }

    private func writeText(_ bytes: UnsafeRawBufferPointer) {
        if JSONRecordParser.isValidUTF8(bytes) {
            JSONText.appendString(bytes, to: output)
        } else {
            JSONText.appendCell(.slice(.bytes, bytes), to: output)
        }
    }

    private static let notText = ConnectorError(
        .init("jq.not_text"),
        .rejectRecord,
        "The value is neither fields nor text in UTF-8, so no program can read it."
    )
    private static let inexactNumber = ConnectorError(
        .init("jq.inexact_number"),
        .rejectRecord,
        "A number has more digits than jq's 64-bit floating-point numbers keep.",
        hint: "Make it a text with Cast before, or set `numbers: double` to have it rounded."
    )
}
