public import ConnectorSDK
public import SQLiteClient

/// The type that a table declares for a column, such as `VARCHAR(30)` or `DECIMAL(10, 2)`.
///
/// SQLite takes almost any words for a type and prefers, but does not enforce, what it makes of
/// them. What the words promise is a ``FieldType``; the words themselves travel along as
/// ``Field/nativeType``, so that a table made from the records declares its columns alike.
public struct DeclaredType: Hashable, Sendable {
    /// The words as they are declared; empty for none.
    public let text: String
    /// The words before the parenthesis, as SQLite compares them.
    private let words: String
    /// The numbers in the parenthesis.
    private let arguments: [Int]

    /// Takes declared words.
    public init(_ text: String) {
        self.text = text
        let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
        words = SQLiteName.fold(
            (parts.first ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
        )
        let inside = parts.count > 1 ? parts[1].prefix { $0 != ")" } : ""
        let numbers = inside.split(separator: ",").map { part in
            Int(part.filter { !$0.isWhitespace })
        }
        arguments = numbers.contains(nil) ? [] : numbers.compactMap(\.self)
    }

    /// What SQLite does to values in such a column.
    public var affinity: TableDescription.Affinity {
        TableDescription.affinity(of: text, isStrict: true)
    }

    /// What the words promise.
    public var fieldType: FieldType {
        if words == "bool" || words == "boolean" { return .bool }
        if let decimal { return .decimal(precision: decimal.precision, scale: decimal.scale) }
        return switch affinity {
        case .integer: .int64
        case .real: .double
        case .text: .string
        case .none: words.contains("blob") ? .bytes : .any
        case .numeric: .any
        }
    }

    /// The places of decimals, for a type of decimals; more than 18 for "as many as they have".
    public var decimalScale: Int? {
        decimal.map { $0.scale ?? Self.openScale }
    }

    private static let openScale = 99

    private var decimal: (precision: Int?, scale: Int?)? {
        switch words {
        case Self.longDecimal where arguments.isEmpty: return (nil, nil)
        case "decimal", "numeric", "dec", "number", Self.longDecimal:
            guard let precision = arguments.first, (1...1_000).contains(precision),
                arguments.count <= 2
            else { return nil }
            let scale = arguments.count == 2 ? arguments[1] : 0
            return (0...precision).contains(scale) ? (precision, scale) : nil
        default: return nil
        }
    }
}

// MARK: - For tables to be made

extension DeclaredType {
    /// More digits than this do not survive the way through a double in any case.
    private static let exactDigits = 15
    /// The word BLOB keeps SQLite from making numbers of digits.
    private static let longDecimal = "decimal blob"

    /// The type for a column of such fields; words are empty where values may be of any type.
    ///
    /// D6: a declared numeric type would turn a later "007" into 7, so only a declared field gets
    /// one, and only if it loses nothing in it. A decimal of more digits than a double keeps would
    /// be rounded in a column of a numeric type, so its column has none, and each value is kept as
    /// a number where that is exact and as text where it is not.
    public init(for field: Field) {
        if let native = Self(native: field.nativeType), native.fieldType == field.type {
            self = native
            return
        }
        switch field.type {
        case .any: self.init("")
        case .bool: self.init("BOOLEAN")
        case .int16, .int32, .int64: self.init("INTEGER")
        case .float, .double: self.init("REAL")
        case .decimal(nil, _): self.init("DECIMAL BLOB")
        case .decimal(let precision?, let scale):
            let name = precision <= Self.exactDigits ? "DECIMAL" : "DECIMAL BLOB"
            self.init("\(name)(\(precision), \(scale ?? 0))")
        case .string, .uuid, .json, .object, .date, .time, .timestamp, .localTimestamp:
            self.init("TEXT")
        case .bytes: self.init("BLOB")
        }
    }

    private static let nativePrefix = "sqlite."

    /// The type as a ``Field/nativeType``; `nil` for no words.
    public var nativeType: String? { text.isEmpty ? nil : Self.nativePrefix + text }

    /// Takes the words out of a ``Field/nativeType``; `nil` when they are another database's, or
    /// could be anything but a type. (D9)
    public init?(native: String?) {
        guard let native, native.hasPrefix(Self.nativePrefix) else { return nil }
        let text = String(native.dropFirst(Self.nativePrefix.count))
        guard Self.isType(text) else { return nil }
        self.init(text)
    }

    /// What a constraint of a column may begin with in SQLite's grammar.
    private static let constraintWords: Set<String> = [
        "constraint", "primary", "not", "null", "unique", "check", "default", "collate",
        "references", "generated", "as",
    ]

    private static func isType(_ text: String) -> Bool {
        let isWord = { (byte: UInt8) in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
        let words = text.prefix { $0 != "(" }
        guard let first = words.utf8.first, isWord(first), !(0x30...0x39).contains(first),
            words.utf8.allSatisfy({ isWord($0) || $0 == 0x20 }), text.utf8.count <= 128
        else { return false }
        let parts = words.split(separator: " ").map { SQLiteName.fold(String($0)) }
        guard constraintWords.isDisjoint(with: parts) else { return false }
        let rest = text.dropFirst(words.count)
        guard !rest.isEmpty else { return true }
        guard rest.last == ")" else { return false }
        let numbers = rest.dropFirst().dropLast()
            .split(separator: ",", omittingEmptySubsequences: false)
        return numbers.count <= 2
            && numbers.allSatisfy { number in
                let digits = number.drop { $0 == " " }
                return !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
    }
}
