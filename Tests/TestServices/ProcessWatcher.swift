import Glibc
import Synchronization

/// Ends programs when the process that started them ends, even by a signal.
///
/// A shell in a process group of its own reads from a pipe whose other end only the test process
/// has, and then stops them.
final class ProcessWatcher: Sendable {
    private let program: Program
    private let pipe: Mutex<Int32?>
    private let directory: TemporaryDirectory?

    /// Runs programs until then.
    convenience init(_ commands: [[String]]) throws {
        let lines = commands.map { words in
            words.map { "'\($0)'" }.joined(separator: " ") + " </dev/null & ids=\"$ids $!\""
        }
        let script = """
            ids=
            \(lines.joined(separator: "\n"))
            cat >/dev/null
            kill -9 $ids
            wait
            """
        let directory = try TemporaryDirectory()
        try self.init(script: script, in: directory.path, keeping: directory)
    }

    /// Runs a script whose `cat` ends then.
    init(script: String, in path: String, keeping directory: TemporaryDirectory? = nil) throws {
        self.directory = directory
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw ProgramError("no pipe for the watcher: errno \(errno)")
        }
        // Nobody else may hold the end whose closing means that the tests are over.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        program = try Program(
            ["sh", "-c", "trap '' INT TERM HUP\n" + script],
            in: path,
            input: .descriptor(ends[0]),
            output: directory.map { Program.Stream.file($0.file("out")) } ?? .file("/dev/null"),
            errors: directory.map { Program.Stream.file($0.file("err")) } ?? .file("/dev/null")
        )
        pipe = Mutex(ends[1])
    }

    deinit { stop() }

    /// Ends the programs now.
    func stop() {
        let end = pipe.withLock { pipe in
            defer { pipe = nil }
            return pipe
        }
        guard let end else { return }
        close(end)
        _ = program.wait()
    }
}
