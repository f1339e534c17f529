import ArgumentParser
import ConnectorSDK
import JSONDocuments
import KafkaWorkers
import PipelineEngine
import PipelineFile
import Topics

/// The command `millrace cluster`.
struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Show what several workers do that share tasks.",
        subcommands: [Status.self]
    )

    /// The command `millrace cluster status`.
    struct Status: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Show the workers of a cluster, who runs which task, lag and errors.",
            discussion: """
                Shows the workers that `run --cluster NAME` has started, as their consumer group \
                knows them: one that was killed is there until its session is over. A task that \
                nobody runs is UNASSIGNED.

                Pipeline files say where the topics are, unless --broker does, and whether they \
                are those that the workers run.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The name that the workers have in common.")
        var name: String

        @Argument(help: "Pipeline files.", completion: .file())
        var files: [String] = []

        mutating func execute() async throws -> ExitStatus {
            try WorkerPlace.checkName(name)
            let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
            try set.requireNoErrors()
            guard try TopicPlace.onBroker(shared, set, { _ in }) != nil else {
                throw Failure.usage(
                    "Workers share tasks through an Apache Kafka cluster, and none is named.",
                    hint: "Name a broker with --broker HOST:PORT, or pipeline files that say "
                        + "`broker:`."
                )
            }
            let store = try TopicPlace.open(shared, for: .reading, files: set)
            defer { store.close() }
            let found = try TopicPlace.onBroker(shared, set) { (settings) throws(ConnectorError) in
                try ClusterStatus.read(
                    name,
                    broker: settings.client,
                    log: TopicPlace.librdkafkaLog(shared.logger)
                )
            }
            guard let status = found ?? nil else { throw try Self.unknown(name, in: store) }
            let report = ClusterReport(name, status, try Self.lags(of: status, in: store))
            if shared.json {
                try StandardOutput.print(report.document)
            } else {
                try report.print()
            }
            try compareFiles(set, with: status)
            return .done
        }

        private func compareFiles(_ set: PipelineFileSet, with status: ClusterStatus) throws {
            guard !files.isEmpty, let running = status.files else { return }
            let own = try WorkerPlace.hash(of: set)
            guard own != running else { return }
            ErrorScreen.shared.writeLine(
                "The files that were given, \(own), are not those that the workers run, \(running)."
            )
        }

        private static func unknown(_ name: String, in store: any TopicStore) throws -> Failure {
            let known = InternalTopics(among: try store.topics()).clusters.sorted()
            let near = Spelling.nearest(to: name, in: known)
            return Failure(
                .configuration,
                code: "cluster.unknown",
                "There is no cluster of workers `\(name)`.",
                hint: near.map { "Did you mean `\($0)`?" }
                    ?? "`millrace run --cluster \(name) FILE…` starts the first worker."
            )
        }

        /// The number of records that each connector has still to read, of those that read topics.
        private static func lags(
            of status: ClusterStatus,
            in store: any TopicStore
        ) throws -> [String: Int64] {
            var lags: [String: Int64] = [:]
            for connector in status.connectors.map(\.definition) {
                guard let group = connector.group else { continue }
                let offsets = try store.groupOffsets(group)
                let topics = Set(connector.topics).union(offsets.keys.map(\.topic))
                var lag: Int64?
                for topic in topics {
                    guard let found = try store.describe(topic) else { continue }
                    for (number, range) in try store.ranges(of: found).enumerated() {
                        let next = offsets[TopicPartition(topic, Int32(number))] ?? range.start
                        lag = (lag ?? 0) + max(0, range.end - max(next, range.start))
                    }
                }
                lags[connector.name] = lag
            }
            return lags
        }
    }
}
