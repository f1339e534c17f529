import ArgumentParser
import Glibc

/// The command line: the root of all commands.
@main
struct Millrace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "Moves records between files, SQLite and durable topics, and keeps its place.",
        discussion: """
            Start with `millrace init`, which writes a commented pipeline file, then \
            `millrace validate FILE` and `millrace run FILE`.

            Exit codes: 0 done, 1 failed while running, 2 bad configuration or usage, \
            3 environment (disk full, permission, server).
            """,
        version: Version.current,
        subcommands: [
            InitCommand.self, ValidateCommand.self, RunCommand.self, TestCommand.self,
            TopicsCommand.self, GroupsCommand.self, OffsetsCommand.self, DeadLettersCommand.self,
            ClusterCommand.self, PluginsCommand.self, VerifyCommand.self, SignalCommand.self,
            DoctorCommand.self, FsckCommand.self,
        ]
    )

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        Glibc.exit(await CommandLineProgram.run(arguments))
    }
}
