public import ConnectorSDK
internal import Logging

/// How a run behaves.
public struct RunOptions: Sendable {
    /// The data directory; connectors keep files of their own in `connectors/<name>` below it.
    public var dataDirectory: String
    /// Whether growing files, streams and topics end where they ended at start.
    public var untilEnd: Bool
    /// How long sinks may go on after a stop to write what is already in the topics.
    ///
    /// 20 s: under the 30 s that process managers commonly wait before they kill.
    public var drainTimeout: Duration
    /// Called at once when a connector has failed, with its name; without it the failure is logged.
    ///
    /// Several tasks of one connector may fail alike, on threads of their own.
    public var onFailure: (@Sendable (String, ConnectorError) -> Void)?

    /// Makes options.
    public init(
        dataDirectory: String,
        untilEnd: Bool = false,
        drainTimeout: Duration = .seconds(20),
        onFailure: (@Sendable (String, ConnectorError) -> Void)? = nil
    ) {
        self.dataDirectory = dataDirectory
        self.untilEnd = untilEnd
        self.drainTimeout = drainTimeout
        self.onFailure = onFailure
    }
}

extension RunOptions {
    /// Says once that a connector failed.
    internal func report(_ error: ConnectorError, of connector: String, to logger: Logger) {
        if let onFailure { return onFailure(connector, error) }
        logger.error(
            "connector failed",
            metadata: ["code": "\(error.code.rawValue)", "error": "\(error.description)"]
        )
    }
}

/// What a connector is doing.
public enum ConnectorState: String, Sendable {
    /// It works, or waits for records.
    case running
    /// It waits before it tries again after an error.
    case restarting
    /// It came to its end.
    case done
    /// It was told to stop, and did.
    case stopped
    /// Other processes run its tasks.
    case unassigned
    /// It met an error that an operator must see to.
    case failed
}

/// A connector's state and counters, all its tasks together.
public struct ConnectorProgress: Sendable {
    /// The pipeline's name.
    public var pipeline: String
    /// The connector's name.
    public var name: String
    /// Which way records go.
    public var kind: ConnectorDefinition.Kind
    /// The plug-in.
    public var plugin: String
    /// What it is doing.
    public var state: ConnectorState
    /// Records that became durable: in topics for a source, in the target for a sink.
    public var records: Int64
    /// Bytes of these records' values.
    public var bytes: Int64
    /// Records that went to the dead letter topic.
    public var rejected: Int64
    /// Records in its topics that a sink has still to read; `nil` for a source.
    public var lag: Int64?
    /// The bytes of its input that a source has read, whatever became of them.
    public var readBytes: Int64
    /// The size of a bounded source's input, where known; ``readBytes`` counts towards it.
    public var totalBytes: Int64?
    /// How long it has been at work.
    public var seconds: Double
    /// The error that failed it, or that it is recovering from.
    public var error: ConnectorError?
}

/// What came of a run.
public struct RunSummary: Sendable {
    /// Every connector, by pipeline.
    public var pipelines: [(name: String, connectors: [ConnectorProgress])]
    /// 0 done, 1 failed while running, 2 bad configuration, 3 environment.
    public var exitCode: Int32

    internal init(_ connectors: [ConnectorProgress]) {
        pipelines = []
        for connector in connectors {
            if pipelines.last?.name == connector.pipeline {
                pipelines[pipelines.count - 1].connectors.append(connector)
            } else {
                pipelines.append((connector.pipeline, [connector]))
            }
        }
        let kinds = connectors.filter { $0.state == .failed }.map { $0.error?.kind ?? .runtime }
        exitCode = Self.exitCode(for: kinds)
    }

    /// The kind's code when all errors are of one kind, else 1.
    internal static func exitCode(for kinds: [ConnectorError.Kind]) -> Int32 {
        guard let first = kinds.first else { return 0 }
        guard kinds.allSatisfy({ $0 == first }) else { return 1 }
        return switch first {
        case .runtime: 1
        case .configuration: 2
        case .environment: 3
        }
    }
}
