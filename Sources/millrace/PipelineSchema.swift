import ConnectorSDK
import PipelineEngine
import PipelineFile

/// The JSON Schema of pipeline files, for completion and checks in editors.
struct PipelineSchema {
    let catalog: PluginCatalog

    var document: JSONDocument {
        let properties: JSONDocument = [
            "pipeline": ["type": "string", "description": "The pipeline's name."],
            "topics": [
                "type": "object",
                "description": "Topics to create, by name.",
                "additionalProperties": .object(
                    [("type", ["object", "null"])]
                        + Self.members(TopicDefinition.configuration.declarations)
                ),
            ],
            "sources": connectors(.source),
            "sinks": connectors(.sink),
            "tests": Self.tests,
        ]
        return [
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Millrace pipeline",
            "type": "object",
            "required": ["pipeline"],
            "additionalProperties": false,
            "properties": properties,
        ]
    }

    /// A map of connectors, whose keys depend on `connector`.
    private func connectors(_ kind: ConnectorDefinition.Kind) -> JSONDocument {
        let names = catalog.connectorNames(kind)
        let branches = names.map { name -> JSONDocument in
            [
                "if": ["properties": ["connector": ["const": .string(name)]]],
                "then": .object(Self.members(declarations(name, kind), extra: extra(name))),
            ]
        }
        return [
            "type": "object",
            "description": kind == .source
                ? "Connectors that write topics, by name."
                : "Connectors that read topics, by name.",
            "additionalProperties": [
                "type": "object",
                "required": ["connector"],
                "properties": ["connector": ["enum": .array(names.map { .string($0) })]],
                "allOf": .array(branches),
            ],
        ]
    }

    /// All keys of a connector, whatever format it is given.
    private func declarations(
        _ name: String,
        _ kind: ConnectorDefinition.Kind
    ) -> [ConfigDeclaration] {
        let definition = ConnectorDefinition(name: name, kind: kind, plugin: name)
        var all = catalog.spec(for: definition).declarations
        if all.contains(where: { $0.name == "format" }) {
            for format in catalog.formats.names {
                var chosen = definition
                chosen.values["format"] = format
                let known = Set(all.map(\.name))
                all += catalog.spec(for: chosen).declarations.filter { !known.contains($0.name) }
            }
        }
        return all.filter { !["transforms", "predicates"].contains($0.name) }
    }

    private func extra(_ name: String) -> [(String, JSONDocument)] {
        [
            ("connector", ["const": .string(name)]),
            ("tasks", ["type": ["integer", "string"], "description": "`tasks.max`"]),
            (
                "transforms",
                Self.parts(
                    catalog.transforms.map { $0 as any Plugin.Type },
                    [
                        "predicate": ["type": "string"], "negate": ["type": ["boolean", "string"]],
                    ]
                )
            ),
            ("predicates", Self.parts(catalog.predicates.map { $0 as any Plugin.Type }, [:])),
        ]
    }

    /// Transforms or predicates: a list of maps, a map of maps, or names with keys beside them.
    private static func parts(_ plugins: [any Plugin.Type], _ shared: JSONDocument) -> JSONDocument
    {
        guard case .object(let sharedKeys) = shared else { return .bool(true) }
        let names = plugins.map { $0.name }.sorted()
        let branches = plugins.sorted { $0.name < $1.name }.map { plugin -> JSONDocument in
            let type: [(String, JSONDocument)] = [
                ("type", ["const": .string(plugin.name), "description": .string(plugin.summary)])
            ]
            return [
                "if": ["properties": ["type": ["const": .string(plugin.name)]]],
                "then": .object(
                    members(plugin.configuration.declarations, extra: type + sharedKeys)
                ),
            ]
        }
        let part: JSONDocument = [
            "type": "object",
            "required": ["type"],
            "properties": ["type": ["enum": .array(names.map { .string($0) })]],
            "allOf": .array(branches),
        ]
        return [
            "anyOf": [
                ["type": "array", "items": ["anyOf": [part, ["type": "string"]]]],
                ["type": "object", "additionalProperties": part],
                ["type": "string"],
            ]
        ]
    }

    /// The allowed keys, and no others; a key with dots may be written flat or as nested maps.
    private static func members(
        _ declarations: [ConfigDeclaration],
        extra: [(String, JSONDocument)] = []
    ) -> [(String, JSONDocument)] {
        var properties = extra
        var groups: [(name: String, members: [ConfigDeclaration])] = []
        for declaration in declarations {
            properties.append((declaration.name, leaf(declaration)))
            guard let dot = declaration.name.firstIndex(of: ".") else { continue }
            let head = String(declaration.name[..<dot])
            var nested = declaration
            nested.name = String(declaration.name[declaration.name.index(after: dot)...])
            if let index = groups.firstIndex(where: { $0.name == head }) {
                groups[index].members.append(nested)
            } else {
                groups.append((head, [nested]))
            }
        }
        for group in groups where !properties.contains(where: { $0.0 == group.name }) {
            properties.append(
                (group.name, .object([("type", "object")] + members(group.members)))
            )
        }
        var result: [(String, JSONDocument)] = [("properties", .object(properties))]
        let maps = declarations.filter { $0.type == .map }.map(\.name)
        if !maps.isEmpty {
            let pattern = "^(" + maps.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")
            result.append(("patternProperties", .object([(pattern + ")\\.", .bool(true))])))
        }
        result.append(("additionalProperties", false))
        return result
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
            let words = JSONDocument.array(declaration.choices.map { .string($0) })
            fields.append(("anyOf", [["enum": words], ["type": "string", "pattern": "[$][{]"]]))
        case .string, .password:
            fields.append(("type", ["string", "number", "boolean"]))
        }
        return .object(fields)
    }

    private static var tests: JSONDocument {
        let record: JSONDocument = [
            "type": "object",
            "required": ["value"],
            "additionalProperties": false,
            "properties": ["key": true, "value": true, "headers": ["type": "object"]],
        ]
        return [
            "type": "array",
            "description": "Cases for `millrace test`.",
            "items": [
                "type": "object",
                "required": ["connector", "input", "output"],
                "additionalProperties": false,
                "properties": [
                    "name": ["type": "string"],
                    "connector": ["type": "string"],
                    "input": ["type": "array", "items": record],
                    "output": ["type": "array", "items": record],
                    "rejected": ["type": "integer", "minimum": 0],
                ],
            ],
        ]
    }
}
