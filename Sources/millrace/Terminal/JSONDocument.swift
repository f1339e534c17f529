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
        write(into: &text, indentation: nil)
        return text
    }

    /// The document with a line for each value, for files that people compare.
    var indentedText: String {
        var text = ""
        write(into: &text, indentation: 0)
        return text
    }

    private func write(into text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .string(let value): Self.writeString(value, into: &text)
        case .raw(let value): text += value
        case .array(let items):
            Self.write(items, "[", "]", into: &text, indentation) { item, text, inner in
                item.write(into: &text, indentation: inner)
            }
        case .object(let fields):
            Self.write(fields, "{", "}", into: &text, indentation) { field, text, inner in
                Self.writeString(field.0, into: &text)
                text += inner == nil ? ":" : ": "
                field.1.write(into: &text, indentation: inner)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item],
        _ open: String,
        _ close: String,
        into text: inout String,
        _ indentation: Int?,
        _ body: (Item, inout String, Int?) -> Void
    ) {
        let inner = indentation.map { $0 + 2 }
        func startLine(_ width: Int?) -> String {
            width.map { "\n" + String(repeating: " ", count: $0) } ?? ""
        }
        text += open
        for (index, item) in items.enumerated() {
            text += (index > 0 ? "," : "") + startLine(inner)
            body(item, &text, inner)
        }
        text += (items.isEmpty ? "" : startLine(indentation)) + close
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
