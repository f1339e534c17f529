public import RegularExpressions

/// A pattern of Grok's: a regular expression in which `%{NAME:field:type}` stands for a pattern by
/// name.
///
/// `field` may be left out, then what matches is no field; so may `type`, which is `int`, `float`
/// or a type of the caller's. Groups `(?<name>…)` are fields, too. Patterns may be made of others.
public struct GrokPattern: Sendable {
    /// The expression that the pattern means.
    public let expression: RegularExpression
    /// The groups that are fields.
    public let fields: [(group: Int, name: String)]
    /// The types that the pattern gives to fields.
    public let types: [String: String]

    /// Reads a pattern; `definitions` are patterns by name, before those known by themselves.
    public init(
        _ pattern: String,
        definitions: [String: String] = [:]
    ) throws(GrokError) {
        var expansion = GrokExpansion(definitions: definitions)
        let text = try expansion.expand(pattern, within: [])
        do throws(PatternError) {
            expression = try RegularExpression(text, matching: .anywhere)
        } catch {
            throw GrokError("it is no regular expression when names are replaced: \(error.reason)")
        }
        fields = expression.namedGroups.map { group in
            (group.number, expansion.fields[group.name] ?? group.name)
        }
        types = expansion.types
    }
}

/// Why a text is no pattern of Grok's.
public struct GrokError: Error, Sendable, CustomStringConvertible {
    public let description: String

    internal init(_ description: String) { self.description = description }
}

/// Replaces names in patterns by what they stand for.
private struct GrokExpansion {
    /// Fields may have any name, groups of an expression may not.
    private(set) var fields: [String: String] = [:]
    private(set) var types: [String: String] = [:]
    private let definitions: [String: String]
    private var length = 0

    /// No pattern that a person writes expands to more. (D7)
    private static let lengthLimit = 256 << 10
    /// Patterns are made of others no deeper than parentheses may be nested.
    private static let depthLimit = 250

    init(definitions: [String: String]) { self.definitions = definitions }

    mutating func expand(
        _ pattern: String,
        within outer: [String]
    ) throws(GrokError) -> String {
        var result = ""
        var rest = Substring(pattern)
        while let start = rest.firstRange(of: "%{") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw GrokError("`%{` has no `}`")
            }
            result += try reference(rest[start.upperBound..<end], within: outer)
            rest = rest[rest.index(after: end)...]
            guard result.utf8.count < Self.lengthLimit else {
                throw GrokError("it is too long when names are replaced")
            }
        }
        return result + rest
    }

    private mutating func reference(
        _ text: Substring,
        within outer: [String]
    ) throws(GrokError) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        guard parts.count <= 3, !name.isEmpty, !parts.dropFirst().contains("") else {
            throw GrokError(
                "`%{\(text)}` is not such as %{NAME}, %{NAME:field} or %{NAME:field:type}"
            )
        }
        guard !outer.contains(name) else {
            throw GrokError("the pattern \(name) is made of itself")
        }
        guard outer.count < Self.depthLimit else {
            throw GrokError("patterns are made of patterns more than \(Self.depthLimit) deep")
        }
        guard let definition = definitions[name] ?? GrokDefinitions.all[name] else {
            let nearest = GrokDefinitions.nearest(to: name, definitions.keys)
            throw GrokError(
                "there is no pattern \(name)" + (nearest.map { "; did you mean \($0)?" } ?? "")
            )
        }
        let inner = try expand(definition, within: outer + [name])
        length += inner.utf8.count
        guard length < Self.lengthLimit else {
            throw GrokError("it is too long when names are replaced")
        }
        guard parts.count > 1 else { return "(?:\(inner))" }
        let field = Self.fieldName(parts[1])
        if parts.count > 2 { types[field] = parts[2] }
        let group = "g\(fields.count)"
        fields[group] = field
        return "(?<\(group)>\(inner))"
    }

    /// `[a][b]`, as Logstash names nested fields, is `a.b`.
    private static func fieldName(_ text: String) -> String {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return text }
        return text.dropFirst().dropLast().split(separator: "][").joined(separator: ".")
    }
}
