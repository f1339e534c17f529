public import ConnectorSDK
internal import RecordFields

/// Makes keys of fields of the values.
public final class ValueToKey: Transform {
    public static let name = "ValueToKey"
    public static let className: String? = connectPackage + "ValueToKey"
    public static let summary = "Makes the key of a record of fields of its value."
    public static let configuration = ConfigSpec()
        .with(fieldsKey).with(FieldSyntax.key).with(NullDefaults.key)

    private static let fieldsKey = ConfigKey<[String]>.list(
        "fields",
        isRequired: true,
        importance: .high,
        help: """
            The fields of the value that become those of the key, in this order; one inside of an \
            object has its own name there. A field that a record does not have is null in the key. \
            Tombstones, which have no fields, are rejected, and so are records whose types are \
            declared and do not include the field.
            """
    )

    /// Where the fields of one schema are, `nil` for those that are not.
    private struct Plan {
        var places: [FieldPlace?]
        var keySchema: Schema
        /// The field that the types declared for the records do not include.
        var undeclared: String?
    }

    private let paths: [FieldPath]
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration) throws(ConnectorError) {
        let syntax = try configuration.get(FieldSyntax.key)
        var paths: [FieldPath] = []
        for path in try syntax.paths(configuration.get(Self.fieldsKey), key: "fields")
        where !paths.contains(path) {
            if let other = paths.first(where: { $0.steps.last == path.steps.last }) {
                let message = "The fields \(other) and \(path) have one name."
                throw .invalid("fields", message)
            }
            paths.append(path)
        }
        self.paths = paths
    }

    public func trace(_ outline: inout RecordOutline) {
        for path in paths { outline.need(path.steps, at: Self.fieldsKey.declaration.name) }
        outline.key = .only(
            paths.map { path in
                var field = outline.value.field(at: path.steps) ?? Field(path.first)
                field.name = path.steps.last ?? path.first
                return field
            }
        )
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self), batch.count > 0 else { return }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        batch.addKeys(plan.keySchema)
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            guard !batch.metadata(row).pointee.isTombstone else {
                failures.append((row, Self.tombstone))
                continue
            }
            if let name = plan.undeclared {
                failures.append((row, Self.missing(name)))
                continue
            }
            let cells = batch.row(row)
            guard let key = batch.keyRow(row) else { continue }
            for index in 0..<plan.places.count {
                guard let cell = plan.places[index].map({ $0.read(cells, in: batch) }) ?? .null
                else {
                    failures.append((row, Self.missing("\(paths[index])")))
                    break
                }
                key[index] = cell.tag == .missing ? .null : cell
            }
        }
        batch.rejectOnce(failures)
    }

    private func makePlan(_ schema: Schema) -> Plan {
        let places = paths.map { FieldPlace($0, in: schema) }
        let fields = zip(paths, places).map { path, place in
            var field = place?.field ?? Field(path.first)
            field.name = path.steps.last ?? path.first
            return field
        }
        return Plan(
            places: places,
            keySchema: Schema(fields),
            undeclared: schema.undeclared(paths, places)?.description
        )
    }

    private static let tombstone = ConnectorError(
        .init("transform.tombstone"),
        .rejectRecord,
        "The record has no value that a key could be made of.",
        hint: "Let tombstones pass with a predicate RecordIsTombstone and negate."
    )

    private static func missing(_ name: String) -> ConnectorError {
        ConnectorError(
            .init("transform.key_field_missing"),
            .rejectRecord,
            "The record has no field \(name), which the key is made of.",
            at: "fields"
        )
    }
}
