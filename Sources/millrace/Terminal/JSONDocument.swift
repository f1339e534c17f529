/// A JSON value to be printed; fields keep their order.
enum JSONDocument: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    case null
    case bool(Bool)
    case int(Int64)
    case string(String)
    case array([JSONDocument])
    case object([(String, JSONDocument)])
    /// Text that is JSON already.
    case raw(String)

    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int64) { self = .int(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: JSONDocument...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSONDocument)...) { self = .object(elements) }

    /// Text, or null.
    static func optional(_ text: String?) -> Self { text.map { .string($0) } ?? .null }

    /// A number, or null.
    static func optional(_ number: Int64?) -> Self { number.map { .int($0) } ?? .null }

    /// A number of seconds to the millisecond.
    static func seconds(_ value: Double) -> Self {
        guard value.isFinite, value.magnitude < 1e15 else { return .null }
        let milliseconds = Int64((value * 1_000).rounded())
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        return .raw("\(milliseconds / 1_000).\(fraction)")
    }

    /// The document in one line.
    var text: String {
        var text = ""
        write(into: &text)
        return text
    }

    private func write(into text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .string(let value): Self.writeString(value, into: &text)
        case .raw(let value): text += value
        case .array(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                item.write(into: &text)
            }
            text += "]"
        case .object(let fields):
            text += "{"
            for (index, field) in fields.enumerated() {
                if index > 0 { text += "," }
                Self.writeString(field.0, into: &text)
                text += ":"
                field.1.write(into: &text)
            }
            text += "}"
        }
    }

    private static func writeString(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
