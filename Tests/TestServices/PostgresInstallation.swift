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
        do {
            try Program.run(
                prefix + [programs + "/" + program] + arguments,
                in: directory,
                environment: ["LC_ALL": "C"]
            )
        } catch {
            let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
            throw PostgresServerError("\(error)\(log.suffix(2_000))")
        }
    }

    /// Shell commands that stop the server of a directory and remove its files.
    func endOf(_ directory: String) -> String {
        let stop = (prefix + [programs + "/pg_ctl"]).joined(separator: " ")
        return """
            cat >/dev/null
            cd /
            \(stop) -D \(directory)/data -m immediate -w -t 20 stop >/dev/null 2>&1
            rm -rf \(directory)
            """
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
