import ArgumentParser
import PipelineEngine
import PipelineFile

/// The command `millrace validate`.
struct ValidateCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check pipeline files without running them.",
        discussion: """
            Each finding names the file, the line and column, the key, what is wrong and what was \
            perhaps meant. Warnings do not change the exit code.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "Pipeline files; several are checked against each other.", completion: .file())
    var files: [String]

    mutating func execute() async throws -> ExitStatus {
        let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
        if shared.json {
            try StandardOutput.print(document(set))
        } else {
            try printReport(set)
        }
        return set.hasErrors ? .configuration : .done
    }

    private func printReport(_ set: PipelineFileSet) throws {
        var output = StandardOutput()
        for finding in set.findings { try output.writeLine(finding.description) }
        if !set.hasErrors {
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

    private func document(_ set: PipelineFileSet) -> JSONDocument {
        ["valid": .bool(!set.hasErrors), "findings": .array(set.findings.map(\.document))]
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
