internal import ConnectorSDK

/// Makes records' keys of fields of their values, as `key.fields` says.
final class KeyExtractor {
    private let names: [String]
    private var source: Schema?
    private var columns: [Int] = []
    private var keySchema = Schema([String]())

    init(fields: [String]) { names = fields }

    /// Gives every record its key; records without one of the fields are rejected in the batch.
    func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.count > 0 else { return }
        if source !== batch.schema { try resolve(batch.schema) }
        batch.addKeys(keySchema)
        let columns = self.columns
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            guard let key = batch.keyRow(row) else { return }
            // A deletion has no fields; its key comes from the source or is not there at all.
            if batch.metadata(row).pointee.isTombstone { continue }
            let cells = batch.row(row)
            for index in 0..<columns.count {
                let column = columns[index]
                let cell = column < 0 ? Cell.missing : cells[column]
                guard cell.tag != .missing else {
                    rejected.append((row, missing(names[index])))
                    break
                }
                key[index] = cell
            }
        }
        batch.reject(rejected)
    }

    private func resolve(_ schema: Schema) throws(ConnectorError) {
        guard !schema.isOpaque else {
            throw .invalid(
                FrameworkKeys.keyFields.declaration.name,
                "The records are opaque values without fields.",
                hint: "Choose a format that has fields, such as `format: json`."
            )
        }
        columns = names.map { schema.index(of: $0) ?? -1 }
        let fields = names.indices.map { index in
            columns[index] < 0 ? Field(names[index]) : schema.fields[columns[index]]
        }
        // The same object as long as nothing changed: converters resolve names once per schema.
        if fields != keySchema.fields { keySchema = Schema(fields) }
        source = schema
    }

    private func missing(_ name: String) -> ConnectorError {
        ConnectorError(
            .init("engine.key_field_missing"),
            .rejectRecord,
            "The record has no field `\(name)`, which the key is made of.",
            at: FrameworkKeys.keyFields.declaration.name
        )
    }
}
