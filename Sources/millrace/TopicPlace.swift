import ConnectorSDK
import Glibc
import KafkaTopics
import Logging
import PipelineEngine
import PipelineFile
import Topics

/// Opens the topics that a command works on: those of the data directory, or those of a cluster.
enum TopicPlace {
    /// The store that the command line names or, without that, the pipeline files.
    static func open(
        _ shared: SharedOptions,
        for access: DataDirectory.Access,
        files: PipelineFileSet? = nil,
        hiding hidden: Set<String> = []
    ) throws -> any TopicStore {
        let store = try onBroker(shared, files) { (settings) throws(ConnectorError) in
            try connect(settings, hidden, shared.logger)
        }
        if let store { return store }
        return try DataDirectory.open(shared, for: access)
    }

    /// The cluster that the command line names or, without that, the pipeline files; `nil` when
    /// topics are in the data directory.
    static func openCluster(
        _ shared: SharedOptions,
        files: PipelineFileSet?
    ) throws -> KafkaTopicStore? {
        try onBroker(shared, files) { (settings) throws(ConnectorError) in
            try connect(settings, [], shared.logger)
        }
    }

    /// Calls `body` with how to reach the cluster that the command line names or, without that, the
    /// pipeline files; `nil` when topics are in the data directory.
    static func onBroker<T>(
        _ shared: SharedOptions,
        _ files: PipelineFileSet?,
        _ body: (BrokerSettings) throws(ConnectorError) -> T
    ) throws -> T? {
        let given = try shared.brokerValues()
        guard given.isEmpty else { return try resolve(given, from: ".", body) }
        guard let file = files?.files.first, !file.definition.broker.isEmpty else { return nil }
        do throws(ConnectorError) {
            return try resolve(file.definition.broker, from: file.definition.baseDirectory, body)
        } catch {
            var failure = Failure(error)
            let key = error.configurationKey.map { "broker.\($0)" } ?? "broker"
            if let mark = file.sourceMap.nearest(to: key)?.value {
                failure.key = "\(file.sourceMap.file):\(mark.line):\(mark.column): \(key)"
            }
            throw failure
        }
    }

    /// What `doctor` says of the cluster that the command line or the pipeline files name; `nil`
    /// for topics in the data directory.
    static func preflight(_ shared: SharedOptions, _ files: PipelineFileSet) throws
        -> [PreflightCheck]?
    {
        let given = try shared.brokerValues()
        let definition = files.files.first?.definition
        let values = given.isEmpty ? definition?.broker ?? [:] : given
        guard !values.isEmpty else { return nil }
        let base = given.isEmpty ? definition?.baseDirectory ?? "." : "."
        do throws(ConnectorError) {
            return try resolve(values, from: base) { (settings) throws(ConnectorError) in
                try makeStore(settings, [], shared.logger).preflight()
            }
        } catch {
            return [PreflightCheck("cluster", failed: error)]
        }
    }

    private static func resolve<T>(
        _ values: [String: String],
        from baseDirectory: String,
        _ body: (BrokerSettings) throws(ConnectorError) -> T
    ) throws(ConnectorError) -> T {
        let resolver = ReferenceResolver(baseDirectory: baseDirectory)
        let (resolved, secrets) = try resolver.resolve(values)
        do throws(ConnectorError) {
            return try body(try BrokerSettings(resolved))
        } catch {
            throw secrets.redact(error)
        }
    }

    private static func connect(
        _ settings: BrokerSettings,
        _ hidden: Set<String>,
        _ logger: Logger
    ) throws(ConnectorError) -> KafkaTopicStore {
        let store = try makeStore(settings, hidden, logger)
        try store.connect()
        if !settings.usesTransactions {
            logger.warning(
                """
                `transactions: false`: records arrive at least once; after a failure some may \
                come twice
                """
            )
        }
        return store
    }

    private static func makeStore(
        _ settings: BrokerSettings,
        _ hidden: Set<String>,
        _ logger: Logger
    ) throws(ConnectorError) -> KafkaTopicStore {
        var options = KafkaStoreOptions()
        options.name = settings.cluster
        options.replicationFactor = settings.replicationFactor
        options.usesTransactions = settings.usesTransactions
        options.hiddenTopics = hidden
        options.log = librdkafkaLog(logger)
        return try KafkaTopicStore(broker: settings.client, options: options)
    }

    /// Where librdkafka's own log goes.
    static func librdkafkaLog(_ logger: Logger) -> @Sendable (Int, String) -> Void {
        { level, text in
            // What matters comes back as an error as well, with what follows from it.
            logger.log(level: level < 3 ? .warning : .debug, "librdkafka: \(text)")
        }
    }
}

extension SharedOptions {
    /// What `--broker` or, without it, `MILLRACE_BROKER` says; empty for neither.
    func brokerValues() throws -> [String: String] {
        var entries = broker
        if entries.isEmpty, let text = getenv("MILLRACE_BROKER").map({ String(cString: $0) }) {
            entries = text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        var values: [String: String] = [:]
        for entry in entries {
            guard let equals = entry.firstIndex(of: "=") else {
                values["bootstrap.servers"] = entry
                continue
            }
            values[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
        }
        if let issue = BrokerSettings.problems(in: values).first, !values.isEmpty {
            throw Failure.usage(
                "--broker: \(issue.key) \(issue.message).",
                hint: "Name a broker with --broker HOST:PORT, and other keys of a Kafka client "
                    + "with --broker KEY=VALUE."
            )
        }
        return values
    }
}
