import ArgumentParser
import Glibc
import Logging

/// A command of this program: it says how it ended, and prints JSON when asked to.
protocol MillraceCommand: ParsableCommand {
    var shared: SharedOptions { get }

    /// Does the work. What it throws is reported, and decides the exit code.
    mutating func execute() async throws -> ExitStatus
}

/// What every command takes.
struct SharedOptions: ParsableArguments {
    @Flag(help: "Print one JSON document on standard output.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "The directory that holds topics and positions (default: $MILLRACE_DATA or ./.millrace).",
            valueName: "dir"
        ),
        completion: .directory
    )
    var dataDir: String?

    @Option(
        help: ArgumentHelp(
            "An Apache Kafka cluster that has the topics, as HOST:PORT; other keys of a Kafka client as KEY=VALUE, one each; may be repeated (default: $MILLRACE_BROKER, else what the pipeline files say).",
            valueName: "broker"
        )
    )
    var broker: [String] = []

    @Option(
        help: ArgumentHelp(
            "The least important messages to log on standard error (default: $MILLRACE_LOG, else info, or warning on a terminal).",
            valueName: "level"
        )
    )
    var logLevel: LogLevel?

    var dataDirectory: String {
        dataDir ?? Self.environment("MILLRACE_DATA") ?? ".millrace"
    }

    /// A logger that writes to standard error.
    var logger: Logger {
        let chosen = logLevel ?? Self.environment("MILLRACE_LOG").flatMap { LogLevel(argument: $0) }
        let level = chosen?.level ?? (ErrorScreen.shared.isTerminal ? .warning : .info)
        return Logger(label: "millrace") { _ in StderrLogHandler(level: level) }
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// The least important log records that are shown.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error

    init?(argument: String) { self.init(rawValue: argument.lowercased()) }

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
