extension JSONDocument {
    /// The document in one line.
    public var text: String {
        var text = ""
        write(into: &text)
        return text
    }

    /// The document with a line for each value, for files that people compare.
    public var indentedText: String {
        var text = ""
        write(into: &text, indentation: 0)
        return text
    }

    /// Writes the document behind `text`; with an indentation, a line for each value.
    internal func write(into text: inout String, indentation: Int? = nil) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .string(let value): Self.write(value, into: &text)
        case .raw(let value): text += value
        case .array(let items):
            Self.write(items, "[", "]", into: &text, indentation) { item, text, inner in
                item.write(into: &text, indentation: inner)
            }
        case .object(let fields):
            Self.write(fields, "{", "}", into: &text, indentation) { field, text, inner in
                Self.write(field.0, into: &text)
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

    /// Writes a string in its quotes behind `text`.
    public static func write(_ string: String, into text: inout String) {
        text += "\""
        let isPlain = string.utf8.allSatisfy {
            $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain { text += string } else { escape(string, into: &text) }
        text += "\""
    }

    private static func escape(_ string: String, into text: inout String) {
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
