import ConnectorSDK

/// Schemas in memory, with ids as a store would give them.
final class MemoryRegistry: SchemaRegistry {
    private(set) var texts: [String] = []

    func register(_ json: String) throws(ConnectorError) -> Int32 {
        if let known = texts.firstIndex(of: json) { return Int32(known + 1) }
        texts.append(json)
        return Int32(texts.count)
    }

    func schema(_ id: Int32) throws(ConnectorError) -> String? {
        texts.indices.contains(Int(id) - 1) ? texts[Int(id) - 1] : nil
    }
}

/// A record as a topic holds it.
struct TopicRecord: Equatable {
    var key: [UInt8]?
    var value: [UInt8]?
    var schemaID: Int32?

    init(_ value: String?, key: String? = nil, schemaID: Int32? = nil) {
        self.value = value.map { Array($0.utf8) }
        self.key = key.map { Array($0.utf8) }
        self.schemaID = schemaID
    }

    init(bytes: [UInt8]?, schemaID: Int32? = nil) {
        value = bytes
        self.schemaID = schemaID
    }

    var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }

    /// The records as an opaque batch, as it comes from a topic.
    static func batch(_ records: [TopicRecord]) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "orders", keySchema: .opaque)
        for (offset, record) in records.enumerated() {
            if let value = record.value {
                batch.appendOpaque(keep(value, in: batch))
            } else {
                batch.appendRow()
                batch[batch.count - 1, 0] = .null
            }
            let row = batch.count - 1
            batch[metadata: row].offset = Int64(offset)
            batch[metadata: row].isTombstone = record.value == nil
            if let key = record.key {
                batch.keyRow(row)?.pointee = .slice(.bytes, keep(key, in: batch))
            }
            if let id = record.schemaID {
                let name = Array("millrace.schema".utf8)
                let text = Array(String(id).utf8)
                let header = [UInt8(name.count * 2)] + name + [UInt8(text.count * 2)] + text
                batch[metadata: row].headers = keep(header, in: batch)
                batch[metadata: row].headerCount = 1
            }
        }
        return batch
    }

    private static func keep(_ bytes: [UInt8], in batch: RecordBatch) -> UnsafeRawBufferPointer {
        let chunk = Chunk(copying: bytes)
        batch.retain(chunk)
        return UnsafeRawBufferPointer(start: chunk.base, count: bytes.count)
    }
}

extension Converter {
    /// Decodes all records, batch after batch, and hands each batch to `body`.
    func decodeAll(
        _ records: [TopicRecord],
        schemas: MemoryRegistry,
        _ body: (RecordBatch) throws -> Void
    ) throws {
        var batch = TopicRecord.batch(records)
        while true {
            let rest = RecordBatch()
            try decodeValues(batch, rest: rest, schemas: schemas)
            try body(batch)
            if rest.count == 0 { return }
            batch = rest
        }
    }

    /// Writes all rows of a batch as a topic would hold them.
    func encodeAll(_ batch: RecordBatch, schemas: MemoryRegistry) throws -> [TopicRecord] {
        let id = try schemaID(for: batch.schema, schemas: schemas)
        return try batch.indices.map { row in
            TopicRecord(bytes: try encodeValue(batch, row: row).map { Array($0) }, schemaID: id)
        }
    }
}

extension RecordBatch {
    /// A row's fields as text, for comparisons: `name=value`.
    func describe(_ row: Int) -> String {
        schema.names.enumerated().compactMap { column, name in
            let value = Value(self[row, column])
            return value == .missing ? nil : "\(name)=\(value)"
        }.joined(separator: " ")
    }
}
