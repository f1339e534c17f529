import ArgumentParser
import JSONDocuments
import PipelineEngine
import PipelineFile

/// The command `millrace test`.
struct TestCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the `tests:` block of pipeline files, offline.",
        discussion: """
            Each case sends its input through the transforms of one connector and compares what \
            comes out. Nothing is read or written.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "Pipeline files.", completion: .file())
    var files: [String]

    mutating func execute() async throws -> ExitStatus {
        let catalog = BuiltinConnectors.catalog
        let set = PipelineFileSet(paths: files, catalog: catalog)
        try set.requireNoErrors()
        let results = set.definitions.map { definition in
            (definition: definition, results: catalog.runTests(definition))
        }
        let all = results.flatMap(\.results)
        let failed = all.filter { !$0.passed }.count
        if shared.json {
            try StandardOutput.print(document(results))
        } else {
            var output = StandardOutput()
            for (definition, results) in results {
                for result in results {
                    let mark = result.passed ? "ok    " : "FAILED"
                    try output.writeLine("\(mark)  \(definition.file): \(result.name)")
                    for problem in result.problems { try output.writeLine("        \(problem)") }
                }
            }
            try output.writeLine("\(all.count) case(s), \(failed) failed")
            try output.flush()
        }
        return failed == 0 ? .done : .failed
    }

    private func document(
        _ results: [(definition: PipelineDefinition, results: [PipelineTestResult])]
    ) -> JSONDocument {
        let cases = results.flatMap { definition, results in
            results.map { result -> JSONDocument in
                [
                    "file": .string(definition.file), "pipeline": .string(definition.name),
                    "name": .string(result.name), "passed": .bool(result.passed),
                    "problems": .array(result.problems.map { .string($0) }),
                ]
            }
        }
        return ["tests": .array(cases)]
    }
}
