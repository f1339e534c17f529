public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Makes one field the whole key or value.
public final class ExtractField: PartTransform {
    public static let name = "ExtractField"
    public static let className: String? = connectPackage + "ExtractField"
    public static let summary = "Makes one field of the value, or key, the whole of it."
    public static let configuration = ConfigSpec()
        .with(fieldKey).with(missingKey).with(FieldSyntax.key).with(NullDefaults.key)

    private static let fieldKey = ConfigKey<String>.required(
        "field",
        help: """
            The field. An object in it becomes the record's fields, null a tombstone or no key. \
            Records whose types are declared and do not include the field are rejected.
            """
    )

    /// What becomes of a record that does not have the field.
    private enum MissingPolicy: String, CaseIterable, Sendable {
        case null, reject
    }

    private static let missingKey = ConfigKey<MissingPolicy>.choice(
        "on.missing",
        default: .null,
        help: """
            What becomes of a record that declares no types and does not have the field: with \
            `null` it is a tombstone, or has no key, as Kafka Connect has it; `reject` makes it a \
            dead letter. Mind that a sink may delete by a tombstone.
            """
    )

    /// Where the field of one schema is.
    private struct Plan {
        var place: FieldPlace?
        var whole: Schema
        var isUndeclared: Bool
        /// Reads objects that are in the field.
        var rows: NestedRows
    }

    private let part: RecordPart
    private let path: FieldPath
    private let onMissing: MissingPolicy
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        path = try FieldPath(configuration.get(Self.fieldKey), syntax: syntax, key: "field")
        onMissing = try configuration.get(Self.missingKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        outline.need(path.steps, of: part, at: Self.fieldKey.declaration.name)
        switch outline[part].field(at: path.steps)?.type {
        case .object(let fields): outline[part] = .only(fields)
        case nil, .any, .json: outline[part] = .unknown
        case let type?: outline[part] = .none(type)
        }
    }

    /// Extracts a field that holds objects in all records, or in none.
    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard try split(batch).allSatisfy({ $0 === batch }) else {
            throw ConnectorError(
                .init("transform.several_schemas"),
                .failTask,
                "The records of one batch have become several batches."
            )
        }
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        guard let schema = batch.fields(of: part, for: Self.self) else { return [batch] }
        let plan = try derived.plan(for: schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        var failures: [(row: Int, error: ConnectorError)] = []
        var objects = 0, others = 0
        for row in batch.indices where !batch.lacks(part, row: row) {
            let cells = batch.cells(of: part, row)
            let found = plan.place.map { $0.read(cells, in: batch) } ?? .missing
            guard let cell = found, !plan.isUndeclared,
                cell.tag != .missing || onMissing == .null
            else {
                failures.append((row, refusal))
                continue
            }
            // The first cell is where the whole value goes.
            cells.pointee = cell
            if cell.tag == .json, cell.slice.first == UInt8(ascii: "{") {
                objects += 1
            } else if cell.isNil {
                note(absenceOf: row, in: batch)
            } else {
                others += 1
            }
        }
        if part == .value { batch.rawIsJSON = false }
        batch.rejectOnce(failures)
        if part == .key {
            if objects > 0 { expandKeys(batch, plan) } else { shrink(batch, to: plan.whole) }
            return [batch]
        }
        if objects == 0 {
            shrink(batch, to: plan.whole)
            return [batch]
        }
        return others == 0
            ? expand(batch, plan) : runs(batch).flatMap { expandIfObjects($0, plan) }
    }

    private func makePlan(_ schema: Schema) -> Plan {
        let place = FieldPlace(path, in: schema)
        let field = place?.field ?? Field("")
        return Plan(
            place: place,
            whole: .whole(part, field.type, isOptional: field.isOptional),
            isUndeclared: schema.undeclared([path], [place]) != nil,
            rows: NestedRows(field.type)
        )
    }

    private func note(absenceOf row: Int, in batch: RecordBatch) {
        guard part == .value else { return }
        batch.metadata(row).pointee.isTombstone = true
        batch.row(row).pointee = .missing
    }

    private func shrink(_ batch: RecordBatch, to whole: Schema) {
        let hasColumns = (batch.schema(of: part)?.count ?? 0) > 0
        batch.project(part, to: whole, from: [hasColumns ? 0 : -1])
    }

    private var refusal: ConnectorError {
        ConnectorError(
            .init("transform.no_field"),
            .rejectRecord,
            "The record has no field \(path), or something that is no object on the way to it.",
            at: "field"
        )
    }

    // MARK: - Objects

    /// Cuts a batch into runs of rows that are objects and rows that are not.
    private func runs(_ batch: RecordBatch) -> [RecordBatch] {
        var runs: [RecordBatch] = []
        var start = 0
        for row in batch.indices {
            let isLast = row + 1 == batch.count
            guard isLast || isObject(batch, row + 1) != isObject(batch, start) else { continue }
            let run = RecordBatch()
            run.copyRows(start..<(row + 1), of: batch)
            run.retain(batch)
            runs.append(run)
            start = row + 1
        }
        // What was rejected is the first one's.
        for rejection in batch.takeRejections() { runs.first?.reject(rejection) }
        return runs
    }

    private func isObject(_ batch: RecordBatch, _ row: Int) -> Bool {
        let cell = batch.row(row).pointee
        return cell.tag == .json && cell.slice.first == UInt8(ascii: "{")
    }

    private func expandIfObjects(_ run: RecordBatch, _ plan: Plan) -> [RecordBatch] {
        guard run.count > 0, isObject(run, 0) else {
            shrink(run, to: plan.whole)
            return [run]
        }
        return expand(run, plan)
    }

    /// Makes fields of the objects in the first column; records whose fields do not fit those of the
    /// others go into a batch of their own.
    private func expand(_ batch: RecordBatch, _ plan: Plan) -> [RecordBatch] {
        let texts = batch.indices.map { batch.row($0).pointee }
        batch.replaceValues(with: Schema([Field]()))
        plan.rows.begin(batch)
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            switch plan.rows.read(texts[row], into: batch, row: row) {
            case .read: continue
            case .refused(let error): failures.append((row, error))
            case .conflict:
                let rest = RecordBatch()
                rest.copyRows(row..<batch.count, of: batch)
                rest.retain(batch)
                batch.removeLast(batch.count - row)
                batch.rejectOnce(failures)
                rest.replaceValues(with: Schema([Field("")]))
                for next in rest.indices { rest.row(next).pointee = texts[row + next] }
                return [batch] + expand(rest, plan)
            }
        }
        batch.rejectOnce(failures)
        return [batch]
    }

    /// Makes fields of the objects in the first key column; their order is that of the first.
    private func expandKeys(_ batch: RecordBatch, _ plan: Plan) {
        let texts = batch.indices.map { batch.cells(of: .key, $0).pointee }
        let row = RecordBatch()
        var cells: [[(String, Cell)]] = []
        var fields: [Field] = []
        for text in texts {
            row.reset(topic: "")
            plan.rows.begin(row)
            row.appendRow()
            guard case .read = plan.rows.read(text, into: row, row: 0) else {
                // A key that is no object stands for itself, as keys that converters read do.
                cells.append(text.isNil ? [] : [(RecordPart.key.rawValue, text)])
                continue
            }
            cells.append(
                zip(row.schema.names, row.schema.fields.indices).map { name, column in
                    let cell = row[0, column]
                    guard cell.isSlice else { return (name, cell) }
                    return (name, .slice(cell.tag, batch.arena.copy(cell.slice)))
                }
            )
            fields += row.schema.fields.filter { field in
                !fields.contains { $0.name == field.name }
            }
        }
        let hasOther = zip(texts, cells).contains { $0.tag != .json && !$1.isEmpty }
        if hasOther, !fields.contains(where: { $0.name == RecordPart.key.rawValue }) {
            fields.append(Field(RecordPart.key.rawValue))
        }
        if fields != lastKeys?.fields { lastKeys = Schema(fields) }
        guard let schema = lastKeys else { return }
        batch.addKeys(schema)
        for (row, named) in cells.enumerated() {
            guard let key = batch.keyRow(row) else { continue }
            for (name, cell) in named {
                if let column = schema.index(of: name) { key[column] = cell }
            }
        }
    }

    private var lastKeys: Schema?
}
