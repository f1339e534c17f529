public import ConnectorSDK

/// Keeps the records for which a condition holds, and drops the others.
public final class Filter: Transform {
    public static let name = "Filter"
    public static let summary = "Keeps the records for which a condition holds, drops the others."
    public static let configuration = ConfigSpec().with(conditionKey)

    private static let conditionKey = ConfigKey<String>.required(
        "condition",
        help: """
            A record is kept if this holds for it, and dropped otherwise: `.amount > 0`, \
            `.status == "new" and not .test`, `.a < .b or (.c != null and .d >= 1.50)`. \
            `.name` is a field, `."any name"` one whose name is no word. Constants are numbers, \
            texts in double quotes, `true`, `false` and `null`. Values of different types compare \
            as in jq: null < false < true < numbers < texts < arrays < objects; a field that a \
            record does not have is null; a field alone holds unless it is null or false. \
            Numbers are compared exactly, dates and times with ISO 8601 texts by time. \
            Tombstones, which have no fields, are always kept, so that deletes are not lost.
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

    private let condition: Condition

    public init(configuration: Configuration) throws(ConnectorError) {
        let text = try configuration.get(Self.conditionKey)
        do throws(ConditionSyntaxError) {
            condition = try Condition(text)
        } catch {
            throw .invalid("condition", "The value is not a condition: \(error.description).")
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self) else { return }
        condition.resolve(batch.schema)
        condition.withEvaluator { evaluator in
            batch.filter { row in
                batch.metadata(row).pointee.isTombstone || evaluator.holds(batch.row(row))
            }
        }
    }
}
