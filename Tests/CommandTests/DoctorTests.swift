import Foundation
import TestServices
import Testing

@Suite("millrace doctor and validate --connect", .timeLimit(.minutes(10)))
struct DoctorTests {
    private func checks(
        _ result: CommandResult,
        of connector: String?
    ) throws -> [(subject: String, outcome: String, message: String)] {
        let all = try #require(try result.json()["checks"] as? [[String: Any]])
        return all.filter { $0["connector"] as? String == connector }.compactMap { check in
            guard let subject = check["subject"] as? String,
                let outcome = check["outcome"] as? String,
                let message = check["message"] as? String
            else { return nil }
            return (subject, outcome, message)
        }
    }

    @Test("a pipeline that has what it needs passes, and nothing was made or read")
    func passes() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(RunTests.pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n2,3\n", to: "in/a.csv")
        let before = try directory.names()
        let result = try await directory.millrace("doctor", "p.yaml", "--json")
        #expect(result.exitCode == 0, "\(result.output)")
        let inbox = try checks(result, of: "inbox")
        #expect(inbox.map(\.subject) == ["files", "read access"])
        #expect(inbox.first?.message.hasPrefix("1 match") == true, "\(inbox)")
        #expect(try checks(result, of: "files").contains { $0.subject == "disk space" })
        let shared = try checks(result, of: nil)
        for subject in ["write access", "disk space", "open files"] {
            #expect(
                shared.contains { $0.subject == subject && $0.outcome == "passed" },
                "\(shared)"
            )
        }
        #expect(try directory.names() == before)
        #expect(!FileManager.default.fileExists(atPath: directory.file(".millrace")))

        let text = try await directory.millrace("doctor", "p.yaml").output
        #expect(text.contains("\ninbox (source csv, p.yaml)\n  ok "), "\(text)")
        #expect(text.hasSuffix(" 0 failed, 0 warning(s)\n"), "\(text)")
        #expect(try await directory.millrace("validate", "--connect", "p.yaml").exitCode == 0)
    }

    struct Lack: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var source = "{connector: csv, include: in/*.csv, topic: t}"
        var sink = "{connector: json, topics: [t], path: out/t.jsonl}"
        /// Made before.
        var script = "mkdir in; echo a > in/a.csv"
        var connector: String
        var subject: String
        var message: String
        /// Where `validate --connect` says it is, line and key.
        var place: String
    }

    @Test(
        "what is missing is found before the run, exits with 3, and has its place in the file",
        arguments: [
            Lack(
                testDescription: "a file that is named",
                source: "{connector: csv, include: in/b.csv, topic: t}",
                connector: "source",
                subject: "files",
                message: "There is no file",
                place: "p.yaml:3:37: error: sources.source.include:"
            ),
            Lack(
                testDescription: "a directory to write to",
                script: "mkdir in; echo a > in/a.csv; echo > out",
                connector: "sink",
                subject: "write access",
                message: "not a directory",
                place: "p.yaml:5:46: error: sinks.sink.path:"
            ),
            Lack(
                testDescription: "a database that is one",
                sink: "{connector: sqlite, topics: [t], path: t.db}",
                script: "mkdir in; echo a > in/a.csv; echo nonsense nonsense > t.db",
                connector: "sink",
                subject: "database",
                message: "not a database",
                place: "p.yaml:5:48: error: sinks.sink.path:"
            ),
            Lack(
                testDescription: "a database to read",
                source: "{connector: sqlite, path: t.db, topic: t}",
                connector: "source",
                subject: "database",
                message: "unable to open",
                place: "p.yaml:3:37: error: sources.source.path:"
            ),
            Lack(
                testDescription: "a query that SQLite understands",
                source: "{connector: sqlite, path: t.db, query: SELECT x FROM y, topic: t}",
                script: "sqlite3 t.db 'CREATE TABLE a (b)'",
                connector: "source",
                subject: "tables",
                message: "does not understand the query",
                place: "p.yaml:3:50: error: sources.source.query:"
            ),
            Lack(
                testDescription: "a directory for finished files",
                source: "{connector: csv, include: in/*.csv, topic: t, "
                    + "cleanup.policy: move, finished.path: in/a.csv/x}",
                connector: "source",
                subject: "write access",
                message: "not a directory",
                place: "p.yaml:3:94: error: sources.source.finished.path:"
            ),
        ]
    )
    func lacks(_ lack: Lack) async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            "pipeline: p\nsources:\n  source: \(lack.source)\nsinks:\n  sink: \(lack.sink)\n",
            to: "p.yaml"
        )
        #expect(try await directory.bash(lack.script).exitCode == 0)
        let doctor = try await directory.millrace("doctor", "p.yaml", "--json")
        let failed = try checks(doctor, of: lack.connector).filter { $0.outcome == "failed" }
        #expect(failed.map(\.subject) == [lack.subject], "\(doctor.output)")
        #expect(failed.first?.message.contains(lack.message) == true, "\(failed)")

        let validate = try await directory.millrace("validate", "--connect", "p.yaml")
        #expect(validate.output.hasPrefix(lack.place), "\(validate.output)")
        let isConfiguration = lack.subject == "tables"
        #expect(doctor.exitCode == (isConfiguration ? 2 : 3))
        #expect(validate.exitCode == doctor.exitCode)
        #expect(try await directory.millrace("validate", "p.yaml").exitCode == 0, "not looked at")
    }

    @Test("no files yet is a warning, which does not change the exit code")
    func noFilesYet() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(RunTests.pipeline, to: "p.yaml")
        let result = try await directory.millrace("doctor", "p.yaml", "--json")
        #expect(result.exitCode == 0)
        #expect(try checks(result, of: "inbox").map(\.outcome) == ["warning"])
        let validate = try await directory.millrace("validate", "--connect", "p.yaml")
        #expect(validate.exitCode == 0)
        #expect(validate.output.hasPrefix("p.yaml:7:14: warning: sources.inbox.include: files: No"))
    }

    @Test("a limit on open files that a run would reach is said, with the way out")
    func openFiles() async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.bash("ulimit -Sn 60; millrace doctor")
        #expect(result.exitCode == 0)
        #expect(result.output.contains("60 are allowed"), "\(result.output)")
        try directory.write(RunTests.pipeline, to: "p.yaml")
        let warned = try await directory.bash("ulimit -Sn 60; millrace doctor p.yaml")
        #expect(warned.output.contains("warning  open files"), "\(warned.output)")
        #expect(warned.output.contains("ulimit -n "), "\(warned.output)")
    }

    @Test("files that are followed count as far as they are held open, for each task")
    func followedFiles() async throws {
        let directory = try TemporaryDirectory()
        let keys = "connector: file, follow: true, include: '*.log', topic: t"
        for (more, needed) in [("", "314"), (", max.open.files: 1000, tasks.max: 2", "2,044")] {
            try directory.write(
                "pipeline: p\ntopics: {t: {partitions: 1}}\nsources:\n  logs: {\(keys)\(more)}\n",
                to: "p.yaml"
            )
            let result = try await directory.bash("ulimit -Sn 200; millrace doctor p.yaml")
            #expect(result.output.contains("about \(needed) are needed"), "\(result.output)")
        }
    }

    @Test("a data directory on a read-only mount fails, and the topics can be read all the same")
    func readOnlyMount() async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "t")
        let written = try await directory.millrace("topics", "write", "t", input: "one\ntwo\n")
        #expect(written.exitCode == 0)
        let result = try await directory.bash(
            """
            set -e
            unshare --mount bash -e -c '
                mount --bind .millrace .millrace && mount -o remount,ro,bind .millrace
                millrace doctor || echo "doctor $?"
                millrace topics read t
                millrace topics list
                millrace topics write t < /dev/null || echo "write $?"'
            """
        )
        #expect(result.output.contains("doctor 3\none\ntwo\n"), "\(result.output)\(result.errors)")
        #expect(result.output.contains("FAILED   write access"), "\(result.output)")
        #expect(result.output.contains("write 3"), "\(result.output)\(result.errors)")
        #expect(result.errors.lowercased().contains("read-only file system"), "\(result.errors)")
    }
}
