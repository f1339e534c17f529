internal import ConnectorSDK
internal import JSONRecords

/// Keys as JSON objects: written from the fields of a key, and read back into them.
internal final class JSONKeys {
    private var parsers = TopicParsers(scalarField: "key")
    private let oddParser = JSONRecordParser(scalarField: "key")
    // A key has no schema beside it, but the column that it goes to has a type, and reads `"NaN"`.
    private let writer = JSONRecordWriter(hasTypes: true)
    private let output = OutputBuffer(capacity: 4 << 10)
    private let parsed = RecordBatch()
    private let odd = RecordBatch()
    private let wholeSchema = Schema.whole(.key)

    /// Replaces opaque keys by their fields.
    ///
    /// A key that is no object becomes one field `key`: a JSON value, or else text or bytes as they
    /// are. Keys are used by name, so unlike values they may have their fields in any order.
    func decode(_ batch: RecordBatch) {
        guard let schema = batch.keySchema, schema.isOpaque else { return }
        parsed.reset(topic: batch.topic)
        let parser = parsers[batch.topic]
        parser.begin(parsed)
        for row in batch.indices {
            let cell = batch.keyRow(row)?.pointee ?? .missing
            if cell.isSlice {
                parse(cell.slice, with: parser)
            } else {
                parsed.appendRow()
            }
        }
        batch.addKeys(isWhole() ? wholeSchema : parsed.schema)
        for row in batch.indices {
            guard let target = batch.keyRow(row) else { continue }
            for column in 0..<parsed.schema.count {
                target[column] = keep(parsed[row, column], of: row, in: batch)
            }
        }
    }

    /// Whether all keys are values that are no objects.
    private func isWhole() -> Bool {
        guard parsed.schema.count == 1, parsed.schema.fields[0].name == "key" else { return false }
        for row in parsed.indices {
            let text = parsed.metadata(row).pointee.raw
            if let first = text.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") {
                return false
            }
        }
        return true
    }

    private func parse(_ text: UnsafeRawBufferPointer, with parser: JSONRecordParser) {
        switch parser.append(text, to: parsed) {
        case .parsed: return
        case .invalid:
            let tag: Cell.Tag = JSONRecordParser.isValidUTF8(text) ? .string : .bytes
            let row = parsed.appendRow()
            set(.slice(tag, text), row, "key")
            parsed.metadata(row).pointee.raw = text
        case .conflict:
            odd.reset(topic: parsed.topic)
            oddParser.begin(odd)
            let row = parsed.appendRow()
            parsed.metadata(row).pointee.raw = text
            guard oddParser.append(text, to: odd) == .parsed else { return }
            for (column, name) in odd.schema.names.enumerated() {
                let cell = odd[0, column]
                if cell.isSlice {
                    set(.slice(cell.tag, parsed.arena.copy(cell.slice)), row, name)
                } else if cell.tag != .missing {
                    set(cell, row, name)
                }
            }
        }
    }

    private func set(_ cell: Cell, _ row: Int, _ name: String) {
        if parsed.schema.index(of: name) == nil {
            parsed.widen(to: Schema(parsed.schema.fields + [Field(name)]))
        }
        guard let column = parsed.schema.index(of: name) else { return }
        parsed[row, column] = cell
    }

    /// A cell that lives as long as `batch`: what is not part of the key's own text is copied.
    private func keep(_ cell: Cell, of row: Int, in batch: RecordBatch) -> Cell {
        guard cell.isSlice, let start = cell.slice.baseAddress else { return cell }
        let raw = parsed.metadata(row).pointee.raw
        if let base = raw.baseAddress, start >= base, start <= base + raw.count { return cell }
        return .slice(cell.tag, batch.arena.copy(cell.slice))
    }

    /// The key of a row: an opaque one as it is, fields as an object, `nil` when all are missing.
    func encode(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        guard let schema = batch.keySchema, let cells = batch.keyRow(row) else { return nil }
        if schema.isOpaque { return cells.pointee.isSlice ? cells.pointee.slice : nil }
        if batch.lacks(.key, row: row) { return nil }
        output.count = 0
        try writer.writeObject(cells, of: schema, into: output)
        return output.bytes
    }
}
