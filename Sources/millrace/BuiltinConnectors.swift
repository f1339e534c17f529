import CSVFormat
import ConnectorSDK
import PipelineEngine

/// Everything that pipelines can name: what is not in these lists does not exist.
enum BuiltinConnectors {
    static let catalog = PluginCatalog(
        sources: [],
        sinks: [],
        formats: FormatCatalog([CSVFormat.self]),
        converters: [],
        transforms: [],
        predicates: [],
        formatAliases: []
    )
}
