internal import RegularExpressions

/// Names that some regular expressions match whole, in upper or lower case.
public struct NameFilter: Sendable {
    private let expressions: [String]

    /// Makes a filter of expressions that ``problem(_:)`` has nothing to say about.
    public init(_ expressions: [String]) { self.expressions = expressions }

    /// Whether there is no expression.
    public var isEmpty: Bool { expressions.isEmpty }

    /// Whether one of the expressions matches all of `name`.
    public func matches(_ name: String) -> Bool {
        // Tables are few and looked up rarely.
        expressions.contains { text in
            if text == name { return true }
            let expression = try? RegularExpression(
                text,
                matching: .whole,
                options: .caseInsensitive
            )
            return expression?.matches(name) ?? false
        }
    }

    /// What is wrong with an expression; `nil` when nothing is.
    public static func problem(_ expression: String) -> String? {
        RegularExpression.problem(expression)
    }
}

/// A key that a user chose for tables: `table:column,column`.
internal struct KeyRule: Sendable {
    let table: NameFilter
    let columns: [String]

    /// The rules in a text; those that cannot be read are left out.
    static func rules(_ text: String) -> [KeyRule] {
        text.split(separator: ";").compactMap { KeyRule(String($0)) }
    }

    /// What is wrong with a text of rules; `nil` when nothing is.
    static func problem(_ text: String) -> String? {
        let parts = text.split(separator: ";")
        return !parts.isEmpty && parts.allSatisfy { KeyRule(String($0)) != nil }
            ? nil : "must be such as `public.orders:region,number;orders:id`"
    }

    private init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let table = text[..<colon].trimmed
        columns = text[text.index(after: colon)...].split(separator: ",").map(\.trimmed)
        guard !table.isEmpty, NameFilter.problem(table) == nil else { return nil }
        guard !columns.isEmpty, !columns.contains("") else { return nil }
        self.table = NameFilter([table])
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
