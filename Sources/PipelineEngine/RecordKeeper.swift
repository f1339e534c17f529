internal import ConnectorSDK

/// Keeps of records that come from topics and go to topics what no transform touches: a key is
/// written as it was read, byte for byte, and its record stays in its partition.
///
/// One instance serves one task. Keys are known again by the number of their row
/// (``RecordMetadata/sequence``).
final class RecordKeeper {
    private let keys: any Converter
    private let keepsPartitions: Bool
    /// The keys as the topic holds them, by number; empty when the batch has none.
    private var original: [Cell] = []
    /// The same keys as fields, `stride` cells each.
    private var decoded: [Cell] = []
    private var stride = 0
    private var schema: Schema?
    private var kept: [Cell] = []

    init(_ converters: ConverterPair, _ placement: RecordPlacement) {
        keys = converters.key
        keepsPartitions = placement == .keep
    }

    /// Notes the keys of a batch as it was read; its rows are numbered.
    func begin(_ batch: RecordBatch) {
        original.removeAll(keepingCapacity: true)
        schema = nil
        guard batch.keySchema != nil else { return }
        for row in batch.indices { original.append(batch.keyRow(row)?.pointee ?? .missing) }
    }

    /// Notes the fields that the keys of a part of the batch were decoded to.
    ///
    /// Whoever writes the values names their schema anew, so the header that names the one they
    /// were written with goes.
    func noteDecoded(_ part: RecordBatch) {
        Self.removeSchemaHeaders(part)
        guard let schema = part.keySchema, !original.isEmpty else { return }
        if self.schema !== schema {
            self.schema = schema
            stride = schema.count
        }
        if decoded.count < original.count * stride {
            decoded = Array(repeating: .missing, count: original.count * stride)
        }
        for row in part.indices {
            guard let key = part.keyRow(row) else { return }
            let start = Int(part.metadata(row).pointee.sequence) * stride
            for column in 0..<stride { decoded[start + column] = key[column] }
        }
    }

    /// Gives the rows their keys back as the topic held them, where transforms left them alone, and
    /// says which partition each row asks for.
    func finish(_ part: RecordBatch) throws(ConnectorError) {
        guard let schema = part.keySchema else {
            if !keepsPartitions { clearPartitions(of: part) }
            return
        }
        guard schema === self.schema, !original.isEmpty else {
            // D5: records with one key are in one partition, so another key may have another one.
            if !schema.isOpaque || !keepsPartitions { clearPartitions(of: part) }
            return
        }
        kept.removeAll(keepingCapacity: true)
        for row in part.indices { kept.append(try key(of: row, in: part)) }
        part.addKeys(.opaque)
        for row in part.indices { part.keyRow(row)?.pointee = kept[row] }
        if !keepsPartitions { clearPartitions(of: part) }
    }

    private func key(of row: Int, in part: RecordBatch) throws(ConnectorError) -> Cell {
        let metadata = part.metadata(row)
        guard let key = part.keyRow(row) else { return .missing }
        let number = Int(metadata.pointee.sequence)
        if (0..<stride).allSatisfy({ Self.isSame(key[$0], decoded[number * stride + $0]) }) {
            return original[number]
        }
        metadata.pointee.partition = -1
        guard let bytes = try keys.encodeKey(part, row: row) else { return .missing }
        return .slice(.bytes, part.arena.copy(bytes))
    }

    private static func isSame(_ left: Cell, _ right: Cell) -> Bool {
        left.bits == right.bits && left.tag == right.tag && left.length == right.length
            && left.scale == right.scale
    }

    private func clearPartitions(of part: RecordBatch) {
        for row in part.indices { part.metadata(row).pointee.partition = -1 }
    }

    private static func removeSchemaHeaders(_ part: RecordBatch) {
        for row in part.indices where part.metadata(row).pointee.headerCount > 0 {
            let metadata = part.metadata(row)
            guard HeaderReader.value(of: "millrace.schema", in: metadata.pointee) != nil else {
                continue
            }
            if metadata.pointee.headerCount == 1 {
                metadata.pointee.headers = UnsafeRawBufferPointer(start: nil, count: 0)
                metadata.pointee.headerCount = 0
                continue
            }
            var bytes: [UInt8] = []
            let own = RecordHeaders.decode(
                metadata.pointee.headers,
                count: Int(metadata.pointee.headerCount)
            ).filter { $0.key != TopicWriter.schemaHeader }
            for header in own { RecordHeaders.append(header.key, header.value, to: &bytes) }
            metadata.pointee.headers = bytes.withUnsafeBytes { part.arena.copy($0) }
            metadata.pointee.headerCount = UInt32(own.count)
        }
    }
}
