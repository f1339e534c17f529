import ArgumentParser
import ConnectorSDK
import JSONDocuments
import KafkaTopics
import PipelineFile
import TopicLog
import Topics

extension TopicsCommand {
    /// The command `millrace topics copy`.
    struct Copy: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "copy",
            abstract: "Copy the data directory's topics to a cluster, with all places in them.",
            discussion: """
                For pipelines that move from one machine to an Apache Kafka cluster: stop them, \
                copy, set `broker:` in their files, and run them again; they go on where they \
                were. The cluster is the one that --broker or the pipeline files name.

                Topics keep their partitions and settings, records their offsets, keys, values, \
                headers and times. Everything is read back and compared; then the offsets of \
                groups and the positions of sources are moved, all at once. A copy that was \
                interrupted goes on when the same command is run again, and a topic that holds \
                anything else is refused. The data directory is not changed.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "Pipeline files that say which cluster.", completion: .file())
        var files: [String] = []

        @Option(
            help: ArgumentHelp(
                "Only these topics and the offsets of groups in them, no positions of sources: names with commas between them; may be repeated.",
                valueName: "names"
            )
        )
        var topics: [String] = []

        @Flag(help: "Show what would be copied, and change nothing.")
        var dryRun = false

        mutating func execute() async throws -> ExitStatus {
            let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
            try set.requireNoErrors()
            try DataDirectory.requireExistence(shared)
            let source = try EmbeddedTopicStore(
                directory: shared.dataDirectory,
                // What is written meanwhile would be left behind.
                mode: dryRun ? .readOnly : .readAlone,
                logger: shared.logger
            )
            defer { source.close() }
            guard let target = try TopicPlace.openCluster(shared, files: set) else {
                throw Failure.usage(
                    "There is no cluster to copy to.",
                    hint: "Name one with --broker HOST:PORT, or pipeline files with `broker:`."
                )
            }
            defer { target.close() }
            let names = topics.flatMap { $0.split(separator: ",").map(String.init) }
            let copy = try StoreCopy(from: source, to: target, only: names)
            guard !dryRun else {
                try report(copy.plan())
                return .done
            }
            try report(copy.run())
            return .done
        }

        private func report(_ report: StoreCopy.Report) throws {
            if shared.json {
                try StandardOutput.print(report.document)
            } else {
                try report.print()
            }
        }
    }
}
