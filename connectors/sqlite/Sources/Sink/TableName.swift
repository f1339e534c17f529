internal import ConnectorSDK

/// The name of a table with places to be filled: `${topic}` and `${partition}`.
internal struct TableName: Sendable {
    private enum Part: Sendable {
        case text(String)
        case topic
        case partition
    }

    private var parts: [Part] = []

    internal init(_ format: String) throws(ConnectorError) {
        var rest = format[...]
        while let dollar = rest.firstIndex(of: "$") {
            let tail = rest[dollar...]
            guard tail.hasPrefix("${"), let end = tail.firstIndex(of: "}") else {
                guard tail.hasPrefix("${") else {
                    parts.append(.text(String(rest[...dollar])))
                    rest = rest[rest.index(after: dollar)...]
                    continue
                }
                throw .invalid("table.name.format", "A `${` has no closing `}`.")
            }
            parts.append(.text(String(rest[..<dollar])))
            parts.append(try Self.place(tail[..<end].dropFirst(2)))
            rest = tail[tail.index(after: end)...]
        }
        parts.append(.text(String(rest)))
        if format.isEmpty { throw .invalid("table.name.format", "The value must not be empty.") }
        if !SQLText.isName(format) {
            throw .invalid("table.name.format", "The value must not contain a NUL character.")
        }
    }

    private static func place(_ name: Substring) throws(ConnectorError) -> Part {
        switch name {
        case "topic": return .topic
        case "partition": return .partition
        default:
            throw .invalid(
                "table.name.format",
                "`${\(name)}` stands for nothing.",
                hint: "There are `${topic}` and `${partition}`."
            )
        }
    }

    /// The name for records of a partition.
    internal func name(topic: String, partition: Int32) -> String {
        var name = ""
        for part in parts {
            switch part {
            case .text(let text): name += text
            case .topic: name += topic
            case .partition: name += String(partition)
            }
        }
        return name
    }
}
