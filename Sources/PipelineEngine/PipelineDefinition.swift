public import Topics

/// A pipeline file, parsed: topics, sources and sinks.
public struct PipelineDefinition: Sendable {
    /// The pipeline's name.
    public var name: String
    /// The file it was read from, for messages.
    public var file: String
    /// The directory that relative paths in it start from.
    public var baseDirectory: String
    /// How to reach the Apache Kafka cluster that has its topics, with references such as
    /// `${env:NAME}` not yet resolved; empty when they are in the data directory.
    public var broker: [String: String] = [:]
    /// The topics it declares; they are created or checked when it starts.
    public var topics: [TopicDefinition]
    /// Its sources and sinks.
    public var connectors: [ConnectorDefinition]
    /// Its `tests:` block.
    public var tests: [PipelineTest]

    /// Makes a definition.
    public init(
        name: String,
        file: String = "",
        baseDirectory: String = ".",
        topics: [TopicDefinition] = [],
        connectors: [ConnectorDefinition] = [],
        tests: [PipelineTest] = []
    ) {
        self.name = name
        self.file = file
        self.baseDirectory = baseDirectory
        self.topics = topics
        self.connectors = connectors
        self.tests = tests
    }
}

extension PipelineDefinition {
    /// The absolute path of the file it was read from; `nil` when there is none.
    var absoluteFile: String? {
        guard let name = file.split(separator: "/").last, baseDirectory.hasPrefix("/") else {
            return nil
        }
        return baseDirectory == "/" ? "/\(name)" : "\(baseDirectory)/\(name)"
    }
}

/// A topic that a pipeline file declares.
public struct TopicDefinition: Sendable {
    /// The name.
    public var name: String
    /// The number of partitions it must have.
    public var partitions: Int32
    /// How it is kept; replaces the settings of a topic that exists.
    public var settings: TopicSettings

    /// Makes a definition.
    public init(name: String, partitions: Int32 = 1, settings: TopicSettings = TopicSettings()) {
        self.name = name
        self.partitions = partitions
        self.settings = settings
    }
}

/// A source or a sink with its configuration, as Kafka Connect would take it.
public struct ConnectorDefinition: Sendable {
    /// Which way records go.
    public enum Kind: String, Sendable {
        /// From another system into topics.
        case source
        /// From topics into another system.
        case sink
    }

    /// The name, unique among everything that runs on one data directory.
    public var name: String
    /// Which way records go.
    public var kind: Kind
    /// The connector's plug-in, `connector` or `connector.class`.
    public var plugin: String
    /// Every other key, flat, with references such as `${env:NAME}` not yet resolved.
    public var values: [String: String]

    /// Makes a definition.
    public init(name: String, kind: Kind, plugin: String, values: [String: String] = [:]) {
        self.name = name
        self.kind = kind
        self.plugin = plugin
        self.values = values
    }
}
