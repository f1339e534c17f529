/// Where and why a text is not one JSON value as RFC 8259 has it.
public struct JSONSyntaxError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Reason: String, Sendable {
        /// The text stops inside a value.
        case unexpectedEnd = "the text ends inside a value"
        /// A byte stands where the grammar has no place for it.
        case unexpectedCharacter = "unexpected character"
        /// A number is written as JSON does not write them, such as `01`, `.5`, `1.` or `+1`.
        case invalidNumber = "not a JSON number"
        /// A backslash begins no escape of JSON's.
        case invalidEscape = "not a JSON escape"
        /// A `\u` escape is half of a surrogate pair.
        case loneSurrogate = "half of a surrogate pair"
        /// A string holds a raw control character, such as a line break.
        case controlCharacter = "control character in a string"
        /// The bytes are not UTF-8.
        case invalidUTF8 = "not valid UTF-8"
        /// Objects and arrays are nested deeper than ``JSONLimits/depth``.
        case tooDeep = "nested too deeply"
        /// An object has more fields than ``JSONLimits/fields``.
        case tooManyFields = "too many fields"
        /// Something follows the value.
        case trailingCharacters = "characters behind the value"

        /// Whether the value's end is certain all the same, so that what follows can be read.
        public var leavesStructureIntact: Bool {
            switch self {
            case .invalidUTF8, .loneSurrogate, .tooManyFields, .tooDeep, .invalidEscape: true
            default: false
            }
        }
    }

    /// The offset of the offending byte in the text, from 0.
    public var offset: Int
    /// What is wrong.
    public var reason: Reason

    /// Makes an error.
    public init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// How much of JSON is read.
public enum JSONLimits {
    /// The objects and arrays that may be open at once; more is no data but an attack.
    public static let depth = 512
    /// The fields an object may have to become columns; the columns of a batch at most.
    public static let fields = 16_384
}
