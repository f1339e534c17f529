import ArgumentParser
import ConnectorSDK
import JSONDocuments

/// The command `millrace init`.
struct InitCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a commented pipeline file to start from.",
        discussion: "Without a template, lists them."
    )

    @OptionGroup var shared: SharedOptions

    @Argument(
        help: "The template.",
        completion: .list(PipelineTemplate.all.map(\.name))
    )
    var template: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The file to write (default: the template's name and .yaml; - for standard output).",
            valueName: "file"
        ),
        completion: .file()
    )
    var output: String?

    @Flag(help: "Replace a file that exists.")
    var force = false

    mutating func execute() async throws -> ExitStatus {
        guard let template else {
            try list()
            return .done
        }
        let names = PipelineTemplate.all.map(\.name)
        guard let chosen = PipelineTemplate.all.first(where: { $0.name == template }) else {
            throw Failure.usage(
                "There is no template `\(template)`.",
                hint: Spelling.nearest(to: template, in: names).map { "Did you mean `\($0)`?" }
                    ?? "Templates: \(names.joined(separator: ", "))."
            )
        }
        let path = output ?? "\(template).yaml"
        if path == "-" {
            try StandardOutput.printLine(String(chosen.text.dropLast()))
            return .done
        }
        try TextFile.write(chosen.text, to: path, isNew: !force)
        if shared.json {
            try StandardOutput.print(["template": .string(template), "file": .string(path)])
        } else {
            try StandardOutput.printLine(
                "Wrote \(path). Next: edit it, then `millrace validate \(path)` "
                    + "and `millrace run \(path)`."
            )
        }
        return .done
    }

    private func list() throws {
        if shared.json {
            let templates = PipelineTemplate.all.map { template -> JSONDocument in
                ["name": .string(template.name), "summary": .string(template.summary)]
            }
            return try StandardOutput.print(["templates": .array(templates)])
        }
        var table = TextTable([("template", .left), ("what it does", .left)])
        for template in PipelineTemplate.all { table.append([template.name, template.summary]) }
        var output = StandardOutput()
        for line in table.lines { try output.writeLine(line) }
        try output.writeLine("")
        try output.writeLine("`millrace init TEMPLATE` writes one of them as TEMPLATE.yaml.")
        try output.flush()
    }
}
