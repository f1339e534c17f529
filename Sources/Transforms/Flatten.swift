public import ConnectorSDK
internal import RecordFields

/// Takes nested objects apart: their fields become those of the record.
public final class Flatten: PartTransform {
    public static let name = "Flatten"
    public static let className: String? = connectPackage + "Flatten"
    public static let summary = "Makes the fields of nested objects those of the record."
    public static let configuration = ConfigSpec().with(delimiterKey)

    private static let delimiterKey = ConfigKey.string(
        "delimiter",
        default: ".",
        help: """
            What stands between the names: a field `c` in an object `b` in an object `a` becomes \
            `a.b.c`. Arrays stay as they are. An object without fields leaves none.
            """
    )

    private let part: RecordPart
    private let delimiter: String
    private var derived = DerivedSchema<FlattenPlan>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        delimiter = try configuration.get(Self.delimiterKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        guard outline[part].wholeType == nil else { return }
        let flat = outline[part].all.flatMap { flattened($0, behind: "") }
        outline[part] = flat.map { .only($0) } ?? .unknown
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let plan = try derived.plan(for: schema) { schema throws(ConnectorError) in
            FlattenPlan(schema, delimiter: delimiter)
        }
        try plan.apply(to: batch, part)
    }

    /// The fields without objects; `nil` when nobody knows what is in one.
    private func flattened(_ fields: [Field], behind prefix: String) -> [Field]? {
        var flat: [Field] = []
        for var field in fields {
            field.name = prefix + field.name
            switch field.type {
            case .any, .json: return nil
            case .object(let inner):
                guard let inner = flattened(inner, behind: field.name + delimiter) else {
                    return nil
                }
                flat += inner
            default: flat.append(field)
            }
        }
        return flat
    }
}
