internal import ConnectorSDK
internal import JQPrograms
internal import JSONRecords

/// Collects the values that a program gives as records, in as few batches as their fields allow.
internal final class JqOutput {
    /// How far the collection has come.
    struct Mark {
        fileprivate var batches: Int
        fileprivate var rows: Int
    }

    private let isRaw: Bool
    private let parser = JSONRecordParser()
    private let textParser = JSONRecordParser()
    private var columns = JqColumns(Schema([Field]()))
    private var source = RecordBatch()
    private var batches: [RecordBatch] = []

    /// - Parameter isRaw: whether strings become texts without quotes.
    init(isRaw: Bool) { self.isRaw = isRaw }

    /// Starts to collect what becomes of a batch.
    func begin(_ batch: RecordBatch) {
        source = batch
        batches.removeAll()
    }

    /// Hands over the batches, in order; one empty one when nothing was collected.
    func end() -> [RecordBatch] {
        if batches.isEmpty { _ = startBatch(.opaque) }
        defer {
            batches.removeAll()
            source = RecordBatch()
        }
        return batches
    }

    var mark: Mark { Mark(batches: batches.count, rows: batches.last?.count ?? 0) }

    /// Takes back what was collected since.
    func takeBack(to mark: Mark) {
        batches.removeLast(batches.count - mark.batches)
        if let last = batches.last { last.removeLast(last.count - mark.rows) }
    }

    /// Adds a record without a value, with the key of a row of the source.
    func appendTombstone(_ row: Int) {
        let batch = batches.last ?? startBatch(.opaque)
        let target = append(to: batch, row)
        if batch.schema.isOpaque { batch[target, 0] = .null }
        batch.metadata(target).pointee.isTombstone = true
    }

    /// Adds a record with a value, which is copied, and the key and metadata of a row of the source.
    ///
    /// - Returns: why it cannot be a record.
    func append(_ value: JQValue, _ row: Int) -> ConnectorError? {
        if let members = value.members, append(members, row) { return nil }
        let json = value.text
        switch json.first {
        case UInt8(ascii: "{"): return appendObject(json, row)
        case UInt8(ascii: "n"): appendTombstone(row)
        case UInt8(ascii: "\"") where isRaw: appendText(json, row)
        default: appendOpaque(json, row)
        }
        return nil
    }

    /// Adds an object whose members have their columns already; returns whether it has.
    private func append(_ members: JQMembers, _ row: Int) -> Bool {
        guard let batch = batches.last, !batch.isFull, !batch.schema.isOpaque else { return false }
        if batch.schema !== columns.schema { columns = JqColumns(batch.schema) }
        let target = append(to: batch, row)
        guard columns.fill(batch.row(target), from: members, of: batch) else {
            batch.removeLast()
            return false
        }
        return true
    }

    private func appendObject(_ json: UnsafeRawBufferPointer, _ row: Int) -> ConnectorError? {
        let mayJoin = batches.last.map { !$0.schema.isOpaque && !$0.isFull } ?? false
        var batch = mayJoin ? batches[batches.count - 1] : startFields()
        while true {
            let target = append(to: batch, row)
            let text = batch.arena.copy(json)
            switch parser.parse(text, isValidUTF8: true, into: batch, row: target) {
            case .parsed: return nil
            case .invalid(let error):
                batch.removeLast()
                return Self.refusal(error)
            case .conflict:
                batch.removeLast()
                batch = startFields()
            }
        }
    }

    private func appendOpaque(_ bytes: UnsafeRawBufferPointer, _ row: Int) {
        let mayJoin = batches.last.map { $0.schema.isOpaque && !$0.isFull } ?? false
        let batch = mayJoin ? batches[batches.count - 1] : startBatch(.opaque)
        let target = append(to: batch, row)
        batch[target, 0] = .slice(.bytes, batch.arena.copy(bytes))
    }

    /// Adds the characters that a JSON string stands for.
    private func appendText(_ json: UnsafeRawBufferPointer, _ row: Int) {
        let scratch = RecordBatch()
        scratch.reset(topic: source.topic)
        let text = scratch.arena.copy(json)
        textParser.begin(scratch)
        let target = scratch.appendRow()
        guard textParser.parse(text, isValidUTF8: true, into: scratch, row: target) == .parsed,
            let column = scratch.schema.index(of: JSONRecordParser.valueField)
        else { return appendOpaque(json, row) }
        appendOpaque(scratch[target, column].slice, row)
    }

    private func startFields() -> RecordBatch {
        let batch = startBatch(.opaque)
        parser.begin(batch)
        return batch
    }

    private func startBatch(_ schema: Schema) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: source.topic, schema: schema, keySchema: source.keySchema)
        batch.origin = source.origin
        batch.recordContext = source.recordContext
        batch.retain(source)
        batches.append(batch)
        return batch
    }

    private func append(to batch: RecordBatch, _ row: Int) -> Int {
        let target = batch.appendRow()
        if let key = batch.keyRow(target), let sourceKey = source.keyRow(row) {
            key.update(from: sourceKey, count: source.keySchema?.count ?? 0)
        }
        batch.metadata(target).pointee = source.metadata(row).pointee
        return target
    }

    private static func refusal(_ error: JSONSyntaxError) -> ConnectorError {
        ConnectorError(
            .init("jq.result"),
            .rejectRecord,
            "What the program gives cannot be a record: \(error.reason.rawValue)."
        )
    }
}
