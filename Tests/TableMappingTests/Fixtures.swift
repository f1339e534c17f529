import ConnectorSDK
import TableMapping

/// One record: a key and a value, `nil` for a tombstone.
struct Row {
    var key: Int64
    var value: [String: Value]?

    init(_ key: Int64, _ value: [String: Value]?) {
        self.key = key
        self.value = value
    }
}

/// A batch whose key is the field `id`, and whose value has the fields `a`, `b` and `c`.
func makeBatch(_ rows: [Row], fields: [String] = ["a", "b", "c"]) -> RecordBatch {
    let batch = RecordBatch()
    batch.reset(topic: "orders", schema: Schema(fields), keySchema: Schema(["id"]))
    for item in rows {
        let row = batch.appendRow()
        batch.keyRow(row)?[0] = .int(item.key)
        for (name, value) in item.value ?? [:] { batch.set(row, name, value) }
        batch.metadata(row).pointee.isTombstone = item.value == nil
        batch.metadata(row).pointee.partition = 0
        batch.metadata(row).pointee.offset = Int64(row)
    }
    return batch
}

func settings(_ values: [String: String] = [:]) throws -> TableSinkSettings {
    try TableSinkSettings(
        Configuration(values),
        dialect: TableDialect(nameLimit: 63, fold: { $0.lowercased() })
    )
}
