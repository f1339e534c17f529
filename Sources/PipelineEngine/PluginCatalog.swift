public import ConnectorSDK

/// The connectors, formats, converters, transforms and predicates that pipelines can name.
public struct PluginCatalog: Sendable {
    /// Source connectors.
    public var sources: [any SourceConnector.Type]
    /// Sink connectors.
    public var sinks: [any SinkConnector.Type]
    /// Formats.
    public var formats: FormatCatalog
    /// Converters between a topic's bytes and fields.
    public var converters: [any Converter.Type]
    /// Transforms.
    public var transforms: [any Transform.Type]
    /// Predicates.
    public var predicates: [any Predicate.Type]
    /// Connector names that are `file` with that format: `csv`, `json`, `xml`.
    public var formatAliases: [String]

    /// Makes a catalogue.
    public init(
        sources: [any SourceConnector.Type] = [],
        sinks: [any SinkConnector.Type] = [],
        formats: FormatCatalog = FormatCatalog([]),
        converters: [any Converter.Type] = [],
        transforms: [any Transform.Type] = [],
        predicates: [any Predicate.Type] = [],
        formatAliases: [String] = []
    ) {
        self.sources = sources
        self.sinks = sinks
        self.formats = formats
        self.converters = converters
        self.transforms = transforms
        self.predicates = predicates
        self.formatAliases = formatAliases
    }

    /// The connector names that a pipeline file may use for this kind, sorted.
    public func connectorNames(_ kind: ConnectorDefinition.Kind) -> [String] {
        switch kind {
        case .source:
            let names = sources.map { $0.name }
            return (names + (names.contains(Self.aliased) ? formatAliases : [])).sorted()
        case .sink:
            let names = sinks.map { $0.name }
            return (names + (names.contains(Self.aliased) ? formatAliases : [])).sorted()
        }
    }

    /// The connector that ``formatAliases`` stand for.
    static let aliased = "file"

    /// The format that is the default converter's name, and what a topic holds without more words.
    static let defaultConverter = "json"

    /// The source connector of that name.
    public func source(_ plugin: String) -> (any SourceConnector.Type)? {
        sources.first { $0.name == connectorName(of: plugin) }
    }

    /// The sink connector of that name.
    public func sink(_ plugin: String) -> (any SinkConnector.Type)? {
        sinks.first { $0.name == connectorName(of: plugin) }
    }

    func converter(_ name: String) -> (any Converter.Type)? {
        converters.first { $0.name == name }
    }

    func predicate(_ name: String) -> (any Predicate.Type)? {
        predicates.first { $0.name == name || $0.className == name }
    }

    private func connectorName(of plugin: String) -> String {
        formatAliases.contains(plugin) ? Self.aliased : plugin
    }

    /// The definition's values, with what its plug-in's name implies.
    func values(of definition: ConnectorDefinition) -> [String: String] {
        guard formatAliases.contains(definition.plugin) else { return definition.values }
        return definition.values.merging(["format": definition.plugin]) { _, implied in implied }
    }

    /// What the definition's connector says of itself, or `nil` when there is no such connector.
    func plugin(of definition: ConnectorDefinition) -> (type: any Plugin.Type, usesFormat: Bool)? {
        switch definition.kind {
        case .source: source(definition.plugin).map { ($0, $0.usesFormat) }
        case .sink: sink(definition.plugin).map { ($0, $0.usesFormat) }
        }
    }
}

extension PluginCatalog {
    /// The keys that a connector takes: the framework's, the connector's, its format's, its
    /// converters' and those of every transform and predicate it names, with their full names.
    public func spec(for definition: ConnectorDefinition) -> ConfigSpec {
        let values = values(of: definition)
        var spec = ConfigSpec()
        if let plugin = plugin(of: definition) {
            spec = plugin.type.configuration
            if plugin.usesFormat { spec = spec.adding(formatSpec(values, of: plugin.type)) }
            if formatAliases.contains(definition.plugin) { spec = spec.without("format") }
        }
        spec = spec.adding(frameworkSpec(definition))
            .adding(converterSpec(ConverterRole.key, values))
            .adding(converterSpec(ConverterRole.value, values))
            .adding(ConfigSpec().with(FrameworkKeys.transforms).with(FrameworkKeys.predicates))
        for name in Self.list(values["predicates"]) {
            spec = spec.adding(predicateSpec(name, values))
        }
        for name in Self.list(values["transforms"]) {
            spec = spec.adding(transformSpec(name, values))
        }
        return spec.adding(FrameworkKeys.errors)
    }

    private func frameworkSpec(_ definition: ConnectorDefinition) -> ConfigSpec {
        switch definition.kind {
        case .sink: FrameworkKeys.sink
        case .source where linksTopics(definition):
            FrameworkKeys.reading.adding(FrameworkKeys.source)
        case .source: FrameworkKeys.source
        }
    }

    /// The keys of the format that a configuration chooses.
    private func formatSpec(_ values: [String: String], of plugin: any Plugin.Type) -> ConfigSpec {
        let fallback = plugin.configuration.declaration(for: "format")?.defaultText
        guard let name = values["format"] ?? fallback else { return ConfigSpec() }
        return formats.formats[name]?.configuration ?? ConfigSpec()
    }

    private func converterSpec(_ role: ConverterRole, _ values: [String: String]) -> ConfigSpec {
        let chosen = converter(values[role.rawValue] ?? Self.defaultConverter)
        return ConfigSpec().with(role.key(converters.map { $0.name }))
            .adding(chosen?.configuration.prefixed(with: role.rawValue + ".") ?? ConfigSpec())
    }

    private func transformSpec(_ name: String, _ values: [String: String]) -> ConfigSpec {
        let prefix = "transforms.\(name)."
        let chosen = values[prefix + "type"].flatMap { transform($0)?.type }
        return ConfigSpec()
            .with(
                PluginKeys.type(
                    prefix,
                    "transform",
                    transforms.map { $0.name },
                    all: transforms.flatMap { Self.names(of: $0) }
                )
            )
            .with(PluginKeys.predicate(prefix, Self.list(values["predicates"])))
            .with(PluginKeys.negate(prefix))
            .adding(chosen?.configuration.prefixed(with: prefix) ?? ConfigSpec())
    }

    private func predicateSpec(_ name: String, _ values: [String: String]) -> ConfigSpec {
        let prefix = "predicates.\(name)."
        let chosen = values[prefix + "type"].flatMap { predicate($0) }
        return ConfigSpec()
            .with(
                PluginKeys.type(
                    prefix,
                    "predicate",
                    predicates.map { $0.name },
                    all: predicates.flatMap { Self.names(of: $0) }
                )
            )
            .adding(chosen?.configuration.prefixed(with: prefix) ?? ConfigSpec())
    }

    /// The items of a comma-separated list.
    static func list(_ text: String?) -> [String] {
        guard let text else { return [] }
        return (try? Configuration(["list": text]).get(ConfigKey.list("list", help: ""))) ?? []
    }
}

/// Which of a record's two parts a converter is for; the raw value is the key that names it.
enum ConverterRole: String, Sendable {
    case key = "key.converter"
    case value = "value.converter"

    func key(_ names: [String]) -> ConfigKey<String> {
        .string(
            rawValue,
            default: PluginCatalog.defaultConverter,
            help: """
                How the record's \(self == .key ? "key" : "value") is written in topics: \
                \(names.sorted().joined(separator: ", ")).
                """,
            validator: PluginKeys.oneOf(names, "converter")
        )
    }
}

/// The keys that choose and steer a transform or predicate.
enum PluginKeys {
    /// The key that names a plug-in, by one of `names` or of the other names in `all`.
    static func type(
        _ prefix: String,
        _ kind: String,
        _ names: [String],
        all: [String]
    ) -> ConfigKey<String> {
        let known = Set(all)
        let check = oneOf(names, kind)
        return .required(
            prefix + "type",
            help: "The \(kind): \(names.sorted().joined(separator: ", ")).",
            validator: { name in
                if known.contains(name) { return nil }
                let near = Spelling.nearest(to: name, in: all)
                return near.map { "names no \(kind); did you mean `\($0)`?" } ?? check(name)
            }
        )
    }

    static func predicate(_ prefix: String, _ names: [String]) -> ConfigKey<String?> {
        .optional(
            prefix + "predicate",
            importance: .low,
            help: "The predicate that a record must meet for the transform to apply to it.",
            validator: oneOf(names, "predicate")
        )
    }

    static func negate(_ prefix: String) -> ConfigKey<Bool> {
        .bool(
            prefix + "negate",
            default: false,
            importance: .low,
            help: "Applies the transform to the records that do not meet the predicate instead."
        )
    }

    /// Says what is wrong with a name that is none of `names`.
    static func oneOf(_ names: [String], _ kind: String) -> @Sendable (String) -> String? {
        { name in
            guard !names.contains(name) else { return nil }
            guard !names.isEmpty else { return "names a \(kind), but none is declared" }
            if let near = Spelling.nearest(to: name, in: names) {
                return "names no \(kind); did you mean `\(near)`?"
            }
            return "must be one of \(names.sorted().joined(separator: ", "))"
        }
    }
}
