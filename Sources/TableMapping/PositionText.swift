/// The part of JSON that positions are written in: no fractions, no nulls.
///
/// Texts come from the data directory, where anybody may have changed them, so all else is
/// answered with `nil`. (D9)
internal struct PositionText {
    internal enum Value {
        case boolean(Bool)
        case integer(Int64)
        case string(String)
        case array([Value])
        case object([String: Value])
    }

    /// Positions nest three deep.
    private static let depthLimit = 8

    private var rest: Substring.UnicodeScalarView
    private var depth = 0

    /// Reads a text; `nil` when it is something else.
    internal static func read(_ text: String) -> Value? {
        var reader = Self(rest: text[...].unicodeScalars)
        guard let value = reader.value() else { return nil }
        reader.skipSpace()
        return reader.rest.isEmpty ? value : nil
    }

    /// A text as a JSON string.
    internal static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private mutating func value() -> Value? {
        skipSpace()
        switch rest.first {
        case "{": return object()
        case "[": return array()
        case "\"": return string().map(Value.string)
        case "t": return take("true") ? .boolean(true) : nil
        case "f": return take("false") ? .boolean(false) : nil
        default:
            let digits = rest.prefix { $0 == "-" || ("0"..."9").contains($0) }
            rest = rest[digits.endIndex...]
            return Int64(String(digits)).map(Value.integer)
        }
    }

    private mutating func object() -> Value? {
        var members: [String: Value] = [:]
        let isWhole = items("{", "}") { reader in
            reader.skipSpace()
            guard reader.rest.first == "\"", let name = reader.string() else { return false }
            reader.skipSpace()
            guard reader.take(":"), let value = reader.value() else { return false }
            members[name] = value
            return true
        }
        return isWhole ? .object(members) : nil
    }

    private mutating func array() -> Value? {
        var values: [Value] = []
        let isWhole = items("[", "]") { reader in
            guard let value = reader.value() else { return false }
            values.append(value)
            return true
        }
        return isWhole ? .array(values) : nil
    }

    private mutating func items(
        _ opening: String,
        _ closing: String,
        _ item: (inout Self) -> Bool
    ) -> Bool {
        guard take(opening), depth < Self.depthLimit else { return false }
        depth += 1
        defer { depth -= 1 }
        skipSpace()
        if take(closing) { return true }
        repeat {
            guard item(&self) else { return false }
            skipSpace()
        } while take(",")
        return take(closing)
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(text)
            case "\\":
                guard let escaped = escape() else { return nil }
                text.append(escaped)
            default: text.append(scalar)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let digits = rest.prefix(4)
            rest = rest[digits.endIndex...]
            guard digits.count == 4, let code = UInt32(String(digits), radix: 16) else {
                return nil
            }
            return Unicode.Scalar(code)
        case let other?: return other
        case nil: return nil
        }
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.unicodeScalars) else { return false }
        rest = rest.dropFirst(text.unicodeScalars.count)
        return true
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == " " || $0 == "\n" || $0 == "\r" || $0 == "\t" }
    }
}
