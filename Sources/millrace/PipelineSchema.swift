import ConnectorSDK
import JSONDocuments
import PipelineEngine
import PipelineFile
import Topics

/// The JSON Schema of pipeline files, for completion and checks in editors.
struct PipelineSchema {
    private struct Branch {
        var name: String
        var declarations: [ConfigDeclaration]
    }

    private let catalog: PluginCatalog
    private let sources: [Branch]
    private let sinks: [Branch]
    private let keys: SchemaKeys

    init(catalog: PluginCatalog) {
        self.catalog = catalog
        sources = Self.branches(.source, in: catalog)
        sinks = Self.branches(.sink, in: catalog)
        keys = SchemaKeys(usedIn: (sources + sinks).map(\.declarations))
    }

    var document: JSONDocument {
        let topic = keys.members(TopicDefinition.configuration.declarations)
        let properties: JSONDocument = [
            "pipeline": ["type": "string", "description": "The pipeline's name."],
            "broker": broker,
            "topics": [
                "type": "object",
                "description": "Topics to create, by name.",
                "additionalProperties": .object([("type", ["object", "null"])] + topic),
            ],
            "sources": connectors("Connectors that write topics, by name.", sources),
            "sinks": connectors("Connectors that read topics, by name.", sinks),
            "tests": Self.tests,
        ]
        return [
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Millrace pipeline",
            "type": "object",
            "required": ["pipeline"],
            "additionalProperties": false,
            "properties": properties,
            "definitions": [
                "keys": keys.definitions,
                "transforms": parts(
                    catalog.transforms.map { $0 as any Plugin.Type },
                    extra: [
                        ("predicate", ["type": "string"]),
                        ("negate", ["type": ["boolean", "string"]]),
                    ]
                ),
                "predicates": parts(catalog.predicates.map { $0 as any Plugin.Type }, extra: []),
            ],
        ]
    }

    /// A map of connectors, whose keys depend on `connector`.
    private func connectors(_ description: String, _ branches: [Branch]) -> JSONDocument {
        let names = branches.map { JSONDocument.string($0.name) }
        let choices = branches.map { branch -> JSONDocument in
            let extra: [(String, JSONDocument)] = [
                ("connector", ["const": .string(branch.name)]),
                ("tasks", ["$ref": "#/definitions/keys/tasks.max"]),
                ("transforms", ["$ref": "#/definitions/transforms"]),
                ("predicates", ["$ref": "#/definitions/predicates"]),
            ]
            let members = keys.members(
                branch.declarations,
                extra: extra,
                open: ["transforms", "predicates"]
            )
            return [
                "if": ["properties": ["connector": ["const": .string(branch.name)]]],
                "then": .object(members),
            ]
        }
        return [
            "type": "object",
            "description": .string(description),
            "additionalProperties": [
                "type": "object",
                "required": ["connector"],
                "properties": ["connector": ["enum": .array(names)]],
                "allOf": .array(choices),
            ],
        ]
    }

    private static func branches(
        _ kind: ConnectorDefinition.Kind,
        in catalog: PluginCatalog
    ) -> [Branch] {
        catalog.connectorNames(kind).map { name in
            Branch(name: name, declarations: declarations(name, kind, in: catalog))
        }
    }

    /// All keys of a connector, whatever format it is given.
    private static func declarations(
        _ name: String,
        _ kind: ConnectorDefinition.Kind,
        in catalog: PluginCatalog
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

    /// Transforms or predicates: a list of maps, a map of maps, or names with keys beside them.
    private func parts(
        _ plugins: [any Plugin.Type],
        extra: [(String, JSONDocument)]
    ) -> JSONDocument {
        let sorted = plugins.sorted { $0.name < $1.name }
        func choices(_ plugin: any Plugin.Type) -> [JSONDocument] {
            PluginCatalog.names(of: plugin).map { .string($0) }
        }
        let names = sorted.flatMap { choices($0) }
        let branches = sorted.map { plugin -> JSONDocument in
            let own: JSONDocument = .array(choices(plugin))
            let type: (String, JSONDocument) = (
                "type", ["enum": own, "description": .string(plugin.summary)]
            )
            let members = keys.members(plugin.configuration.declarations, extra: [type] + extra)
            return [
                "if": ["properties": ["type": ["enum": own]]],
                "then": .object(members),
            ]
        }
        let part: JSONDocument = [
            "type": "object",
            "required": ["type"],
            "properties": ["type": ["enum": .array(names)]],
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

    /// Brokers alone, or a map of keys, of which most are the client library's.
    private var broker: JSONDocument {
        let own = keys.members(
            BrokerSettings.configuration.declarations,
            open: [],
            isClosed: false
        )
        return [
            "description": "The Apache Kafka cluster that has the topics.",
            "anyOf": [
                ["type": "string"], ["type": "array", "items": ["type": "string"]],
                .object([("type", "object")] + own),
            ],
        ]
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
