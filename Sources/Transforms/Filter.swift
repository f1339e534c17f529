public import ConnectorSDK
internal import Expressions
internal import RecordFields

/// Keeps the records for which a condition holds, and drops the others.
public final class Filter: Transform {
    public static let name = "Filter"
    public static let className: String? = connectPackage + "Filter"
    public static let summary = "Keeps the records for which a condition holds, drops the others."
    public static let configuration = ConfigSpec()
        .with(conditionKey).with(JqKeys.numbers).with(JqKeys.timeout).with(JqKeys.memory)
        .with(JqKeys.values)

    private static let conditionKey = ConfigKey<String?>.optional(
        "condition",
        importance: .high,
        help: """
            A record is kept if this holds for it, and dropped otherwise. With a `predicate` it \
            may be left out: all records that the predicate chooses are then dropped. Examples: `.amount > 0`, \
            `.status == "new" and not .test`, `.a < .b or (.c != null and .d >= 1.50)`. \
            `.name` is a field, `."any name"` one whose name is no word. Constants are numbers, \
            texts in double quotes, `true`, `false` and `null`. Values of different types compare \
            as in jq: null < false < true < numbers < texts < arrays < objects; a field that a \
            record does not have is null; a field alone holds unless it is null or false. \
            Numbers are compared exactly, dates and times with ISO 8601 texts by time. \
            Tombstones, which have no fields, are kept, so that deletes are not lost; to drop \
            them use the predicate `RecordIsTombstone` without a condition. What is more than that, \
            such as `.tags | index("eu")` or `.customer.country == "SE"`, is a program in jq's language \
            (see the transform `Jq`), which takes longer: the record is kept if any value that it gives \
            is neither false nor null.
            """,
        validator: { RecordCondition.problem(with: $0) }
    )

    /// `nil` to drop whatever the transform is applied to.
    private let condition: RecordCondition?

    public init(configuration: Configuration) throws(ConnectorError) {
        guard let text = try configuration.get(Self.conditionKey) else {
            // D6: a condition that was forgotten would drop everything.
            guard configuration.values["predicate"] != nil else {
                throw .invalid("condition", "A condition is required, or a predicate.")
            }
            condition = nil
            return
        }
        condition = try RecordCondition(text, at: "condition", configuration)
    }

    public func trace(_ outline: inout RecordOutline) {
        guard case .native(let condition) = condition else { return }
        let key = Self.conditionKey.declaration.name
        for name in condition.fields { outline.need([name], at: key) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let condition else { return batch.filter { _ in false } }
        switch condition {
        case .native(let condition):
            guard batch.requireFields(for: Self.self) else { return }
            condition.keep(in: batch)
        case .program(let condition): try condition.keep(in: batch)
        }
    }
}
