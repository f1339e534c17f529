internal import ConnectorSDK
internal import JSONRecords

/// Writes records as lines, or as one array with a record on each line.
internal final class JSONWriter: RecordWriter {
    private let records = JSONRecordWriter()
    private let isArray: Bool
    /// Whether the array has no record yet; a writer that did not begin the stream continues one.
    private var isFirst = false

    init(isArray: Bool) { self.isArray = isArray }

    func begin(_ batch: RecordBatch, into output: OutputBuffer) throws(ConnectorError) {
        isFirst = true
        if isArray { output.append(UInt8(ascii: "[")) }
    }

    func write(
        _ batch: RecordBatch,
        rows: Range<Int>,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        let start = output.count
        let wasFirst = isFirst
        do throws(ConnectorError) {
            for row in rows {
                if isArray { separate(output) }
                try records.writeValue(batch, row: row, into: output)
                if !isArray { output.append(UInt8(ascii: "\n")) }
            }
        } catch {
            output.count = start
            isFirst = wasFirst
            throw error
        }
    }

    func end(into output: OutputBuffer) throws(ConnectorError) {
        if isArray { output.append("\n]\n") }
    }

    private func separate(_ output: OutputBuffer) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        output.append(UInt8(ascii: "\n"))
        isFirst = false
    }
}
