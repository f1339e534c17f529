/// The keys that a connector, format, converter, transform or predicate takes.
public struct ConfigSpec: Sendable {
    /// The keys, in the order the documentation shows them.
    public private(set) var declarations: [ConfigDeclaration] = []

    /// Makes a spec without keys.
    public init() {}

    /// Returns the spec with one more key.
    public func with<Value>(_ key: ConfigKey<Value>) -> Self { with(key.declaration) }

    /// Returns the spec with one more map of keys.
    public func with(_ key: ConfigMapKey) -> Self { with(key.declaration) }

    /// Returns the spec with one more key.
    public func with(_ declaration: ConfigDeclaration) -> Self {
        var copy = self
        copy.declarations.append(declaration)
        return copy
    }

    /// Returns the spec with the keys of another, which must not share a name with this one.
    public func merging(_ other: ConfigSpec) -> Self {
        var copy = self
        copy.declarations += other.declarations
        return copy
    }

    /// Returns the spec without one key.
    public func without(_ name: String) -> Self {
        var copy = self
        copy.declarations.removeAll { $0.name == name }
        return copy
    }

    /// The declaration that a given key belongs to: of that name, or the map it is nested in.
    public func declaration(for key: String) -> ConfigDeclaration? {
        declarations.first { $0.name == key }
            ?? declarations.first { $0.type == .map && key.hasPrefix($0.name + ".") }
    }

    /// Checks values against the declarations: unknown keys, missing ones, values out of range.
    public func validate(_ values: [String: String]) -> [ConfigIssue] {
        var issues: [ConfigIssue] = []
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let declaration = declaration(for: key) else {
                issues.append(unknown(key))
                continue
            }
            if let problem = declaration.check?(value) {
                issues.append(ConfigIssue(key: key, message: problem.message))
            }
        }
        for declaration in declarations where declaration.isRequired {
            guard values[declaration.name] == nil else { continue }
            issues.append(
                ConfigIssue(key: declaration.name, message: "is required", isMissing: true)
            )
        }
        return issues
    }

    /// What is wrong with a key that there is not, with the one that was perhaps meant.
    public func unknown(_ key: String) -> ConfigIssue {
        let names = declarations.map(\.name)
        let suggestion = Spelling.nearest(to: key, in: names)
        return ConfigIssue(key: key, message: "is not a known key", suggestion: suggestion)
    }
}

/// One thing wrong with a configuration.
public struct ConfigIssue: Hashable, Sendable {
    /// The key.
    public var key: String
    /// What is wrong, to be read after the key.
    public var message: String
    /// A key or word that was perhaps meant.
    public var suggestion: String?
    /// Whether the key is absent, so that it has no position of its own.
    public var isMissing: Bool

    /// Makes an issue.
    public init(key: String, message: String, suggestion: String? = nil, isMissing: Bool = false) {
        self.key = key
        self.message = message
        self.suggestion = suggestion
        self.isMissing = isMissing
    }
}

/// The values of one connector, format or transform, read through its keys.
public struct Configuration: Sendable {
    /// The values as text, with references such as `${env:NAME}` resolved.
    public let values: [String: String]
    /// The directory that relative paths start from.
    public let baseDirectory: String

    /// Makes a configuration.
    public init(_ values: [String: String], baseDirectory: String = ".") {
        self.values = values
        self.baseDirectory = baseDirectory
    }

    /// The value of a key, or its default.
    ///
    /// - Throws: an error that names the key, when the value is missing or out of range.
    public func get<Value>(_ key: ConfigKey<Value>) throws(ConnectorError) -> Value {
        let name = key.declaration.name
        guard let text = values[name] else {
            if let fallback = key.fallback { return fallback }
            throw .invalid(name, "A value is required.")
        }
        do throws(ConfigValueError) {
            return try key.parse(text)
        } catch {
            throw .invalid(name, "The value \(error.message).")
        }
    }

    /// The nested keys of a map, or `a:b,c:d` written in one text; the single word under `""`.
    public func get(_ key: ConfigMapKey) -> [String: String] {
        let prefix = key.declaration.name + "."
        var result: [String: String] = [:]
        for (name, value) in values where name.hasPrefix(prefix) {
            result[String(name.dropFirst(prefix.count))] = value
        }
        guard let text = values[key.declaration.name] else { return result }
        for item in text.split(separator: ",") {
            if let colon = item.lastIndex(of: ":") {
                result[Self.trim(item[..<colon])] = Self.trim(item[item.index(after: colon)...])
            } else {
                result[""] = Self.trim(item)
            }
        }
        return result
    }

    /// A path, relative ones resolved against the pipeline file's directory.
    public func path(_ text: String) -> String {
        text.hasPrefix("/") ? text : baseDirectory + "/" + text
    }

    private static func trim(_ text: Substring) -> String {
        let start = text.drop(while: \.isWhitespace)
        return String(String(start.reversed().drop(while: \.isWhitespace).reversed()))
    }
}
