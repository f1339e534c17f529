import ArgumentParser
import JSONDocuments
import PipelineEngine
import PipelineFile

/// The command `millrace validate`.
struct ValidateCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check pipeline files without running them.",
        discussion: """
            Each finding names the file, the line and column, the key, what is wrong and what was \
            perhaps meant. Warnings do not change the exit code. With --connect the servers, files \
            and databases that the connectors need are looked at too, and nothing there is \
            changed; `millrace doctor` shows all that was found.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "Pipeline files; several are checked against each other.", completion: .file())
    var files: [String]

    @Flag(help: "Also try the servers, files and databases that the connectors need.")
    var connect = false

    mutating func execute() async throws -> ExitStatus {
        let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
        var findings = set.findings
        var status = set.hasErrors ? ExitStatus.configuration : .done
        if connect, !set.hasErrors {
            let broker = try PreflightReport.broker(shared, set)
            let connectors = await PreflightReport.reports(on: set.definitions, shared)
            let reports = (broker.map { [$0] } ?? []) + connectors
            findings += reports.flatMap { $0.findings(in: set) }
            status = PreflightReport.status(of: reports.flatMap(\.checks))
        }
        if shared.json {
            try StandardOutput.print([
                "valid": .bool(status == .done), "findings": .array(findings.map(\.document)),
            ])
        } else {
            try printReport(set, findings)
        }
        return status
    }

    private func printReport(_ set: PipelineFileSet, _ findings: [Finding]) throws {
        var output = StandardOutput()
        for finding in findings { try output.writeLine(finding.description) }
        if !findings.contains(where: { $0.severity == .error }) {
            for definition in set.definitions {
                let kinds = definition.connectors.map(\.kind)
                let sources = kinds.filter { $0 == .source }.count
                try output.writeLine(
                    "\(definition.file): ok: pipeline `\(definition.name)`, \(sources) source(s), "
                        + "\(kinds.count - sources) sink(s), \(definition.topics.count) topic(s), "
                        + "\(definition.tests.count) test(s)"
                )
            }
        }
        try output.flush()
    }
}

extension Finding {
    var document: JSONDocument {
        [
            "file": .string(file), "line": .optional(mark.map { Int64($0.line) }),
            "column": .optional(mark.map { Int64($0.column) }), "key": .string(key),
            "message": .string(message), "suggestion": .optional(suggestion),
            "severity": .string(severity.rawValue),
        ]
    }
}

extension PipelineFileSet {
    /// Prints what was found, and throws when it keeps the pipelines from running.
    func requireNoErrors() throws {
        for finding in findings { ErrorScreen.shared.writeLine(finding.description) }
        guard hasErrors else { return }
        let errors = findings.filter { $0.severity == .error }.count
        throw Failure(
            .configuration,
            code: "configuration.invalid",
            errors == 1 ? "The pipeline has an error." : "The pipeline has \(errors) errors.",
            hint: "Nothing was run."
        )
    }
}
