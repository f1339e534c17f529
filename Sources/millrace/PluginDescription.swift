import ConnectorSDK
import JSONDocuments
import PipelineEngine

/// What `plugins` says of one plug-in, and what its reference is made of.
struct PluginDescription {
    enum Kind: String, CaseIterable {
        case source, sink, format, converter, transform, predicate
    }

    var kind: Kind
    var name: String
    var summary: String
    /// The plug-in's own keys, without those that every connector takes.
    var declarations: [ConfigDeclaration]

    init(_ kind: Kind, _ plugin: any Plugin.Type) {
        self.kind = kind
        name = plugin.name
        summary = plugin.summary + Self.otherNames(plugin)
        declarations = plugin.configuration.declarations
    }

    /// The other names that a transform or predicate has in configurations.
    private static func otherNames(_ plugin: any Plugin.Type) -> String {
        let className =
            (plugin as? any Transform.Type)?.className
            ?? (plugin as? any Predicate.Type)?.className
        var text = ""
        if plugin is any PartTransform.Type {
            text += " `\(plugin.name)` and `\(plugin.name)$Value` work on values, "
            text += "`\(plugin.name)$Key` on keys."
        }
        if let className { text += " Also named `\(className)`." }
        return text
    }

    /// A connector that is another one with a certain format.
    init(_ kind: Kind, alias: String, of plugin: any Plugin.Type, format: any RecordFormat.Type) {
        self.kind = kind
        name = alias
        summary = "`\(plugin.name)` with `format: \(alias)`. \(format.summary)"
        let own = plugin.configuration.without("format")
        let known = Set(own.declarations.map(\.name))
        declarations =
            own.declarations + format.configuration.declarations.filter { !known.contains($0.name) }
    }

    var document: JSONDocument {
        [
            "name": .string(name), "kind": .string(kind.rawValue), "summary": .string(summary),
            "keys": .array(declarations.map(\.document)),
        ]
    }
}

extension PluginDescription {
    /// Everything in a catalogue, by kind and name.
    static func all(in catalog: PluginCatalog) -> [PluginDescription] {
        let sources = catalog.sources.map { $0 as any Plugin.Type }
        let sinks = catalog.sinks.map { $0 as any Plugin.Type }
        var all = sources.map { PluginDescription(.source, $0) }
        all += aliases(.source, of: sources, in: catalog)
        all += sinks.map { PluginDescription(.sink, $0) }
        all += aliases(.sink, of: sinks, in: catalog)
        all += catalog.formats.formats.values.map { PluginDescription(.format, $0) }
        all += catalog.converters.map { PluginDescription(.converter, $0) }
        all += catalog.transforms.map { PluginDescription(.transform, $0) }
        all += catalog.predicates.map { PluginDescription(.predicate, $0) }
        let order = Dictionary(
            uniqueKeysWithValues: Kind.allCases.enumerated().map { ($1, $0) }
        )
        return all.sorted {
            (order[$0.kind] ?? 0, $0.name) < (order[$1.kind] ?? 0, $1.name)
        }
    }

    private static func aliases(
        _ kind: Kind,
        of plugins: [any Plugin.Type],
        in catalog: PluginCatalog
    ) -> [PluginDescription] {
        guard let file = plugins.first(where: { $0.name == "file" }) else { return [] }
        return catalog.formatAliases.compactMap { alias in
            catalog.formats.formats[alias].map {
                PluginDescription(kind, alias: alias, of: file, format: $0)
            }
        }
    }
}

extension ConfigDeclaration {
    var document: JSONDocument {
        [
            "name": .string(name), "type": .string(type.rawValue), "required": .bool(isRequired),
            "default": .optional(defaultText), "choices": .array(choices.map { .string($0) }),
            "range": .optional(range), "importance": .string(importance.rawValue),
            "help": .string(help),
        ]
    }
}
