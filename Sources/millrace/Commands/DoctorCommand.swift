import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import PipelineFile

/// The command `millrace doctor`.
struct DoctorCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check what pipelines need before they run: disk, limits, files, servers.",
        discussion: """
            Looks at the data directory and at the limits of this process, and asks every \
            connector of the pipeline files whether what it needs is there. Changes nothing. \
            Exits with 3 when something is missing, with 2 when the configuration is at fault; \
            warnings do not change the exit code.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(
        help: "Pipeline files; without any, only this machine is checked.",
        completion: .file()
    )
    var files: [String] = []

    mutating func execute() async throws -> ExitStatus {
        let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
        try set.requireNoErrors()
        let pipelines = set.definitions
        let data = DataDirectoryCheckup(shared)
        let known = pipelines.flatMap(\.topics).reduce(0) { $0 + Int($1.partitions) }
        let limits = LimitsCheckup(
            partitions: max(data.partitions, known),
            connectors: pipelines.flatMap(\.connectors)
        )
        var reports = [
            PreflightReport(
                title: "data directory (\(shared.dataDirectory))",
                checks: data.checks
            ),
            PreflightReport(title: "limits", checks: limits.checks),
        ]
        if let broker = try PreflightReport.broker(shared, set) { reports.append(broker) }
        reports += await PreflightReport.reports(on: pipelines, shared)
        let status = PreflightReport.status(of: reports.flatMap(\.checks))
        if shared.json {
            try StandardOutput.print([
                "ok": .bool(status == .done), "checks": .array(reports.flatMap(\.documents)),
            ])
        } else {
            var output = StandardOutput()
            for line in reports.flatMap(\.lines) { try output.writeLine(line) }
            try output.writeLine(summary(reports.flatMap(\.checks)))
            try output.flush()
        }
        return status
    }

    private func summary(_ checks: [PreflightCheck]) -> String {
        let failed = checks.filter { $0.outcome == .failed }.count
        let warnings = checks.filter { $0.outcome == .warning }.count
        return "\(checks.count) check(s), \(failed) failed, \(warnings) warning(s)"
    }
}
