internal import ConnectorSDK
internal import JSONRecords

/// The work that the `string` and `bytes` converters share.
internal final class OpaqueBytes {
    private static let keySchemas: [Cell.Tag: Schema] = [
        .string: Schema([Field("key", .string)]), .bytes: Schema([Field("key", .bytes)]),
    ]

    private let tag: Cell.Tag
    private let output = OutputBuffer(capacity: 4 << 10)
    private let values = JSONRecordWriter()
    private let keys = JSONRecordWriter()

    init(tag: Cell.Tag) { self.tag = tag }

    func decodeValues(_ batch: RecordBatch) {
        guard batch.schema.isOpaque else { return }
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            let cell = batch.row(row)
            guard cell.pointee.tag == .bytes || cell.pointee.tag == .string else { continue }
            if tag == .string, !JSONRecordParser.isValidUTF8(cell.pointee.slice) {
                rejected.append((row, Self.notText))
            }
            cell.pointee.tag = tag
        }
        batch.reject(rejected)
    }

    private static let notText = ConnectorError(
        .init("string.not_utf8"),
        .rejectRecord,
        "The value is not valid UTF-8.",
        hint: "Use the `bytes` converter for values that are no text."
    )

    func decodeKeys(_ batch: RecordBatch) {
        guard let schema = batch.keySchema, schema.isOpaque,
            let named = Self.keySchemas[tag]
        else { return }
        let cells = batch.indices.map { batch.keyRow($0)?.pointee ?? .missing }
        batch.addKeys(named)
        for (row, var cell) in cells.enumerated() {
            if cell.isSlice {
                let isText = tag == .string && JSONRecordParser.isValidUTF8(cell.slice)
                cell.tag = isText ? .string : .bytes
            }
            batch.keyRow(row)?.pointee = cell
        }
    }

    func encodeValue(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        if batch.metadata(row).pointee.isTombstone { return nil }
        if batch.schema.isWhole { return try encode(batch[row, 0]) }
        output.count = 0
        try values.writeValue(batch, row: row, into: output)
        return output.bytes
    }

    func encodeKey(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        guard let schema = batch.keySchema, let cells = batch.keyRow(row) else { return nil }
        if schema.count == 1 { return try encode(cells.pointee) }
        guard (0..<schema.count).contains(where: { cells[$0].tag != .missing }) else { return nil }
        output.count = 0
        try keys.writeObject(cells, of: schema, into: output)
        return output.bytes
    }

    /// The bytes of one value: slices as they are, others as JSON writes them, without quotes.
    private func encode(_ cell: Cell) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        if cell.isNil { return nil }
        if cell.isSlice { return cell.slice }
        output.count = 0
        guard JSONText.appendCell(cell, to: output) else {
            throw ConnectorError(
                .inexpressibleInJSON,
                .rejectRecord,
                "The value has no text: it is not finite."
            )
        }
        guard output.bytes.first == UInt8(ascii: "\"") else { return output.bytes }
        return UnsafeRawBufferPointer(rebasing: output.bytes.dropFirst().dropLast())
    }
}
