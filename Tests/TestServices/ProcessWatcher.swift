import Glibc

/// Runs programs until the process that started them ends, even by a signal.
///
/// A shell reads from a pipe whose other end only the test process has, and then stops them.
final class ProcessWatcher: Sendable {
    private let program: Program
    private let pipe: Int32
    private let directory: TemporaryDirectory

    init(_ commands: [[String]]) throws {
        directory = try TemporaryDirectory()
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw ProgramError("no pipe for the watcher: errno \(errno)")
        }
        // Nobody else may hold the end whose closing means that the tests are over.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let lines = commands.map { words in
            words.map { "'\($0)'" }.joined(separator: " ") + " </dev/null & ids=\"$ids $!\""
        }
        let script = """
            trap '' INT TERM HUP
            ids=
            \(lines.joined(separator: "\n"))
            cat >/dev/null
            kill -9 $ids
            wait
            """
        program = try Program(
            ["sh", "-c", script],
            in: directory.path,
            input: .descriptor(ends[0]),
            output: .file(directory.file("out")),
            errors: .file(directory.file("err"))
        )
        pipe = ends[1]
    }

    deinit {
        close(pipe)
        _ = program.wait()
    }
}
