internal import RegularExpressions

/// The topics a sink reads: a list of names, or all whose name matches a regular expression.
enum TopicSelection: Sendable, Equatable {
    case names([String])
    case pattern(String)

    func contains(_ topic: String) -> Bool {
        switch self {
        case .names(let names):
            return names.contains(topic)
        case .pattern(let pattern):
            // Topics are few and looked up rarely.
            let expression = try? RegularExpression(pattern, matching: .whole)
            return expression?.matches(topic) ?? false
        }
    }
}
