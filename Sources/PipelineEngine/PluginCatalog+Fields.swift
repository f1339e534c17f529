internal import ConnectorSDK

/// Fields that are looked for where no record can have them.
extension PluginCatalog {
    /// Follows what is known of the records of a connector through its transforms.
    ///
    /// - Parameters:
    ///   - definition: the connector.
    ///   - values: its configuration; references may still be in it.
    ///   - chain: its transforms.
    /// - Returns: a finding for each key that names such a field.
    func validateFields(
        _ definition: ConnectorDefinition,
        _ values: [String: String],
        _ chain: TransformChain
    ) -> [ConfigIssue] {
        var outline = RecordOutline()
        if definition.kind == .source {
            outline.value = fields(of: definition, values)
            makeKey(values, &outline)
        }
        return chain.trace(&outline).map { miss in
            ConfigIssue(
                key: Self.nearest(to: miss.key, in: values),
                message: miss.message,
                suggestion: miss.suggestion
            )
        }
    }

    /// The fields of what a source reads.
    private func fields(
        of definition: ConnectorDefinition,
        _ values: [String: String]
    ) -> KnownFields {
        guard let plugin = source(definition.plugin) else { return .unknown }
        let configuration = Configuration(values)
        let spec: ConfigSpec
        var format: (any RecordFormat.Type)?
        if plugin.usesFormat {
            let fallback = plugin.configuration.declaration(for: "format")?.defaultText
            format = (values["format"] ?? fallback).flatMap { formats.formats[$0] }
            guard let format else { return .unknown }
            spec = format.configuration
        } else {
            spec = plugin.configuration
        }
        // What a reference stands for, nobody knows here.
        let isOpen = values.contains {
            spec.declaration(for: $0.key) != nil && ReferenceResolver.hasReference($0.value)
        }
        if isOpen { return .unknown }
        let known = try? format?.fields(configuration) ?? plugin.fields(configuration)
        return known ?? .unknown
    }

    /// Keys are made of fields before any transform sees the records.
    private func makeKey(_ values: [String: String], _ outline: inout RecordOutline) {
        let key = FrameworkKeys.keyFields.declaration.name
        guard let text = values[key], !ReferenceResolver.hasReference(text) else { return }
        let names = Self.list(text)
        guard !names.isEmpty else { return }
        for name in names { outline.need([name], at: key) }
        outline.key = .only(names.map { outline.value.field($0) ?? Field($0) })
    }

    /// The key of a configuration that a longer one stands in, as `spec.amount` in `spec`.
    private static func nearest(to key: String, in values: [String: String]) -> String {
        var rest = key
        while values[rest] == nil, let dot = rest.lastIndex(of: ".") { rest = String(rest[..<dot]) }
        return values[rest] == nil ? key : rest
    }
}
