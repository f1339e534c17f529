import ArgumentParser
import ConnectorSDK
import KafkaWorkers
import PipelineEngine
import PipelineFile
import StandardStreams
import Topics

/// The command `millrace run`.
struct RunCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run pipelines in this process.",
        discussion: """
            Ends when every source is read to its end and every sink has caught up; otherwise runs \
            until SIGINT or SIGTERM, then drains: sources stop, sinks write what is in the topics. \
            A second signal ends it at once; nothing is lost, and the next run goes on.

            With --cluster it runs until SIGINT or SIGTERM, and hands its tasks to other workers.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "Pipeline files.", completion: .file())
    var files: [String]

    @Flag(help: "End growing files, polled tables and topics where they end now, as cron jobs do.")
    var untilEnd = false

    @Option(
        help: ArgumentHelp(
            "Share the tasks of the files with all workers that run the same files under this name, on the Apache Kafka cluster that has the topics.",
            valueName: "name"
        )
    )
    var cluster: String?

    @Option(
        help: ArgumentHelp(
            "A name of this worker that stays when it is started again: with --cluster, its tasks wait for it until the session times out.",
            valueName: "name"
        )
    )
    var worker: String?

    mutating func execute() async throws -> ExitStatus {
        let catalog = BuiltinConnectors.catalog
        let set = PipelineFileSet(paths: files, catalog: catalog)
        try set.requireNoErrors()
        let writesRecords = set.definitions.flatMap(\.connectors).contains {
            $0.kind == .sink && $0.plugin == StdoutSink.name
        }
        guard !writesRecords || !shared.json else {
            throw Failure.usage(
                "--json prints a document on standard output, where a sink `stdout` writes records.",
                hint: "Leave --json out; the summary then goes to standard error."
            )
        }
        let sharing = try WorkerPlace.join(cluster, as: worker, set, self)
        let hidden = cluster.map { WorkerGroup.topics(of: $0) } ?? []
        let store = try TopicPlace.open(shared, for: .writing, files: set, hiding: hidden)
        defer { store.close() }
        let failures = FailureScreen(set)
        let runner = PipelineRunner(
            set.definitions,
            store: store,
            catalog: catalog,
            options: RunOptions(
                dataDirectory: shared.dataDirectory,
                untilEnd: untilEnd,
                onFailure: { failures.show($0, $1) }
            ),
            logger: shared.logger
        )
        try StopSignals.handle { number in
            ErrorScreen.shared.writeLine(
                "Stopping on \(number == 2 ? "SIGINT" : "SIGTERM"): sources stop, sinks write what "
                    + "is in the topics. Once more ends it at once."
            )
            runner.stop()
        }
        let summary = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await ProgressDisplay(runner: runner).run() }
            defer { group.cancelAll() }
            guard let sharing else { return await runner.run() }
            return try await runner.run(sharedBy: sharing)
        }
        if writesRecords, !finishRecords() { return .environment }
        try report(RunReport(summary: summary, files: set), onStandardError: writesRecords)
        return ExitStatus(rawValue: summary.exitCode) ?? .failed
    }

    /// Brings the records on standard output to their end; `false` when that cannot be written.
    private func finishRecords() -> Bool {
        do throws(ConnectorError) {
            try StdoutSink.finish()
            return true
        } catch {
            // That nobody reads any more has ended the run well.
            if error.code == .readerGone { return true }
            ErrorScreen.shared.writeLine("millrace: \(error.description)")
            return false
        }
    }

    private func report(_ report: RunReport, onStandardError: Bool) throws {
        do {
            if onStandardError {
                // Standard output carries records and nothing else.
                for line in report.lines { ErrorScreen.shared.writeLine(line) }
            } else if shared.json {
                try StandardOutput.print(report.document)
            } else {
                var output = StandardOutput()
                for line in report.lines { try output.writeLine(line) }
                try output.flush()
            }
        } catch is BrokenPipe {
            // The work is done; how it went is still the exit code.
        }
        for remark in report.remarks { ErrorScreen.shared.writeLine(remark) }
    }
}
