internal import ConnectorSDK
internal import JSONDocuments
internal import JSONRecords

/// One stream of a tap: what its schema says, and the batch that is being filled.
final class TapStream {
    /// What became of a record.
    enum Outcome {
        case taken
        /// The batch is full, or its columns do not fit: send it and try again.
        case needsBatch
        case refused(ConnectorError)
    }

    let name: String
    let topic: String
    /// The declared fields, and those that records had beyond them.
    private var schema: Schema
    private var names: [[UInt8]]
    private let keys: [String]
    private let keySchema: Schema?
    private let restorer: TypeRestorer
    private(set) var batch: RecordBatch?

    init(
        _ name: String,
        topic: String,
        schema: JSONDocument,
        keys: [String]
    ) {
        self.name = name
        self.topic = topic
        self.keys = keys
        self.schema = Schema(FieldTypes.fields(of: schema))
        let types = self.schema
        keySchema =
            keys.isEmpty
            ? nil
            : Schema(
                keys.map { key in
                    Field(key, types.index(of: key).map { types.fields[$0].type } ?? .any)
                }
            )
        restorer = TypeRestorer(self.schema)
        names = self.schema.names.map { Array($0.utf8) }
    }

    /// Gives the stream a batch to fill.
    func begin(_ batch: RecordBatch) {
        batch.replaceValues(with: schema)
        if let keySchema { batch.addKeys(keySchema) }
        self.batch = batch
    }

    /// Hands the batch over, if there is anything in it.
    func takeBatch() -> RecordBatch? {
        guard let batch, batch.count > 0 || !batch.rejections.isEmpty else { return nil }
        self.batch = nil
        return batch
    }

    /// Adds a record, whose text the caller's chunk holds.
    func add(
        _ text: UnsafeRawBufferPointer,
        _ chunk: Chunk,
        time: Int64?,
        line: Int64
    ) -> Outcome {
        guard let batch, !batch.isFull else { return .needsBatch }
        guard var members = JSONMembers(text) else { return .refused(refusal("it is no object")) }
        batch.retain(chunk)
        let row = batch.appendRow()
        batch.metadata(row).pointee.raw = text
        var expected = 0
        while members.next() {
            guard let column = column(of: members, &expected, batch) else {
                batch.removeLast()
                return .refused(refusal("it has too many fields"))
            }
            batch.row(row)[column] = JSONText.cell(members.value, in: batch)
        }
        if let field = restore(row, of: batch) {
            batch.removeLast()
            return .refused(refusal("the field `\(field)` is not what the schema says"))
        }
        if let missing = setKey(row, of: batch) {
            batch.removeLast()
            return .refused(refusal("it lacks the key property `\(missing)`"))
        }
        let metadata = batch.metadata(row)
        metadata.pointee.line = line
        if let time { metadata.pointee.timestamp = time }
        return .taken
    }

    /// The column of a field; one that no schema told of gets a column of its own.
    ///
    /// Most records have their fields in the order of the schema, so the next one is tried first.
    private func column(
        of members: JSONMembers,
        _ expected: inout Int,
        _ batch: RecordBatch
    ) -> Int? {
        if expected < names.count,
            names[expected].withUnsafeBytes({ members.isNamed($0) })
        {
            expected += 1
            return expected - 1
        }
        if let known = names.firstIndex(where: { name in
            name.withUnsafeBytes { members.isNamed($0) }
        }) {
            expected = known + 1
            return known
        }
        // D7: fields with ever new names would take ever more memory.
        guard names.count < JSONLimits.fields else { return nil }
        let name = SingerMessage.unescaped(members.name)
        schema = Schema(schema.fields + [Field(name)])
        names.append(Array(name.utf8))
        batch.widen(to: schema)
        expected = names.count
        return expected - 1
    }

    /// Gives the cells their types; returns the field that has another.
    private func restore(_ row: Int, of batch: RecordBatch) -> String? {
        let cells = batch.row(row)
        for (column, field) in schema.fields.enumerated() where !cells[column].isNil {
            let cell = cells[column]
            switch field.type {
            case .timestamp:
                // Times without a zone are UTC's here, as Singer's targets take them.
                guard cell.tag == .string, let time = TimeText.instant(cell.slice) else {
                    return field.name
                }
                cells[column] = time
            case .date:
                // Taps that know no date write midnight.
                guard cell.tag == .string, let days = Self.days(cell.slice) else {
                    return field.name
                }
                cells[column] = Cell(tag: .date, bits: UInt64(bitPattern: days))
            case .decimal where cell.tag == .string:
                guard let number = NumberText.parse(cell.slice) else { return field.name }
                cells[column] = number
            case .time, .json:
                guard let restored = restorer.restore(cell, as: field.type, batch) else {
                    return field.name
                }
                cells[column] = restored
            default: continue
            }
        }
        return nil
    }

    private static func days(_ text: UnsafeRawBufferPointer) -> Int64? {
        if let days = TimeText.date(text) { return days }
        guard let instant = TimeText.instant(text), instant.length == 0,
            instant.int64 % 86_400_000_000 == 0
        else { return nil }
        return instant.int64 / 86_400_000_000
    }

    /// Copies the key's cells; returns the one that is absent.
    private func setKey(_ row: Int, of batch: RecordBatch) -> String? {
        guard let target = batch.keyRow(row) else { return nil }
        for (index, key) in keys.enumerated() {
            guard let column = batch.schema.index(of: key) else { return key }
            let cell = batch.row(row)[column]
            guard cell.tag != .missing else { return key }
            target[index] = cell
        }
        return nil
    }

    private func refusal(_ reason: String) -> ConnectorError {
        ConnectorError(
            .init("singer.record"),
            .rejectRecord,
            "A record of the stream `\(name)` is refused: \(reason)."
        )
    }
}
