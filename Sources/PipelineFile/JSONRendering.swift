internal import JSONDocuments

/// Writes YAML values of a `tests:` block as a topic holds them.
internal enum JSONRendering {
    /// A single value as it is written, a map or list as JSON, nothing for null.
    internal static func payload(_ node: YAMLNode) -> String? {
        if case .scalar(let text, _) = node.content { return node.isNull ? nil : text }
        var json = ""
        write(node, into: &json)
        return json
    }

    private static func write(_ node: YAMLNode, into json: inout String) {
        switch node.content {
        case .scalar(let text, let isPlain):
            if node.isNull {
                json += "null"
            } else if isPlain, text == "true" || text == "false" || isNumber(text) {
                json += text
            } else {
                JSONDocument.write(text, into: &json)
            }
        case .list(let items):
            json += "["
            for (index, item) in items.enumerated() {
                if index > 0 { json += "," }
                write(item, into: &json)
            }
            json += "]"
        case .map(let entries):
            json += "{"
            for (index, entry) in entries.enumerated() {
                if index > 0 { json += "," }
                JSONDocument.write(entry.key, into: &json)
                json += ":"
                write(entry.value, into: &json)
            }
            json += "}"
        }
    }

    /// Whether a text is a number in JSON's grammar, so that it can stand in JSON unchanged.
    internal static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func digits() -> Int {
            let count = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !startsWithZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
            }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
