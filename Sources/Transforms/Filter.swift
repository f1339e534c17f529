public import ConnectorSDK

/// Keeps the records for which a condition holds, and drops the others.
public final class Filter: Transform {
    public static let name = "Filter"
    public static let summary = "Keeps the records for which a condition holds, drops the others."
    public static let configuration = ConfigSpec().with(conditionKey)

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
            them use the predicate `RecordIsTombstone` without a condition.
            """,
        validator: { text in
            do throws(ConditionSyntaxError) {
                _ = try ConditionParser.parse(text)
                return nil
            } catch {
                return "is not a condition: \(error.description)"
            }
        }
    )

    /// `nil` to drop whatever the transform is applied to.
    private let condition: Condition?

    public init(configuration: Configuration) throws(ConnectorError) {
        guard let text = try configuration.get(Self.conditionKey) else {
            // D6: a condition that was forgotten would drop everything.
            guard configuration.values["predicate"] != nil else {
                throw .invalid("condition", "A condition is required, or a predicate.")
            }
            condition = nil
            return
        }
        do throws(ConditionSyntaxError) {
            condition = try Condition(text)
        } catch {
            throw .invalid("condition", "The value is not a condition: \(error.description).")
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let condition else { return batch.filter { _ in false } }
        guard batch.requireFields(for: Self.self) else { return }
        condition.resolve(batch.schema)
        condition.withEvaluator { evaluator in
            batch.filter { row in
                batch.metadata(row).pointee.isTombstone || evaluator.holds(batch.row(row))
            }
        }
    }
}
