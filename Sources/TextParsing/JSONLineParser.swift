public import ConnectorSDK
internal import JSONRecords

/// Reads lines that are JSON objects.
public final class JSONLineParser: LineParser {
    public let fields = LineFields()
    private let parser = JSONRecordParser()
    /// One row, in whose arena unescaped texts are; batches retain it.
    private var row = RecordBatch()
    private var names: [String: Int] = [:]
    /// Which field each column of a schema is, for the schemas seen last.
    private var columns: [ObjectIdentifier: (schema: Schema, fields: [Int])] = [:]
    private var lastCount = 0

    /// Makes a parser.
    public init() {}

    public func begin(_ batch: RecordBatch) {
        if fields.areTooMany(afterLineOf: lastCount) { forget() }
        // What an earlier batch retains is still in use.
        if !isKnownUniquelyReferenced(&row) { row = RecordBatch() }
        row.reset(topic: "")
        row.appendRow()
        parser.begin(row)
        batch.retain(row)
    }

    public func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem? {
        if fields.areNested, fields.areTooMany(afterLineOf: lastCount) { forget() }
        guard let first = line.first(where: { $0 > 0x20 }) else {
            return LineProblem("the line is empty", at: 0)
        }
        guard first == UInt8(ascii: "{") else {
            return LineProblem("it must be a JSON object", at: 0)
        }
        for column in 0..<row.schema.count { row.row(0)[column] = .missing }
        switch parser.parse(line, isValidUTF8: true, into: row, row: 0) {
        case .parsed: break
        case .conflict: return LineProblem("its fields are too many", at: 0)
        case .invalid(let error): return LineProblem(error.reason.rawValue, at: error.offset)
        }
        guard let columns = resolve(row.schema) else { return fields.excess(at: 0) }
        fields.clear()
        lastCount = 0
        let cells = row.row(0)
        for column in 0..<columns.count {
            fields.cells[columns[column]] = cells[column]
            if cells[column].tag != .missing { lastCount += 1 }
        }
        return nil
    }

    private func resolve(_ schema: Schema) -> [Int]? {
        if let known = columns[ObjectIdentifier(schema)] { return known.fields }
        var result: [Int] = []
        for field in schema.fields {
            if let index = names[field.name] {
                result.append(index)
                continue
            }
            guard fields.count < fields.limit else { return nil }
            names[field.name] = fields.count
            result.append(fields.count)
            fields.add(field.name)
        }
        if columns.count >= 16 { columns.removeAll() }
        columns[ObjectIdentifier(schema)] = (schema, result)
        return result
    }

    private func forget() {
        names.removeAll()
        columns.removeAll()
        fields.removeAll()
    }
}
