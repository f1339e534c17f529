extension ConfigKey where Value == String {
    /// Declares a text with a default.
    public static func string(
        _ name: String,
        default fallback: String,
        importance: ConfigDeclaration.Importance = .medium,
        help: String,
        validator: (@Sendable (String) -> String?)? = nil
    ) -> Self {
        make(name, .string, importance, help, fallback, text: fallback) {
            text throws(ConfigValueError) in
            if let problem = validator?(text) { throw ConfigValueError(problem) }
            return text
        }
    }

    /// Declares a text that must be given.
    public static func required(
        _ name: String,
        help: String,
        validator: (@Sendable (String) -> String?)? = nil
    ) -> Self {
        make(name, .string, .high, help, nil, text: nil, isRequired: true) {
            text throws(ConfigValueError) in
            if text.isEmpty { throw ConfigValueError("must not be empty") }
            if let problem = validator?(text) { throw ConfigValueError(problem) }
            return text
        }
    }
}

extension ConfigKey where Value == String? {
    /// Declares a text that may be left out.
    public static func optional(
        _ name: String,
        importance: ConfigDeclaration.Importance = .medium,
        help: String,
        validator: (@Sendable (String) -> String?)? = nil
    ) -> Self {
        make(name, .string, importance, help, .some(nil), text: nil) {
            text throws(ConfigValueError) in
            if let problem = validator?(text) { throw ConfigValueError(problem) }
            return text
        }
    }
}

extension ConfigKey where Value == Int {
    /// Declares a whole number within `range`.
    public static func int(
        _ name: String,
        default fallback: Int,
        in range: ClosedRange<Int>,
        importance: ConfigDeclaration.Importance = .medium,
        help: String
    ) -> Self {
        let words = describe(range)
        return make(
            name,
            .int,
            importance,
            help,
            fallback,
            text: String(fallback),
            range: words
        ) { text throws(ConfigValueError) in
            guard let value = Int(text), range.contains(value) else {
                throw ConfigValueError("must be a whole number, \(words)")
            }
            return value
        }
    }

    /// Declares a number of bytes within `range`, written as `64MiB` or `67108864`.
    public static func size(
        _ name: String,
        default fallback: Int,
        in range: ClosedRange<Int>,
        importance: ConfigDeclaration.Importance = .medium,
        help: String
    ) -> Self {
        let words = describe(range) + " bytes"
        return make(
            name,
            .size,
            importance,
            help,
            fallback,
            text: Units.describe(bytes: fallback),
            range: words
        ) { text throws(ConfigValueError) in
            guard let value = Units.bytes(text), range.contains(value) else {
                throw ConfigValueError("must be a size such as 64MiB, \(words)")
            }
            return value
        }
    }

    private static func describe(_ range: ClosedRange<Int>) -> String {
        range.upperBound == .max
            ? "\(range.lowerBound) or more" : "\(range.lowerBound) ... \(range.upperBound)"
    }
}

extension ConfigKey where Value == Bool {
    /// Declares a truth value.
    public static func bool(
        _ name: String,
        default fallback: Bool,
        importance: ConfigDeclaration.Importance = .medium,
        help: String
    ) -> Self {
        make(name, .boolean, importance, help, fallback, text: String(fallback)) {
            text throws(ConfigValueError) in
            switch text.lowercased() {
            case "true": return true
            case "false": return false
            default: throw ConfigValueError("must be true or false")
            }
        }
    }
}

extension ConfigKey where Value == [String] {
    /// Declares a comma-separated list; a pipeline file may write it as a YAML list.
    public static func list(
        _ name: String,
        default fallback: [String] = [],
        isRequired: Bool = false,
        importance: ConfigDeclaration.Importance = .medium,
        help: String,
        validator: (@Sendable (String) -> String?)? = nil
    ) -> Self {
        make(
            name,
            .list,
            importance,
            help,
            isRequired ? nil : fallback,
            text: fallback.isEmpty ? nil : fallback.joined(separator: ","),
            isRequired: isRequired
        ) { text throws(ConfigValueError) in
            let items = ListText.items(of: text)
            if isRequired, items.isEmpty { throw ConfigValueError("must not be empty") }
            for item in items {
                if let problem = validator?(item) { throw ConfigValueError(problem) }
            }
            return items
        }
    }
}

extension ConfigKey where Value == Duration {
    /// Declares a duration, written as `500ms`, `10s`, `7d` or a bare number of milliseconds.
    public static func duration(
        _ name: String,
        default fallback: Duration,
        in range: ClosedRange<Duration> = .zero ... .seconds(Int64(Int32.max)),
        importance: ConfigDeclaration.Importance = .medium,
        help: String
    ) -> Self {
        let lower = Units.describe(range.lowerBound)
        // 68 years stand for no limit, and are no help to a reader.
        let words =
            range.upperBound >= .seconds(Int64(Int32.max))
            ? "\(lower) or more" : "\(lower) ... \(Units.describe(range.upperBound))"
        return make(
            name,
            .duration,
            importance,
            help,
            fallback,
            text: Units.describe(fallback),
            range: words
        ) { text throws(ConfigValueError) in
            guard let value = Units.duration(text), range.contains(value) else {
                throw ConfigValueError("must be a duration such as 500ms, 10s or 7d, \(words)")
            }
            return value
        }
    }
}

extension ConfigKey where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// Declares one of the words of an enumeration.
    ///
    /// `synonyms` are words that stand for others, such as the `true` and `false` of a key that
    /// was a truth value once; the `help` says what they mean.
    public static func choice(
        _ name: String,
        default fallback: Value?,
        importance: ConfigDeclaration.Importance = .medium,
        help: String,
        dependents: [String] = [],
        synonyms: [String: Value] = [:]
    ) -> Self {
        let words = Value.allCases.map(\.rawValue)
        return make(
            name,
            .choice,
            importance,
            help,
            fallback,
            text: fallback?.rawValue,
            isRequired: fallback == nil,
            choices: words,
            synonyms: synonyms.keys.sorted(),
            dependents: dependents
        ) { text throws(ConfigValueError) in
            let word = text.lowercased()
            if let value = synonyms[word] { return value }
            guard let value = Value.allCases.first(where: { $0.rawValue.lowercased() == word })
            else {
                throw ConfigValueError("must be one of \(words.joined(separator: ", "))")
            }
            return value
        }
    }
}

extension ConfigKey {
    fileprivate static func make(
        _ name: String,
        _ type: ConfigDeclaration.ValueType,
        _ importance: ConfigDeclaration.Importance,
        _ help: String,
        _ fallback: Value?,
        text: String?,
        isRequired: Bool = false,
        range: String? = nil,
        choices: [String] = [],
        synonyms: [String] = [],
        dependents: [String] = [],
        parse: @escaping @Sendable (String) throws(ConfigValueError) -> Value
    ) -> Self {
        var declaration = ConfigDeclaration(name, type, importance: importance, help: help)
        declaration.defaultText = text
        declaration.isRequired = isRequired
        declaration.range = range
        declaration.choices = choices
        declaration.synonyms = synonyms
        declaration.dependents = dependents
        declaration.check = { text in
            do throws(ConfigValueError) {
                _ = try parse(text)
                return nil
            } catch {
                return error
            }
        }
        return Self(declaration, default: fallback, parse: parse)
    }
}

/// A key whose values are nested keys, such as `types.amount: decimal`.
public struct ConfigMapKey: Sendable {
    /// What the documentation shows.
    public let declaration: ConfigDeclaration

    /// Declares a map: `name` itself may hold one word or `a:b,c:d`, or nested keys hold the rest.
    public init(
        _ name: String,
        default text: String? = nil,
        importance: ConfigDeclaration.Importance = .medium,
        help: String
    ) {
        var declaration = ConfigDeclaration(name, .map, importance: importance, help: help)
        declaration.defaultText = text
        self.declaration = declaration
    }
}
