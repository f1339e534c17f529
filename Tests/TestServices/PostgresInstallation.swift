import Foundation

/// The programs of a PostgreSQL server, and the user they run as.
///
/// The server refuses to run as root: then it runs as the user `postgres` of Debian's package.
struct PostgresInstallation: Sendable {
    let programs: String
    /// Nil when the tests do not run as root.
    let user: Account?

    /// A user of the machine.
    struct Account: Sendable {
        var id: uid_t
        var group: gid_t
    }

    static func find() throws -> PostgresInstallation {
        var folders = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"]
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql"))
        for version in (versions ?? []).sorted(by: { (Int($0) ?? 0) < (Int($1) ?? 0) }) {
            folders.insert("/usr/lib/postgresql/\(version)/bin", at: 0)
        }
        let programs = folders.first { folder in
            FileManager.default.isExecutableFile(atPath: folder + "/initdb")
        }
        guard let programs else {
            throw PostgresServerError("no initdb: run scripts/setup test")
        }
        guard geteuid() == 0 else { return PostgresInstallation(programs: programs, user: nil) }
        guard let entry = getpwnam("postgres") ?? getpwnam("nobody") else {
            throw PostgresServerError("neither `postgres` nor `nobody` is a user of this machine")
        }
        return PostgresInstallation(
            programs: programs,
            user: Account(id: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
        )
    }

    /// The words before a program's name that run it as the right user.
    var prefix: [String] {
        guard let user else { return [] }
        return [
            "setpriv", "--reuid=\(user.id)", "--regid=\(user.group)", "--clear-groups", "env",
            "HOME=/tmp",
        ]
    }

    /// Gives a file to the user who runs the server.
    func own(_ path: String) throws {
        guard let user else { return }
        guard chown(path, user.id, user.group) == 0 else {
            throw PostgresServerError("cannot give \(path) to the server's user: errno \(errno)")
        }
    }

    func run(_ program: String, _ arguments: [String], in directory: String) throws {
        try BlockingCommand.run(prefix + [programs + "/" + program] + arguments, in: directory)
    }

    /// The processes that a process has started, from /proc.
    static func children(of parent: Int32) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { process in
            let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            // pid (name) state parent: the name may hold anything, also parentheses.
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            return fields.count > 2 && Int32(fields[2]) == parent
        }
    }
}

/// Stops a server and removes its files when the process that made it ends, even by a signal.
///
/// A shell in a session of its own reads from a pipe whose other end only the test process has.
final class PostgresWatcher: Sendable {
    private let process: Process
    private let pipe: Int32

    init(directory: String, installation: PostgresInstallation) throws {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw PostgresServerError("no pipe for the watcher: errno \(errno)")
        }
        // Nobody else may hold the end whose closing means that the tests are over.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let stop = (installation.prefix + [installation.programs + "/pg_ctl"]).joined(
            separator: " "
        )
        let script = """
            trap '' INT TERM HUP
            cat >/dev/null
            cd /
            \(stop) -D \(directory)/data -m immediate -w -t 20 stop >/dev/null 2>&1
            rm -rf \(directory)
            """
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["setsid", "sh", "-c", script]
        process.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        pipe = ends[1]
    }

    deinit {
        close(pipe)
        process.waitUntilExit()
    }
}

/// Programs that set up a server; they are waited for where they are called.
///
/// Foundation's `Process` would wait for the server too, which inherits a socket of its making.
enum BlockingCommand {
    /// Closes what tests have open before it becomes the program: a server counts the files that it
    /// inherits, and would keep locks on them.
    private static let closing = """
        for file in /proc/$$/fd/*; do
            number=${file##*/}
            [ "$number" -gt 2 ] && eval "exec $number>&-"
        done
        exec "$@"
        """

    static func run(_ arguments: [String], in directory: String) throws {
        let output = directory + "/output"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let words = ["env", "-C", directory, "LC_ALL=C", "bash", "-c", closing, "-"] + arguments
        var pointers = words.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var process: pid_t = 0
        guard posix_spawnp(&process, "env", &actions, nil, pointers, environ) == 0 else {
            throw PostgresServerError("env cannot be started")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else {
            let words = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
            throw PostgresServerError(
                "\(arguments) ended with status \(status): \(words)\(log.suffix(2_000))"
            )
        }
    }
}
