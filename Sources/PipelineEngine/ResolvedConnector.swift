public import ConnectorSDK

/// A connector of a pipeline with its references resolved, for commands that look at the system
/// behind it without running it.
public struct ResolvedConnector: Sendable {
    /// The connector as its pipeline defines it.
    public let definition: ConnectorDefinition
    /// Its configuration; holds secrets.
    public let configuration: Configuration
    private let secrets: Secrets
    private let topics: TopicSelection?

    /// Resolves and checks a connector's configuration.
    public init(
        _ definition: ConnectorDefinition,
        of pipeline: PipelineDefinition,
        catalog: PluginCatalog
    ) throws(ConnectorError) {
        let plan = try ConnectorPlan(definition, of: pipeline, catalog: catalog)
        self.definition = definition
        configuration = plan.configuration
        secrets = plan.secrets
        topics = definition.kind == .sink ? try plan.selection() : nil
    }

    /// Whether a sink reads a topic.
    public func reads(_ topic: String) -> Bool { topics?.contains(topic) ?? false }

    /// The error with every secret in it replaced by the reference it came from. (D8)
    public func redact(_ error: ConnectorError) -> ConnectorError { secrets.redact(error) }
}
