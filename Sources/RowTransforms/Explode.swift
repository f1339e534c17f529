public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Makes a record of each element of an array.
public final class Explode: Transform {
    public static let name = "Explode"
    public static let summary = "Makes a record of each element of an array."
    public static let configuration = ConfigSpec()
        .with(fieldKey).with(FieldSyntax.key).with(indexKey).with(emptyKey).with(errorKey)
        .with(limitKey)

    private static let fieldKey = ConfigKey<String>.required(
        "field",
        help: """
            The field that holds the array. Each record has all other fields, the key, the headers \
            and the timestamp, and in this field one element.
            """
    )
    private static let indexKey = ConfigKey<String?>.optional(
        "index.field",
        help: "A field that gets the place of the element in the array, from 0.",
        validator: { $0.isEmpty ? "must name a field" : nil }
    )

    /// What becomes of a record without elements.
    private enum EmptyPolicy: String, CaseIterable, Sendable {
        case drop, null
    }

    private static let emptyKey = ConfigKey<EmptyPolicy>.choice(
        "on.empty",
        default: .drop,
        help: """
            What becomes of a record whose array is empty or null: `drop` makes no record of it, \
            `null` makes one in which the field is null.
            """
    )
    private static let errorKey = ConfigKey<ErrorPolicy>.choice(
        "on.error",
        default: .reject,
        help: """
            What becomes of a record that does not have the field, or has something else than an \
            array in it: `reject` makes it a dead letter, `keep` lets it pass as it is.
            """
    )
    private static let limitKey = ConfigKey.int(
        "max.records",
        default: 10_000,
        in: 1...1_000_000,
        importance: .low,
        help: "A record whose array has more elements is rejected."
    )

    /// Where things are in records of one schema.
    private struct Plan {
        var place: FieldPlace?
        var schema: Schema
        var index: Int?
    }

    private let path: FieldPath
    private let indexField: String?
    private let onEmpty: EmptyPolicy
    private let onError: ErrorPolicy
    private let limit: Int
    private var derived = DerivedSchema<Plan>()
    private var spread = RowSpread()

    /// An object in which the array stands is written anew for each element. (D7)
    private static let nestedBytesLimit = 64 << 20

    public init(configuration: Configuration) throws(ConnectorError) {
        let field = try configuration.get(Self.fieldKey)
        path = try FieldPath(field, syntax: try configuration.get(FieldSyntax.key), key: "field")
        indexField = try configuration.get(Self.indexKey)
        onEmpty = try configuration.get(Self.emptyKey)
        onError = try configuration.get(Self.errorKey)
        limit = try configuration.get(Self.limitKey)
        if indexField == path.first {
            throw .invalid("index.field", "It must not be the field of the array.")
        }
    }

    public func trace(_ outline: inout RecordOutline) {
        outline.need(path.steps, at: Self.fieldKey.declaration.name)
        outline.value.retype(path.steps, .any)
        if let indexField { outline.value.add(Field(indexField, .int64)) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        throw ConnectorError(
            .init("transform.several_batches"),
            .failTask,
            "The elements of a batch go into batches of their own."
        )
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        guard batch.count > 0, batch.requireFields(for: Self.self) else { return [batch] }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        spread.removeAll()
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            if let error = explode(row, of: batch, plan) { rejected.append((row, error)) }
        }
        let parts = spread.batches(of: batch) { part, row, cell, position in
            if part.schema !== plan.schema { part.widen(to: plan.schema) }
            if let index = plan.index, position >= 0 { part[row, index] = .int(position) }
            // What passes as it is has no other value.
            if position >= -1 { _ = plan.place?.replace(part.row(row), in: part, with: cell) }
        }
        batch.reject(rejected)
        return parts
    }

    private func makePlan(_ schema: Schema) -> Plan {
        var fields = schema.fields
        let place = FieldPlace(path, in: schema)
        if let place { fields[place.column].type = place.isNested ? .json : .any }
        guard let indexField else {
            return Plan(place: place, schema: schema.retyped(fields), index: nil)
        }
        let index = schema.index(of: indexField) ?? fields.count
        if index == fields.count {
            fields.append(Field(indexField, .int64))
        } else {
            fields[index].type = .int64
        }
        return Plan(place: place, schema: schema.with(fields), index: index)
    }

    /// Adds the elements of a row's array; returns why it has none.
    private func explode(_ row: Int, of batch: RecordBatch, _ plan: Plan) -> ConnectorError? {
        if batch.metadata(row).pointee.isTombstone {
            spread.append(row, .missing, at: -2)
            return nil
        }
        let cell = plan.place?.read(batch.row(row), in: batch) ?? .missing
        guard cell.tag == .json, var elements = JSONElements(cell.slice) else {
            if cell.tag == .null { return empty(row) }
            if onError == .keep {
                spread.append(row, .missing, at: -2)
                return nil
            }
            return cell.tag == .missing ? absent : noArray
        }
        var count: Int64 = 0
        let outer = plan.place.map { $0.isNested ? batch[row, $0.column].slice.count : 0 } ?? 0
        while let text = elements.next() {
            guard count < limit, Int(count) * outer < Self.nestedBytesLimit else {
                spread.remove(row)
                return tooMany
            }
            spread.append(row, JSONText.cell(text, in: batch), at: count)
            count += 1
        }
        return count == 0 ? empty(row) : nil
    }

    private func empty(_ row: Int) -> ConnectorError? {
        if onEmpty == .null { spread.append(row, .null, at: -1) }
        return nil
    }

    private var absent: ConnectorError { error("The record has no field \(path).") }
    private var noArray: ConnectorError { error("The field \(path) holds no array.") }
    private var tooMany: ConnectorError { error("The array in \(path) has too many elements.") }

    private func error(_ message: String) -> ConnectorError {
        ConnectorError(.explode, .rejectRecord, message, at: "field")
    }
}

extension ConnectorError.Code {
    /// A record cannot become several.
    internal static let explode = Self("transform.explode")
}
