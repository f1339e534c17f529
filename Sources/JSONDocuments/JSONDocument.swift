/// A JSON value that is small enough to be held as a whole: a position, a checkpoint, a report.
///
/// Fields keep their order. Records are not held like this; see the module `JSONRecords`.
public enum JSONDocument: Sendable {
    /// Null.
    case null
    /// A truth value.
    case bool(Bool)
    /// A whole number.
    case int(Int64)
    /// A text.
    case string(String)
    /// An array.
    case array([JSONDocument])
    /// An object.
    case object([(String, JSONDocument)])
    /// Text that is JSON already.
    case raw(String)
}

extension JSONDocument {
    /// The number, if it is a whole one.
    public var int: Int64? { if case .int(let value) = self { value } else { nil } }

    /// The truth value, if it is one.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The text, if it is one.
    public var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The elements, if it is an array.
    public var array: [JSONDocument]? { if case .array(let items) = self { items } else { nil } }

    /// The fields, if it is an object.
    public var fields: [(String, JSONDocument)]? {
        if case .object(let fields) = self { fields } else { nil }
    }

    /// The last field of a name, if it is an object.
    public subscript(name: String) -> JSONDocument? { fields?.last { $0.0 == name }?.1 }

    /// Text, or null.
    public static func optional(_ text: String?) -> Self { text.map { .string($0) } ?? .null }

    /// A number, or null.
    public static func optional(_ number: Int64?) -> Self { number.map { .int($0) } ?? .null }

    /// A number of seconds to the millisecond.
    public static func seconds(_ value: Double) -> Self {
        guard value.isFinite, value.magnitude < 1e15 else { return .null }
        let milliseconds = Int64((value * 1_000).rounded())
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        return .raw("\(milliseconds / 1_000).\(fraction)")
    }
}

extension JSONDocument: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }

    /// A number.
    public init(integerLiteral value: Int64) { self = .int(value) }

    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// An array.
    public init(arrayLiteral elements: JSONDocument...) { self = .array(elements) }

    /// An object.
    public init(dictionaryLiteral elements: (String, JSONDocument)...) { self = .object(elements) }
}
