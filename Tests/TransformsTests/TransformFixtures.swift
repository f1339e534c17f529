import ConnectorSDK
import Testing

/// A batch of records with fields.
func makeBatch(_ records: [KeyValuePairs<String, Value>], topic: String = "orders") -> RecordBatch {
    let batch = RecordBatch()
    batch.reset(topic: topic)
    for record in records { batch.append(record) }
    return batch
}

/// A batch of opaque values.
func makeOpaqueBatch(_ values: [String]) -> RecordBatch {
    let batch = RecordBatch()
    batch.reset(topic: "lines")
    for value in values {
        let chunk = Chunk(copying: value.utf8)
        batch.retain(chunk)
        batch.appendOpaque(UnsafeRawBufferPointer(chunk.bytes))
    }
    return batch
}

extension RecordBatch {
    /// The values of a field in all rows.
    func column(_ name: String) -> [Value] { indices.map { value($0, name) } }

    /// A row, as far as its fields are not missing.
    func fields(_ row: Int) -> [String: Value] {
        var result: [String: Value] = [:]
        for name in schema.names where value(row, name) != .missing {
            result[name] = value(row, name)
        }
        return result
    }
}

/// The error that `body` throws, as code and key.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ConnectorError {
        return "\(error.code.rawValue) \(error.configurationKey ?? "")"
    } catch {
        return "\(error)"
    }
}
