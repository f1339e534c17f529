/// A YAML value with its place, aliases and merge keys already expanded.
internal struct YAMLNode: Sendable {
    internal enum Content: Sendable {
        /// The text as written. A plain scalar has no quotes: it may mean null or a number.
        case scalar(String, isPlain: Bool)
        case list([YAMLNode])
        case map([YAMLEntry])
    }

    internal var content: Content
    internal var mark: Mark
}

/// One key of a YAML map with its value.
internal struct YAMLEntry: Sendable {
    internal var key: String
    internal var mark: Mark
    internal var value: YAMLNode
}

extension YAMLNode {
    /// Whether the value is missing, or one of YAML's words for null.
    internal var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What the value is, to be read after "found".
    internal var kind: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .list: "a list"
        case .map: "a map"
        }
    }
}
