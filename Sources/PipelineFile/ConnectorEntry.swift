import ConnectorSDK
import PipelineEngine

/// One entry below `sources:` or `sinks:`, made flat: nested maps join by dots, lists by commas.
internal struct ConnectorEntry {
    /// A flat key with its text and its place.
    internal struct Value {
        internal var text: String
        internal var place: SourceMap.Place
    }

    /// Keys below which a list or map of maps is Kafka Connect's list of names with nested keys.
    private static let namedParts = ["transforms": "t", "predicates": "p"]
    /// How a pipeline file may call a key, and what Kafka Connect calls it.
    private static let shortNames = ["connector": "connector.class", "tasks": "tasks.max"]

    internal private(set) var values: [String: Value] = [:]
    internal private(set) var problems: [(key: String, problem: YAMLProblem)] = []

    internal init(_ entries: [YAMLEntry]) {
        for entry in entries {
            let place = SourceMap.Place(key: entry.mark, value: entry.value.mark)
            let key = Self.shortNames[entry.key] ?? entry.key
            if let letter = Self.namedParts[key], flattenParts(entry, key, letter) { continue }
            flatten(entry.value, key, place)
        }
    }

    private mutating func flatten(_ node: YAMLNode, _ key: String, _ place: SourceMap.Place) {
        switch node.content {
        case .scalar(let text, _):
            guard !node.isNull else {
                return report(
                    key,
                    node.mark,
                    "has no value; remove the key, or write '' for empty text"
                )
            }
            set(key, text, place)
        case .list(let items):
            let texts = items.map { listItem($0, key) }
            set(key, texts.joined(separator: ","), place)
        case .map(let entries):
            for entry in entries {
                let place = SourceMap.Place(key: entry.mark, value: entry.value.mark)
                flatten(entry.value, "\(key).\(entry.key)", place)
            }
        }
    }

    /// Lists travel as text with commas, so an item must survive being split off and trimmed.
    private mutating func listItem(_ node: YAMLNode, _ key: String) -> String {
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            report(key, node.mark, "a list here holds single values, but \(node.kind) was found")
            return ""
        }
        if ListText.items(of: text).count > 1 {
            report(key, node.mark, "an item of a list must not contain a comma")
        } else if text.isEmpty || text.first?.isWhitespace == true
            || text.last?.isWhitespace == true
        {
            report(
                key,
                node.mark,
                "an item of a list must not be empty or begin or end with a space"
            )
        }
        return text
    }

    /// Reads transforms or predicates written as a list of maps or as a map of maps.
    ///
    /// - Returns: `false` when they are written some other way, such as a list of names.
    private mutating func flattenParts(_ entry: YAMLEntry, _ key: String, _ letter: String) -> Bool
    {
        var parts: [(name: String, place: SourceMap.Place, entries: [YAMLEntry])] = []
        switch entry.value.content {
        case .scalar: return false
        case .list(let items):
            for (index, item) in items.enumerated() {
                guard case .map(let entries) = item.content else {
                    let hasMaps = items.contains {
                        if case .map = $0.content { true } else { false }
                    }
                    if hasMaps {
                        report(
                            key,
                            item.mark,
                            "each item must be a map with `type`, as the others are"
                        )
                    }
                    return hasMaps
                }
                let place = SourceMap.Place(key: item.mark, value: item.mark)
                parts.append(("\(letter)\(index + 1)", place, entries))
            }
        case .map(let entries):
            for part in entries {
                guard case .map(let keys) = part.value.content else {
                    report("\(key).\(part.key)", part.mark, "must be a map with `type`")
                    continue
                }
                let place = SourceMap.Place(key: part.mark, value: part.value.mark)
                parts.append((part.key, place, keys))
            }
        }
        let place = SourceMap.Place(key: entry.mark, value: entry.value.mark)
        set(key, parts.map(\.name).joined(separator: ","), place)
        for part in parts {
            if part.name.contains(",") || part.name.isEmpty {
                report(
                    "\(key).\(part.name)",
                    part.place.key,
                    "a name must not be empty or contain a comma"
                )
            }
            let node = YAMLNode(content: .map(part.entries), mark: part.place.value)
            flatten(node, "\(key).\(part.name)", part.place)
        }
        return true
    }

    private mutating func set(_ key: String, _ text: String, _ place: SourceMap.Place) {
        if let first = values[key]?.place.key {
            return report(
                key,
                place.key,
                "is given twice; the first is at \(first.line):\(first.column)"
            )
        }
        values[key] = Value(text: text, place: place)
    }

    private mutating func report(_ key: String, _ mark: Mark, _ message: String) {
        problems.append((key, YAMLProblem(mark, message)))
    }
}
