package import ConnectorSDK

/// How the names of fields in a configuration are to be read; Kafka Connect's words.
package enum FieldSyntax: String, CaseIterable, Sendable {
    /// A name is a name, dots and all.
    case plain = "V1"
    /// Dots lead into objects, backquotes enclose names that have dots.
    case nested = "V2"

    /// The key that says so, for transforms that name fields.
    package static let key = ConfigKey<FieldSyntax>.choice(
        "field.syntax.version",
        default: .plain,
        importance: .high,
        help: """
            How names of fields are read. `V1`: a name is a name. `V2`: `address.city` is the field \
            `city` of the object in the field `address`, to any depth; a name that has dots itself \
            stands between backquotes, `` `host.name`.ip ``.
            """
    )
}

/// The way to a value in a record: a field's name, and those of fields inside of it.
package struct FieldPath: Hashable, Sendable, CustomStringConvertible {
    /// The names, at least one.
    package let steps: [String]

    /// The path to a field of the record itself.
    package init(name: String) { steps = [name] }

    /// The path that a text means.
    package init(_ text: String, syntax: FieldSyntax) throws(ConfigValueError) {
        switch syntax {
        case .plain: steps = [text]
        case .nested:
            var parser = FieldPathParser(text)
            steps = try parser.parse()
        }
    }

    /// The path that a text means, as the value of a key.
    package init(_ text: String, syntax: FieldSyntax, key: String) throws(ConnectorError) {
        do throws(ConfigValueError) {
            try self.init(text, syntax: syntax)
        } catch {
            throw .invalid(key, "The value \(error.message).")
        }
    }

    /// The field of the record itself.
    package var first: String { steps[0] }

    /// Whether the value is inside of a field.
    package var isNested: Bool { steps.count > 1 }

    /// The path as ``FieldSyntax/nested`` has it, for messages.
    package var description: String {
        isNested ? steps.map { $0.contains(".") ? "`\($0)`" : $0 }.joined(separator: ".") : first
    }
}

/// Reads paths with dots and backquotes as Kafka's KIP-821 defines them.
///
/// A backquote counts only where a step begins; it ends before a dot or the end of the text. Within
/// such a step a backquote that a dot follows is escaped by a backslash, which is then left out; any
/// other backquote needs none.
private struct FieldPathParser {
    private let text: [Unicode.Scalar]
    private var next = 0

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    mutating func parse() throws(ConfigValueError) -> [String] {
        guard !text.isEmpty else { throw ConfigValueError("must name a field") }
        var steps: [String] = []
        while next < text.count {
            steps.append(text[next] == "`" ? try quotedStep() : plainStep())
        }
        if text.last == "." { steps.append("") }
        return steps
    }

    private mutating func plainStep() -> String {
        let end = text[next...].firstIndex(of: ".") ?? text.count
        defer { next = end + 1 }
        return string(next..<end)
    }

    private mutating func quotedStep() throws(ConfigValueError) -> String {
        let opening = next
        var step = ""
        var start = opening + 1
        var at = start
        while let quote = text[min(at, text.count)...].firstIndex(of: "`") {
            let isEscaped = text[quote - 1] == "\\"
            at = quote + 1
            if at == text.count {
                if isEscaped { break }
                next = at
                return step + string(start..<quote)
            }
            guard text[at] == "." else { continue }
            if isEscaped {
                step += string(start..<(quote - 1)) + "`"
                start = at
                continue
            }
            next = at + 1
            return step + string(start..<quote)
        }
        throw ConfigValueError(
            "has a backquote at character \(opening + 1) without the one that ends the name; "
                + "a name that begins with a backquote itself stands between two of them"
        )
    }
    private func string(_ range: Range<Int>) -> String {
        String(String.UnicodeScalarView(text[range]))
    }
}
