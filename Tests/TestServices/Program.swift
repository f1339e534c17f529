import CSpawn
import Foundation
import Glibc

/// A program that was started beside the tests and gets nothing of theirs but its three streams.
///
/// Foundation's `Process` does not do: it looks for open files by copying directory entries beyond
/// the end of their buffer, which kills the tests when nothing follows it; and what it starts keeps
/// the signals blocked that its thread has blocked.
public struct Program: Sendable {
    /// Where one of the three standard streams comes from or goes to.
    enum Stream {
        /// A file, which is emptied first if it is written.
        case file(String)
        case descriptor(Int32)
    }

    /// The process id, which is also that of its process group.
    let id: pid_t

    /// Starts `arguments[0]`, looked up in `PATH`.
    init(
        _ arguments: [String],
        in directory: String,
        environment: [String: String] = [:],
        input: Stream = .file("/dev/null"),
        output: Stream = .file("/dev/null"),
        errors: Stream = .file("/dev/null")
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let written = O_WRONLY | O_CREAT | O_TRUNC
        for (number, (stream, flags)) in [
            (input, O_RDONLY), (output, written), (errors, written),
        ].enumerated() {
            switch stream {
            case .file(let path):
                posix_spawn_file_actions_addopen(&actions, Int32(number), path, flags, 0o644)
            case .descriptor(let descriptor):
                posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
            }
        }
        mr_spawn_close_from(&actions, 3)
        mr_spawn_in_directory(&actions, directory)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        )
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // env looks where the program's own PATH says.
        var words = (["/usr/bin/env"] + arguments).map { strdup($0) } + [nil]
        var settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, "/usr/bin/env", &actions, &attributes, &words, &settings)
        guard code == 0 else {
            throw ProgramError("\(arguments) cannot be started: \(String(cString: strerror(code)))")
        }
        self.id = id
    }

    /// Waits for its end, once; returns its exit code, or the number of the signal that ended it,
    /// negated.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        // As wait.h has it: the low seven bits are the signal, the next byte the exit code.
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : -signal
    }

    /// Runs a program to its end on this thread, and returns what it has printed.
    ///
    /// - Throws: when it does not end with 0, with what it said.
    @discardableResult
    public static func run(
        _ arguments: [String],
        in directory: String = "/",
        environment: [String: String] = [:]
    ) throws -> String {
        let streams = try TemporaryDirectory()
        let program = try Program(
            arguments,
            in: directory,
            environment: environment,
            output: .file(streams.file("out")),
            errors: .file(streams.file("err"))
        )
        let code = program.wait()
        let output = try streams.read("out")
        guard code == 0 else {
            throw ProgramError(
                "\(arguments) ended with \(code): \(output)\(try streams.read("err"))"
            )
        }
        return output
    }
}

/// A program that tests need could not be started, or failed.
struct ProgramError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
