import ArgumentParser
import ConnectorSDK
import Glibc
import JSONDocuments

/// The command `millrace plugins`.
struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins",
        abstract: "Show connectors, formats, converters, transforms and predicates.",
        subcommands: [List.self, Describe.self, WriteReference.self, WriteSchema.self],
        defaultSubcommand: List.self
    )

    struct List: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List everything that a pipeline file can name."
        )

        @OptionGroup var shared: SharedOptions

        mutating func execute() async throws -> ExitStatus {
            let all = PluginDescription.all(in: BuiltinConnectors.catalog)
            if shared.json {
                let plugins = all.map { plugin -> JSONDocument in
                    [
                        "name": .string(plugin.name), "kind": .string(plugin.kind.rawValue),
                        "summary": .string(plugin.summary),
                    ]
                }
                try StandardOutput.print(["plugins": .array(plugins)])
                return .done
            }
            var table = TextTable([("kind", .left), ("name", .left), ("what it does", .left)])
            for plugin in all { table.append([plugin.kind.rawValue, plugin.name, plugin.summary]) }
            var output = StandardOutput()
            for line in table.lines { try output.writeLine(line) }
            try output.flush()
            return .done
        }
    }

    struct Describe: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe",
            abstract: "Print a plug-in's configuration reference."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The name, such as `csv`; what is source and sink is shown as both.")
        var name: String

        mutating func execute() async throws -> ExitStatus {
            let all = PluginDescription.all(in: BuiltinConnectors.catalog)
            let found = all.filter { $0.name == name }
            guard !found.isEmpty else {
                let near = Spelling.nearest(to: name, in: all.map(\.name))
                throw Failure.usage(
                    "There is no plug-in `\(name)`.",
                    hint: near.map { "Did you mean `\($0)`?" }
                        ?? "`millrace plugins list` shows them all."
                )
            }
            if shared.json {
                try StandardOutput.print(["plugins": .array(found.map(\.document))])
            } else {
                let text = found.map { Reference.text(of: $0) }.joined(separator: "\n")
                try StandardOutput.printLine(String(text.dropLast()))
            }
            return .done
        }
    }

    /// Writes `docs/reference/`.
    struct WriteReference: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "reference",
            abstract: "Write the configuration reference as Markdown.",
            shouldDisplay: false
        )

        @OptionGroup var shared: SharedOptions

        @Option(help: "An existing directory.")
        var output: String

        mutating func execute() async throws -> ExitStatus {
            for page in Reference(catalog: BuiltinConnectors.catalog).pages {
                try TextFile.write(page.text, to: "\(output)/\(page.file)")
            }
            return .done
        }
    }

    /// Prints `docs/pipeline.schema.json`.
    struct WriteSchema: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema",
            abstract: "Print the JSON Schema of pipeline files.",
            shouldDisplay: false
        )

        @OptionGroup var shared: SharedOptions

        mutating func execute() async throws -> ExitStatus {
            let schema = PipelineSchema(catalog: BuiltinConnectors.catalog).document
            try StandardOutput.printLine(schema.indentedText)
            return .done
        }
    }
}
