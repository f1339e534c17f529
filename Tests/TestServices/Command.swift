import Foundation

/// A command that has ended: what it printed and how it ended.
public struct CommandResult: Sendable {
    /// The standard output.
    public var output: String
    /// The standard error.
    public var errors: String
    /// The exit code, or the number of the signal that ended it, negated.
    public var exitCode: Int32
}

/// A real process, started by a test and awaited by it.
///
/// Its output goes to files, so that no pipe fills up and blocks it.
public final class Command: Sendable {
    private let directory: TemporaryDirectory
    private let ending: AsyncStream<Int32>
    /// The process id.
    public let processID: Int32

    /// Starts `arguments[0]`, looked up in `PATH`.
    public init(
        _ arguments: [String],
        in workingDirectory: String,
        environment: [String: String] = [:],
        input: String? = nil
    ) throws {
        directory = try TemporaryDirectory()
        let program = try Program(
            arguments,
            in: workingDirectory,
            environment: ["SWIFT_BACKTRACE": "enable=no"].merging(environment) { $1 },
            input: .file(directory.write(input ?? "", to: "in")),
            output: .file(directory.file("out")),
            errors: .file(directory.file("err"))
        )
        processID = program.id
        let (ending, continuation) = AsyncStream.makeStream(
            of: Int32.self,
            bufferingPolicy: .bufferingOldest(1)
        )
        self.ending = ending
        Thread {
            continuation.yield(program.wait())
            continuation.finish()
        }.start()
    }

    /// Sends a signal.
    public func signal(_ number: Int32) { _ = kill(processID, number) }

    /// What it has printed so far.
    public var outputSoFar: String { (try? directory.read("out")) ?? "" }

    /// What it has written to standard error so far.
    public var errorsSoFar: String { (try? directory.read("err")) ?? "" }

    /// Waits for its end.
    public func wait() async throws -> CommandResult {
        var exitCode: Int32 = -1
        for await code in ending { exitCode = code }
        return CommandResult(
            output: try directory.read("out"),
            errors: try directory.read("err"),
            exitCode: exitCode
        )
    }

    /// Runs a command to its end.
    public static func run(
        _ arguments: [String],
        in workingDirectory: String,
        environment: [String: String] = [:],
        input: String? = nil
    ) async throws -> CommandResult {
        try await Command(
            arguments,
            in: workingDirectory,
            environment: environment,
            input: input
        ).wait()
    }
}
