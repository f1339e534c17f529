public import ConnectorSDK

/// Takes fields out of records, or gives them other names.
public final class ReplaceField: Transform {
    public static let name = "ReplaceField"
    public static let summary = "Takes fields out of records, or gives them other names."
    public static let configuration = ConfigSpec()
        .with(includeKey).with(excludeKey).with(renamesKey)

    private static let includeKey = ConfigKey<[String]>.list(
        "include",
        importance: .high,
        help: "The fields to keep, all others go; by default all are kept."
    )
    private static let excludeKey = ConfigKey<[String]>.list(
        "exclude",
        importance: .high,
        help: "The fields to take out, even if `include` names them."
    )
    private static let renamesKey = ConfigMapKey(
        "renames",
        importance: .high,
        help: """
            New names of fields, `old:new,old:new` or nested keys. `include` and `exclude` know \
            the fields by their old names. Fields keep their order.
            """
    )

    /// How records of one schema change.
    private struct Plan {
        var schema: Schema
        /// For each new column the old one; empty when all stay where they are.
        var source: [Int]
        var changes: Bool
    }

    private let include: Set<String>
    private let exclude: Set<String>
    private let renames: [String: String]
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration) throws(ConnectorError) {
        include = Set(try configuration.get(Self.includeKey))
        exclude = Set(try configuration.get(Self.excludeKey))
        renames = configuration.get(Self.renamesKey)
        if let word = renames[""] {
            throw .invalid("renames", "The new name of the field \(word) is missing.")
        }
        if let old = renames.first(where: { $0.value.isEmpty })?.key {
            throw .invalid("renames", "The new name of the field \(old) is missing.")
        }
        let targets = renames.values.sorted()
        if let double = zip(targets, targets.dropFirst()).first(where: { $0 == $1 })?.0 {
            throw .invalid("renames", "Two fields are to be named \(double).")
        }
        if include.isEmpty, exclude.isEmpty, renames.isEmpty {
            throw .invalid("include", "One of include, exclude and renames is required.")
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self) else { return }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            try makePlan(schema)
        }
        guard plan.changes else { return }
        if plan.source.isEmpty, plan.schema.count == batch.schema.count {
            batch.rename(to: plan.schema)
        } else {
            batch.project(to: plan.schema, from: plan.source)
        }
    }

    private func makePlan(_ schema: Schema) throws(ConnectorError) -> Plan {
        var fields: [Field] = []
        var source: [Int] = []
        var names: Set<String> = []
        for (column, field) in schema.fields.enumerated()
        where include.isEmpty || include.contains(field.name) {
            guard !exclude.contains(field.name) else { continue }
            var renamed = field
            renamed.name = renames[field.name] ?? field.name
            guard names.insert(renamed.name).inserted else {
                throw ConnectorError(
                    .duplicateField,
                    .failTask,
                    "Records would have two fields named \(renamed.name).",
                    at: "renames",
                    hint: "Exclude the field that has the name already, or choose another."
                )
            }
            fields.append(renamed)
            source.append(column)
        }
        let keepsAll = fields.count == schema.count
        return Plan(
            schema: Schema(fields),
            source: keepsAll ? [] : source,
            changes: !keepsAll || fields.map(\.name) != schema.names
        )
    }
}
