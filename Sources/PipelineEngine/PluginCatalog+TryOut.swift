internal import ConnectorSDK
internal import Logging

extension PluginCatalog {
    /// Makes a connector with its converters, and says what they find wrong.
    ///
    /// That is what only they know of their keys; making one touches no other system. Finds nothing
    /// where a reference cannot be resolved: the place where a pipeline is checked need not have
    /// the secrets of the place where it runs.
    func tryOut(_ definition: ConnectorDefinition, baseDirectory: String) -> [ConfigIssue] {
        let resolver = ReferenceResolver(baseDirectory: baseDirectory)
        guard let (values, secrets) = try? resolver.resolve(values(of: definition)) else {
            return []
        }
        let configuration = Configuration(values, baseDirectory: baseDirectory)
        let context = ConnectorContext(
            name: definition.name,
            stateDirectory: baseDirectory,
            formats: formats,
            logger: Logger(label: "validate") { _ in SwiftLogNoOpLogHandler() }
        )
        do throws(ConnectorError) {
            if !converters.isEmpty { _ = try ConverterPair(configuration, catalog: self) }
            switch definition.kind {
            case .source:
                _ = try source(definition.plugin)?.init(
                    configuration: configuration,
                    context: context
                )
            case .sink:
                _ = try sink(definition.plugin)?.init(
                    configuration: configuration,
                    context: context
                )
            }
            return []
        } catch {
            // What the surroundings lack here, they may have where the pipeline runs.
            guard error.kind == .configuration else { return [] }
            let safe = secrets.redact(error)
            let key = safe.configurationKey ?? "connector"
            let hint = safe.hint.map { " \($0)" } ?? ""
            return [
                ConfigIssue(
                    key: key,
                    message: "cannot work: \(safe.message)\(hint)",
                    isMissing: values[key] == nil && key != "connector"
                )
            ]
        }
    }
}
