public import ConnectorSDK
internal import RecordFields
internal import RegularExpressions

/// Sends records to topics of other names.
public final class RegexRouter: Transform {
    public static let name = "RegexRouter"
    public static let className: String? = connectPackage + "RegexRouter"
    public static let summary = "Sends records to another topic, by a pattern of its name."
    public static let configuration = ConfigSpec().with(regexKey).with(replacementKey)

    private static let regexKey = ConfigKey<String>.required(
        "regex",
        help: """
            A regular expression. Records of topics whose whole name it matches go to another; those \
            of others stay.
            """,
        validator: { RegularExpression.problem($0) }
    )
    private static let replacementKey = ConfigKey<String?>.optional(
        "replacement",
        importance: .high,
        help: """
            What the first match is replaced by, required: `$1` and `${name}` stand for groups. A \
            name that topics cannot have rejects the records.
            """
    )

    private let whole: RegularExpression
    private let part: PatternMatcher
    private let replacement: PatternReplacement
    /// The topics met so far, which are few.
    private var routes: [String: String] = [:]

    /// More topics than this are forgotten. (D7)
    private static let limit = 1_024

    public static func reroutes(_ configuration: Configuration) -> Bool { true }

    public init(configuration: Configuration) throws(ConnectorError) {
        let regex = try configuration.get(Self.regexKey)
        guard let text = try configuration.get(Self.replacementKey) else {
            throw .invalid("replacement", "A value is required.")
        }
        let anywhere: RegularExpression
        do throws(PatternError) {
            whole = try RegularExpression(regex, matching: .whole)
            anywhere = try RegularExpression(regex, matching: .anywhere)
        } catch {
            throw .invalid("regex", "The value is no regular expression: \(error.description).")
        }
        part = PatternMatcher(anywhere)
        do throws(PatternError) {
            replacement = try PatternReplacement(text, for: anywhere)
        } catch {
            throw .invalid("replacement", "The value is no replacement: \(error.description).")
        }
    }

    /// Fields stay as they are.
    public func trace(_ outline: inout RecordOutline) {}

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        let topic = route(batch.topic)
        guard topic == batch.topic || TopicNames.isValid(topic) else {
            let error = TopicNames.refusal("replacement")
            return batch.reject(batch.indices.map { (row: $0, error: error) })
        }
        batch.topic = topic
    }

    private func route(_ topic: String) -> String {
        if let known = routes[topic] { return known }
        var route = topic
        // As Java does it: the whole name decides, and then the first match anywhere is replaced.
        if whole.matches(topic) {
            route = replacement.replacingFirst(in: topic, by: part) ?? topic
        }
        if routes.count == Self.limit { routes.removeAll() }
        routes[topic] = route
        return route
    }
}
