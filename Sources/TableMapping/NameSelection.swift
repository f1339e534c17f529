public import ConnectorSDK
internal import Glibc

/// Which tables a source reads: lists of patterns for names.
public struct NameSelection: Sendable {
    private let included: [NamePattern]
    private let excluded: [NamePattern]

    /// Reads two lists of patterns.
    ///
    /// - Throws: an error that names the key, for a text that is no pattern.
    public init(
        included: ConfigKey<[String]>,
        excluded: ConfigKey<[String]>,
        in configuration: Configuration
    ) throws(ConnectorError) {
        self.included = try Self.patterns(included, configuration)
        self.excluded = try Self.patterns(excluded, configuration)
    }

    /// Whether neither list names anything.
    public var isEmpty: Bool { included.isEmpty && excluded.isEmpty }

    /// Whether a name is selected; `isByDefault` decides when there is no list of those to include.
    public func contains(_ name: String, isByDefault: Bool = true) -> Bool {
        if excluded.contains(where: { $0.matches(name) }) { return false }
        if included.isEmpty { return isByDefault }
        return included.contains { $0.matches(name) }
    }

    private static func patterns(
        _ key: ConfigKey<[String]>,
        _ configuration: Configuration
    ) throws(ConnectorError) -> [NamePattern] {
        var patterns: [NamePattern] = []
        for text in try configuration.get(key) {
            guard let pattern = NamePattern(text) else {
                throw .invalid(key.declaration.name, "`\(text)` is not a regular expression.")
            }
            patterns.append(pattern)
        }
        return patterns
    }
}

/// A POSIX extended regular expression for a whole name.
///
/// SAFETY: the expression is compiled once and then only read; `regexec` may be called from many
/// threads at once.
public final class NamePattern: @unchecked Sendable {
    // SAFETY: see the type.
    private let expression: UnsafeMutablePointer<regex_t>

    /// Compiles an expression; `nil` when it is none.
    public init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        compiled.initialize(to: regex_t())
        guard regcomp(compiled, "^(\(text))$", REG_EXTENDED | REG_NOSUB) == 0 else {
            compiled.deallocate()
            return nil
        }
        expression = compiled
    }

    deinit {
        regfree(expression)
        expression.deallocate()
    }

    /// Whether the whole name matches.
    public func matches(_ name: String) -> Bool { regexec(expression, name, 0, nil, 0) == 0 }
}
