package import ConnectorSDK
internal import RegularExpressions

/// Makes names of topics from values, by a regular expression and what replaces it.
package final class TopicRouter {
    private let matcher: PatternMatcher
    private let replacement: PatternReplacement
    private var known: [String: String] = [:]

    /// More values than this are looked up again each time. (D7)
    private static let limit = 1_024

    package init(regex text: String, replacement: String) throws(ConnectorError) {
        let expression: RegularExpression
        do throws(PatternError) {
            expression = try RegularExpression(text, matching: .whole)
        } catch {
            throw .invalid("route.topic.regex", "It is no regular expression: \(error).")
        }
        do throws(PatternError) {
            self.replacement = try PatternReplacement(replacement, for: expression)
        } catch {
            throw .invalid("route.topic.replacement", "It is no replacement: \(error).")
        }
        matcher = PatternMatcher(expression)
    }

    /// The topic for a value; `nil` when the expression does not match, or no topic has that name.
    package func topic(_ value: String) -> String? {
        if let known = known[value] { return known }
        guard let name = replacement.replacingFirst(in: value, by: matcher),
            TopicNames.isValid(name)
        else { return nil }
        if known.count == Self.limit { known.removeAll() }
        known[value] = name
        return name
    }
}
