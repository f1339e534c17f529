internal import ConnectorSDK
internal import Topics

/// One connector of a run: its configuration with references resolved, checked once.
struct ConnectorPlan: Sendable {
    let pipeline: String
    /// The absolute path of the pipeline's file, if it is in one.
    let pipelineFile: String?
    let definition: ConnectorDefinition
    let configuration: Configuration
    /// What must not be shown. (D8)
    let secrets: Secrets
    let errors: ErrorPolicy
    let tasks: Int
    /// The topic that tells a sink when captured transactions are complete.
    let transactionTopic: String?
    /// Whether the connector reads topics and writes topics, as `topic` does.
    let linksTopics: Bool
    /// Whether the connector is a source of another cluster's topics.
    let mirrorsTopics: Bool
    /// Whether its transforms remember something.
    let keepsState: Bool
    /// The topics that the connector may write to, as far as the configuration tells.
    let feed: EndConditions.Feed

    var name: String { definition.name }

    /// The consumer group of a sink.
    var group: String { Self.group(of: name) }

    static func group(of sink: String) -> String { "connect-\(sink)" }

    init(
        _ definition: ConnectorDefinition,
        of pipeline: PipelineDefinition,
        catalog: PluginCatalog
    ) throws(ConnectorError) {
        self.pipeline = pipeline.name
        pipelineFile = pipeline.absoluteFile
        self.definition = definition
        let resolver = ReferenceResolver(baseDirectory: pipeline.baseDirectory)
        let (values, secrets) = try resolver.resolve(catalog.values(of: definition))
        var resolved = definition
        resolved.values = values
        if let issue = catalog.validate(resolved).first {
            throw .invalid(
                issue.key,
                "The key \(secrets.redact(issue.message)).",
                hint: issue.suggestion.map { "Did you mean `\($0)`?" }
            )
        }
        configuration = Configuration(values, baseDirectory: pipeline.baseDirectory)
        self.secrets = secrets
        errors = try ErrorPolicy(configuration)
        tasks = try configuration.get(FrameworkKeys.tasksMax)
        transactionTopic =
            definition.kind == .sink ? try configuration.get(FrameworkKeys.transactionTopic) : nil
        linksTopics = catalog.linksTopics(definition)
        mirrorsTopics =
            definition.kind == .source && catalog.source(definition.plugin)?.mirrorsTopics == true
        keepsState = !catalog.statefulTransforms(values).isEmpty
        switch catalog.topicsWritten(by: resolved) {
        case let topics?: feed = .topics(topics.union([errors.deadLetterTopic].compactMap { $0 }))
        case nil: feed = .unknown
        }
    }

    /// The topics that the connector reads, if it does.
    func selection() throws(ConnectorError) -> TopicSelection {
        if let pattern = try configuration.get(FrameworkKeys.topicsRegex) {
            return .pattern(pattern)
        }
        return .names(try configuration.get(FrameworkKeys.topics))
    }
}

extension Configuration {
    /// The keys nested below a prefix that ends in a dot, without it.
    func nested(below prefix: String, without excluded: Set<String> = []) -> Configuration {
        var nestedValues: [String: String] = [:]
        for (key, value) in values where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            if !excluded.contains(name) { nestedValues[name] = value }
        }
        return Configuration(nestedValues, baseDirectory: baseDirectory)
    }
}

extension ConnectorError {
    /// The error with its configuration key seen from outside: nested below `prefix`.
    func nested(below prefix: String) -> ConnectorError {
        var copy = self
        copy.configurationKey = configurationKey.map { prefix + $0 }
        return copy
    }
}
