/// One configuration key: its name, type, default, range and help, declared once.
///
/// Validation, `plugins describe`, the generated reference and the JSON Schema all read this
/// declaration; code reads the value through it, `configuration[Self.path]`.
public struct ConfigKey<Value: Sendable>: Sendable {
    /// What the documentation shows and validation checks.
    public let declaration: ConfigDeclaration
    internal let parse: @Sendable (String) throws(ConfigValueError) -> Value
    internal let fallback: Value?

    internal init(
        _ declaration: ConfigDeclaration,
        default fallback: Value?,
        parse: @escaping @Sendable (String) throws(ConfigValueError) -> Value
    ) {
        self.declaration = declaration
        self.fallback = fallback
        self.parse = parse
    }
}

/// Why a text is not a value of a key's type.
///
/// The text itself is not repeated.
public struct ConfigValueError: Error, Sendable {
    /// What would be right, such as "must be a whole number of at least 1".
    public var message: String
    /// Makes an error.
    public init(_ message: String) { self.message = message }
}

/// What is known of a key without its Swift type.
public struct ConfigDeclaration: Sendable {
    /// The type's name in the reference.
    public enum ValueType: String, Sendable {
        /// Text.
        case string
        /// A whole number.
        case int
        /// `true` or `false`.
        case boolean
        /// Comma-separated texts.
        case list
        /// One of a few words.
        case choice
        /// Such as `500ms`, `10s`, `7d`; a bare number is milliseconds.
        case duration
        /// Such as `64MiB`; a bare number is bytes.
        case size
        /// Names with texts: nested keys, `name.key=value`.
        case map
        /// Text that is never shown again.
        case password
    }

    /// How much a user should care.
    public enum Importance: String, Sendable {
        /// Most configurations set it.
        case high
        /// Some do.
        case medium
        /// Few do.
        case low
    }

    /// The key.
    public var name: String
    /// The value's type.
    public var type: ValueType
    /// The default as it would be written, or `nil` for none.
    public var defaultText: String?
    /// Whether a value must be given.
    public var isRequired: Bool
    /// The words allowed, for a choice.
    public var choices: [String]
    /// Further words that stand for one of them, in lower case.
    public var synonyms: [String]
    /// The range allowed, in words, such as `1 ... 1000`.
    public var range: String?
    /// How much a user should care.
    public var importance: Importance
    /// What the key does, in Markdown, complete sentences.
    public var help: String
    /// Keys that have an effect only with certain values of this one.
    public var dependents: [String]
    internal var check: (@Sendable (String) -> ConfigValueError?)?

    internal init(
        _ name: String,
        _ type: ValueType,
        importance: Importance,
        help: String
    ) {
        self.name = name
        self.type = type
        self.importance = importance
        self.help = help
        isRequired = false
        choices = []
        synonyms = []
        dependents = []
    }
}
