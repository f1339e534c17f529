/// The topics a sink reads: a list of names, or all whose name matches a regular expression.
enum TopicSelection: Sendable, Equatable {
    case names([String])
    case pattern(String)

    func contains(_ topic: String) -> Bool {
        switch self {
        case .names(let names):
            return names.contains(topic)
        case .pattern(let pattern):
            // A `Regex` is not `Sendable`; topics are few and looked up rarely.
            guard let regex = try? Regex(pattern) else { return false }
            return (try? regex.wholeMatch(in: topic)) != nil
        }
    }
}
