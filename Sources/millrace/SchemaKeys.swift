import ConnectorSDK
import JSONDocuments

/// Configuration keys in JSON Schema: flat or as nested maps, common ones defined once.
struct SchemaKeys {
    /// Keys that several connectors declare in the same words.
    private let shared: [String: ConfigDeclaration]

    /// Finds what the connectors have in common.
    init(usedIn connectors: [[ConfigDeclaration]]) {
        var uses: [String: [ConfigDeclaration]] = [:]
        for declaration in connectors.joined() {
            uses[declaration.name, default: []].append(declaration)
        }
        shared = uses.compactMapValues { declarations in
            guard let first = declarations.first, declarations.count > 1,
                declarations.allSatisfy({ Self.leaf($0).text == Self.leaf(first).text })
            else { return nil }
            return first
        }
    }

    /// What `#/definitions/keys/` holds.
    var definitions: JSONDocument {
        .object(shared.sorted { $0.key < $1.key }.map { ($0.key, Self.leaf($0.value)) })
    }

    /// The allowed keys and `extra`, and no others but those below the names in `open`.
    func members(
        _ declarations: [ConfigDeclaration],
        extra: [(String, JSONDocument)] = [],
        open: [String] = [],
        isClosed: Bool = true
    ) -> [(String, JSONDocument)] {
        let entries = declarations.map { (path: $0.name, declaration: $0) }
        let all = members(of: entries, extra: extra, open: open)
        return isClosed ? all : all.filter { $0.0 != "additionalProperties" }
    }

    private typealias Entry = (path: String, declaration: ConfigDeclaration)

    private func members(
        of entries: [Entry],
        extra: [(String, JSONDocument)] = [],
        open: [String] = []
    ) -> [(String, JSONDocument)] {
        var properties = extra
        var groups: [(name: String, members: [Entry])] = []
        for (path, declaration) in entries {
            properties.append((path, schema(of: declaration)))
            guard let dot = path.firstIndex(of: ".") else { continue }
            let nested = (String(path[path.index(after: dot)...]), declaration)
            let head = String(path[..<dot])
            if let index = groups.firstIndex(where: { $0.name == head }) {
                groups[index].members.append(nested)
            } else {
                groups.append((head, [nested]))
            }
        }
        for group in groups where !properties.contains(where: { $0.0 == group.name }) {
            let nested = members(of: group.members)
            properties.append((group.name, .object([("type", "object")] + nested)))
        }
        var result: [(String, JSONDocument)] = [("properties", .object(properties))]
        let maps = open + entries.filter { $0.declaration.type == .map }.map(\.path)
        if !maps.isEmpty {
            let names = maps.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")
            result.append(("patternProperties", .object([("^(\(names))\\.", .bool(true))])))
        }
        result.append(("additionalProperties", false))
        return result
    }

    private func schema(of declaration: ConfigDeclaration) -> JSONDocument {
        let leaf = Self.leaf(declaration)
        guard let known = shared[declaration.name], Self.leaf(known).text == leaf.text else {
            return leaf
        }
        return ["$ref": .string("#/definitions/keys/\(declaration.name)")]
    }

    private static func leaf(_ declaration: ConfigDeclaration) -> JSONDocument {
        var fields: [(String, JSONDocument)] = [("description", .string(declaration.help))]
        if let text = declaration.defaultText { fields.append(("default", .string(text))) }
        switch declaration.type {
        case .int, .duration, .size: fields.append(("type", ["integer", "string"]))
        case .boolean:
            fields.append(("anyOf", [["type": "boolean"], ["type": "string"]]))
        case .list:
            fields.append(
                ("anyOf", [["type": "array"], ["type": ["string", "number", "boolean"]]])
            )
        case .map: fields.append(("type", ["object", "string"]))
        case .choice:
            var words = (declaration.choices + declaration.synonyms).map(JSONDocument.string)
            // YAML reads these words as truth values.
            if declaration.synonyms.contains("true") { words += [.bool(true), .bool(false)] }
            let reference: JSONDocument = ["type": "string", "pattern": "[$][{]"]
            fields.append(("anyOf", [["enum": .array(words)], reference]))
        case .string, .password:
            fields.append(("type", ["string", "number", "boolean"]))
        }
        return .object(fields)
    }
}
