internal import ConnectorSDK
internal import JSONRecords

/// Writes cells as `{"schema":…,"payload":…}`; the schema's text is kept while it stays the same.
internal final class ConnectEnvelopeWriter {
    private let cells = ConnectCells()
    private let writer = JSONRecordWriter()
    private let prefix = OutputBuffer(capacity: 4 << 10)
    private var schema: Schema?
    private var kinds: [ConnectKind?] = []
    private var written: [ConnectKind] = []
    private var row: [Cell] = []
    private var arena = Arena(capacity: 4 << 10)

    /// Appends the envelope of one record.
    func write(
        _ source: UnsafePointer<Cell>,
        of schema: Schema,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        if schema !== self.schema {
            self.schema = schema
            kinds = Array(repeating: nil, count: schema.count)
            written = []
        }
        try chooseKinds(source, schema)
        arena.removeAll()
        row.removeAll(keepingCapacity: true)
        for column in 0..<schema.count {
            row.append(cells.encode(source[column], as: written[column], arena: &arena))
        }
        let start = output.count
        output.append(prefix.bytes)
        do throws(ConnectorError) {
            try writer.writeObject(&row, of: schema, into: output)
        } catch {
            output.count = start
            throw error
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Finds each column's kind, and writes the schema anew when one has changed.
    private func chooseKinds(
        _ source: UnsafePointer<Cell>,
        _ schema: Schema
    ) throws(ConnectorError) {
        var isChanged = written.count != schema.count
        for (column, field) in schema.fields.enumerated() {
            let cell = source[column]
            let kind = ConnectKind.holding(cell, type: field.type, after: kinds[column])
            guard let kind else {
                throw ConnectorError(
                    .inexpressibleInJSON,
                    .rejectRecord,
                    "The field `\(field.name)` holds a number that is too long for a decimal."
                )
            }
            if !cell.isNil { kinds[column] = kind }
            if !isChanged, written[column] != kind { isChanged = true }
            if column < written.count { written[column] = kind } else { written.append(kind) }
        }
        guard isChanged else { return }
        prefix.count = 0
        prefix.append("{\"schema\":")
        ConnectSchema.write(schema, kinds: written, to: prefix)
        prefix.append(",\"payload\":")
    }
}
