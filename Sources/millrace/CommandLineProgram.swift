import ArgumentParser
import ConnectorSDK
import Glibc

/// Runs one command line, and turns whatever comes of it into an exit code.
enum CommandLineProgram {
    static func run(_ arguments: [String]) async -> Int32 {
        let command: any ParsableCommand
        do {
            command = try await Millrace.asyncParseAsRoot(arguments)
        } catch {
            return report(parserError: error, arguments: arguments)
        }
        let printsJSON = (command as? any MillraceCommand)?.shared.json ?? false
        do {
            return try await run(command)
        } catch is BrokenPipe {
            return ExitStatus.done.rawValue
        } catch let error as Failure {
            return report(error, asJSON: printsJSON)
        } catch let error as ConnectorError {
            return report(Failure(error), asJSON: printsJSON)
        } catch let error as OutputFailure {
            let failure = Failure(
                .environment,
                code: "cli.output",
                "Standard output cannot be written: \(error.reason)."
            )
            return report(failure, asJSON: false)
        } catch {
            return report(parserError: error, arguments: arguments)
        }
    }

    private static func run(_ command: any ParsableCommand) async throws -> Int32 {
        if var command = command as? any MillraceCommand {
            return try await command.execute().rawValue
        }
        var other = command
        try other.run()
        return ExitStatus.done.rawValue
    }

    /// Help, versions and completion scripts arrive as errors too, and belong on standard output.
    private static func report(parserError error: any Error, arguments: [String]) -> Int32 {
        let message = Millrace.fullMessage(for: error)
        guard Millrace.exitCode(for: error) == .success else {
            ErrorScreen.shared.writeLine(message + advice(on: arguments))
            return ExitStatus.configuration.rawValue
        }
        do {
            try StandardOutput.printLine(message)
        } catch is OutputFailure {
            return ExitStatus.environment.rawValue
        } catch {}
        return ExitStatus.done.rawValue
    }

    /// Names the command that a misspelt one was perhaps meant to be.
    private static func advice(on arguments: [String]) -> String {
        let words = arguments.prefix { !$0.hasPrefix("-") }
        var command: any ParsableCommand.Type = Millrace.self
        for word in words {
            let names = command.configuration.subcommands.map { ($0.commandName, $0) }
            if let known = names.first(where: { $0.0 == word }) {
                command = known.1
            } else if let near = Spelling.nearest(to: word, in: names.map(\.0)) {
                return "\n  Did you mean '\(near)'?"
            } else {
                return ""
            }
        }
        return ""
    }

    private static func report(_ failure: Failure, asJSON: Bool) -> Int32 {
        ErrorScreen.shared.writeLine("millrace: \(failure.description)")
        if asJSON {
            // The exit code says the same when nobody reads standard output any more.
            try? StandardOutput.print(failure.document)
        }
        return failure.status.rawValue
    }
}

extension ParsableCommand {
    fileprivate static var commandName: String {
        configuration.commandName ?? String(describing: Self.self).lowercased()
    }
}
