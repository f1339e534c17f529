public import ConnectorSDK
internal import RecordFields

/// Takes fields out of records, or gives them other names.
public final class ReplaceField: PartTransform {
    public static let name = "ReplaceField"
    public static let className: String? = connectPackage + "ReplaceField"
    public static let summary = "Takes fields out of records, or gives them other names."
    public static let configuration = ConfigSpec()
        .with(includeKey).with(excludeKey).with(renamesKey).with(FieldSyntax.key)
        .with(NullDefaults.key)

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
            the fields by their old names. Fields keep their order, and stay in their object. Two \
            fields of one name are an error, which stops the connector.
            """
    )

    /// How records of one schema change.
    private struct Plan {
        var schema: Schema
        /// For each new column the old one; empty when all stay where they are.
        var source: [Int]
        var changes: Bool
        /// The columns with fields inside of their objects that change.
        var nested: [(column: Int, node: EditTree<NestedEdit>.Node)]
    }

    private let part: RecordPart
    /// All fields that the configuration names, and the keys that do.
    private let named: [(path: FieldPath, key: String)]
    private let include: Set<String>
    private let exclude: Set<String>
    private let renames: [String: String]
    private let inner: EditTree<NestedEdit>
    private let rewriter = NestedRewriter()
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        let included = try syntax.paths(configuration.get(Self.includeKey), key: "include")
        let excluded = try syntax.paths(configuration.get(Self.excludeKey), key: "exclude")
        let renames = try Self.renames(configuration, syntax)
        named =
            included.map { ($0, "include") } + excluded.map { ($0, "exclude") }
            + renames.map { ($0.path, "renames.\($0.path)") }
        include = Set(included.map(\.first))
        exclude = Set(excluded.filter { !$0.isNested }.map(\.first))
        self.renames = Dictionary(
            renames.filter { !$0.path.isNested }.map { ($0.path.first, $0.name) },
            uniquingKeysWith: { first, _ in first }
        )
        let targets = self.renames.values.sorted()
        if let double = zip(targets, targets.dropFirst()).first(where: { $0 == $1 })?.0 {
            throw .invalid("renames", "Two fields are to be named \(double).")
        }
        // A field that is both kept and renamed is renamed, and one that goes goes.
        let edits: [(FieldPath, NestedEdit)] =
            included.map { ($0, .keep) } + renames.map { ($0.path, .rename($0.name)) }
            + excluded.map { ($0, .remove) }
        inner = EditTree(edits.filter(\.0.isNested))
        for path in included where path.isNested { inner.select(path) }
        if edits.isEmpty {
            throw .invalid("include", "One of include, exclude and renames is required.")
        }
    }

    private static func renames(
        _ configuration: Configuration,
        _ syntax: FieldSyntax
    ) throws(ConnectorError) -> [(path: FieldPath, name: String)] {
        let names = configuration.get(renamesKey)
        if let word = names[""] {
            throw .invalid("renames", "The new name of the field \(word) is missing.")
        }
        var renames: [(path: FieldPath, name: String)] = []
        for (old, name) in names.sorted(by: { $0.key < $1.key }) {
            if name.isEmpty {
                throw .invalid("renames", "The new name of the field \(old) is missing.")
            }
            renames.append((try FieldPath(old, syntax: syntax, key: "renames"), name))
        }
        return renames
    }

    public func trace(_ outline: inout RecordOutline) {
        for (path, key) in named { outline.need(path.steps, of: part, at: key) }
        if !include.isEmpty { outline[part].keep(include.sorted()) }
        for (path, _) in named where path.isNested { outline[part].retype(path.steps, .any) }
        for name in exclude { outline[part].remove(name) }
        outline[part].rename(renames)
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let plan = try derived.plan(for: schema) { schema throws(ConnectorError) in
            try makePlan(schema)
        }
        guard plan.changes else { return }
        if !plan.nested.isEmpty { applyInside(batch, plan) }
        if plan.source.isEmpty, plan.schema.count == schema.count {
            batch.rename(part, to: plan.schema)
        } else {
            batch.project(part, to: plan.schema, from: plan.source)
        }
    }

    private func applyInside(_ batch: RecordBatch, _ plan: Plan) {
        for (column, node) in plan.nested {
            for row in batch.indices {
                let place = batch.cells(of: part, row) + column
                guard place.pointee.tag == .json else { continue }
                _ = rewriter.rewrite(&place.pointee, node, in: batch) { _, edit in edit }
            }
        }
    }

    private func makePlan(_ schema: Schema) throws(ConnectorError) -> Plan {
        var fields: [Field] = []
        var source: [Int] = []
        var nested: [(column: Int, node: EditTree<NestedEdit>.Node)] = []
        var names: Set<String> = []
        for (column, field) in schema.fields.enumerated()
        where include.isEmpty || include.contains(field.name) {
            guard !exclude.contains(field.name) else { continue }
            var changed = field
            if let node = inner.node(field.name) {
                nested.append((column, node))
                changed = Self.changed(field, node)
            }
            changed.name = renames[field.name] ?? field.name
            guard names.insert(changed.name).inserted else {
                throw ConnectorError(
                    .duplicateField,
                    .failTask,
                    "Records would have two fields named \(changed.name).",
                    at: "renames",
                    hint: "Exclude the field that has the name already, or choose another."
                )
            }
            fields.append(changed)
            source.append(column)
        }
        let keepsAll = fields.count == schema.count
        let changes = !keepsAll || fields != schema.fields || !nested.isEmpty
        return Plan(
            schema: changes ? schema.with(fields) : schema,
            source: keepsAll ? [] : source,
            changes: changes,
            nested: nested
        )
    }

    /// What is declared of an object whose fields change.
    private static func changed(_ field: Field, _ node: EditTree<NestedEdit>.Node) -> Field {
        guard case .object(let inner) = field.type else { return field }
        var changed = field
        changed.type = .object(
            inner.compactMap { field in
                guard let child = node.children.first(where: { $0.step == field.name }) else {
                    return node.isSelective ? nil : field
                }
                switch child.leaf {
                case .remove: return nil
                case .rename(let name):
                    var renamed = field
                    renamed.name = name
                    return renamed
                case nil: return Self.changed(field, child)
                default: return field
                }
            }
        )
        return changed
    }
}
