public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Copies or moves fields into headers.
public final class HeaderFrom: PartTransform {
    public static let name = "HeaderFrom"
    public static let className: String? = connectPackage + "HeaderFrom"
    public static let summary = "Copies or moves fields of the value, or key, into headers."
    public static let configuration = ConfigSpec()
        .with(fieldsKey).with(headersKey).with(operationKey).with(FieldSyntax.key)
        .with(NullDefaults.key)

    /// What becomes of the field.
    enum Operation: String, CaseIterable, Sendable {
        case move, copy
    }

    private static let fieldsKey = ConfigKey<[String]>.list(
        "fields",
        isRequired: true,
        importance: .high,
        help: """
            The fields. Text is in the header as it is, other values as JSON shows them, without \
            quotes; null, and a field that the record does not have, is a header without a value. \
            Records whose types are declared and do not include the field are rejected. Tombstones \
            pass as they are.
            """
    )
    private static let headersKey = ConfigKey<[String]>.list(
        "headers",
        isRequired: true,
        importance: .high,
        help: "The names of the headers, one for each of `fields`. Others of the name stay."
    )
    private static let operationKey = ConfigKey<Operation>.choice(
        "operation",
        default: nil,
        importance: .high,
        help: "`move` takes the fields out of the record, `copy` leaves them there."
    )

    /// How records of one schema change.
    private struct Plan {
        var places: [FieldPlace?]
        var kept: Schema
        var source: [Int]
        var undeclared: String?
    }

    private let part: RecordPart
    private let paths: [FieldPath]
    private let names: NestedNames
    private let operation: Operation
    private let output = OutputBuffer(capacity: 1 << 10)
    private let text = OutputBuffer(capacity: 1 << 10)
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        let fields = try configuration.get(Self.fieldsKey)
        let headers = try configuration.get(Self.headersKey)
        guard fields.count == headers.count else {
            throw .invalid("headers", "There are as many headers as fields.")
        }
        paths = try syntax.paths(fields, key: "fields")
        names = NestedNames(headers)
        operation = try configuration.get(Self.operationKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        for path in paths {
            outline.need(path.steps, of: part, at: Self.fieldsKey.declaration.name)
        }
        guard operation == .move else { return }
        for path in paths {
            if path.isNested {
                outline[part].retype(path.steps, .any)
            } else {
                outline[part].remove(path.first)
            }
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let plan = try derived.plan(for: schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices where !batch.lacks(part, row: row) {
            if let name = plan.undeclared {
                failures.append((row, Self.missing(name)))
            } else if let path = addHeaders(batch, row, plan) {
                failures.append((row, Self.missing("\(path)")))
            }
        }
        batch.rejectOnce(failures)
        guard operation == .move else { return }
        if part == .value { batch.rawIsJSON = false }
        if plan.kept !== schema { batch.project(part, to: plan.kept, from: plan.source) }
    }

    /// Adds the headers of a row; returns the path that leads through what is no object.
    private func addHeaders(_ batch: RecordBatch, _ row: Int, _ plan: Plan) -> FieldPath? {
        let cells = batch.cells(of: part, row)
        let metadata = batch.metadata(row)
        output.count = 0
        output.append(metadata.pointee.headers)
        for index in 0..<plan.places.count {
            var cell = Cell.missing
            if let place = plan.places[index] {
                guard let found = place.read(cells, in: batch) else { return paths[index] }
                cell = found
            }
            HeaderWriter.append(names[index], value(of: cell), to: output)
        }
        metadata.pointee.headers = batch.arena.copy(output.bytes)
        metadata.pointee.headerCount += UInt32(truncatingIfNeeded: plan.places.count)
        guard operation == .move else { return nil }
        for place in plan.places {
            if let place, place.isNested { place.remove(cells, in: batch) }
        }
        return nil
    }

    private func value(of cell: Cell) -> UnsafeRawBufferPointer? {
        if cell.isNil { return nil }
        if cell.tag == .string { return cell.slice }
        text.count = 0
        JSONText.appendCell(cell, to: text)
        guard text.bytes.first == UInt8(ascii: "\"") else { return text.bytes }
        return UnsafeRawBufferPointer(rebasing: text.bytes.dropFirst().dropLast())
    }

    private func makePlan(_ schema: Schema) -> Plan {
        let places = paths.map { FieldPlace($0, in: schema) }
        let moved = Set(places.compactMap { $0 }.filter { !$0.isNested }.map(\.column))
        let source = schema.fields.indices.filter { !moved.contains($0) }
        return Plan(
            places: places,
            kept: moved.isEmpty ? schema : schema.with(source.map { schema.fields[$0] }),
            source: source,
            undeclared: schema.undeclared(paths, places)?.description
        )
    }

    private static func missing(_ name: String) -> ConnectorError {
        ConnectorError(
            .init("transform.header_field_missing"),
            .rejectRecord,
            "The record has no field \(name), which a header is made of.",
            at: "fields"
        )
    }
}
