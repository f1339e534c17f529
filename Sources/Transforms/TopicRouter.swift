internal import ConnectorSDK
internal import RegularExpressions

/// Makes names of topics from values, by a regular expression and what replaces it.
internal final class TopicRouter {
    private let matcher: PatternMatcher
    private let replacement: PatternReplacement
    private var known: [String: String] = [:]

    /// More values than this are looked up again each time. (D7)
    private static let limit = 1_024

    init(regex text: String, replacement: String) throws(ConnectorError) {
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
    func topic(_ value: String) -> String? {
        if let known = known[value] { return known }
        guard let name = replacement.replacingFirst(in: value, by: matcher), Self.isTopic(name)
        else { return nil }
        if known.count == Self.limit { known.removeAll() }
        known[value] = name
        return name
    }

    private static func isTopic(_ name: String) -> Bool {
        (1...249).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
