package import ConnectorSDK
package import JQPrograms
internal import JSONRecords

/// Runs programs with records.
package final class JqInput {
    private let writer = JSONRecordWriter()
    private let keyWriter = JSONRecordWriter()
    private let output = OutputBuffer(capacity: 4 << 10)
    private let mayRound: Bool

    /// - Parameter mayRound: whether numbers may lose digits, as they do in jq.
    package init(mayRound: Bool) { self.mayRound = mayRound }

    /// Runs a program with one record: its value, or an object of the record and its value.
    ///
    /// An opaque value is a string, as with `jq --raw-input`. To be called from within the program's
    /// `perform`. Each value goes to `each`, which returns whether the program is to go on.
    package func run(
        _ program: JQProgram,
        _ batch: RecordBatch,
        row: Int,
        each: (JQValue) -> Bool
    ) throws(ConnectorError) {
        do throws(JQError) {
            if let input = directInput(program, batch, row),
                try program.run(input, each: each)
            {
                return
            }
        } catch {
            throw JqKeys.rejection(error)
        }
        let json = try text(batch, row: row, withRecord: program.usesRecord)
        do throws(JQError) {
            _ = try program.run(.json(json), each: each)
        } catch {
            throw JqKeys.rejection(error)
        }
    }

    /// The input where it need not be written as JSON and parsed again.
    private func directInput(
        _ program: JQProgram,
        _ batch: RecordBatch,
        _ row: Int
    ) -> JQProgram.Input? {
        guard !program.usesRecord else { return nil }
        let cells = batch.row(row)
        if batch.schema.isOpaque {
            let value = cells.pointee
            guard value.tag == .string || value.tag == .bytes,
                JSONRecordParser.isValidUTF8(value.slice)
            else { return nil }
            return .text(value.slice)
        }
        // A text that is no object is read as a field, and is none.
        let metadata = batch.metadata(row)
        let isObject =
            !batch.rawIsJSON || metadata.pointee.rawLength == 0
            || metadata.pointee.raw[0] == UInt8(ascii: "{")
        guard isObject, !batch.schema.isWhole else { return nil }
        if !mayRound {
            for column in 0..<batch.schema.count where cells[column].tag == .json {
                // The text of the whole value tells why not.
                if JqNumbers.areChanged(in: cells[column].slice) { return nil }
            }
        }
        return .fields(cells, batch.schema)
    }

    /// The text of one record, valid until the next call.
    private func text(
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
