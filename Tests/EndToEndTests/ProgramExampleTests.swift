import TestServices
import Testing

/// The examples in which a program of somebody else is the connector.
@Suite("Programs of the examples", .timeLimit(.minutes(10)))
struct ProgramExampleTests {
    private func run(_ file: String, in directory: TemporaryDirectory) async throws {
        let path = ["PATH": Products.pathWithTaps]
        let doctor = try await directory.millrace("doctor", file, environment: path)
        #expect(doctor.exitCode == 0, "\(doctor.output)\(doctor.errors)")
        #expect(doctor.output.contains(" 0 failed, 0 warning(s)"), "\(doctor.output)")
        let result = try await directory.millrace("run", file, environment: path)
        #expect(result.exitCode == 0, "\(result.errors)")
    }

    @Test("a mailbox is read message by message, and a second run reads what has come since")
    func mailbox() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        try await run("pipelines/mailbox.yaml", in: directory)
        let subjects =
            "sqlite3 pipelines/out/support.db 'SELECT name, subject FROM support ORDER BY id'"
        let first =
            "Ada Lovelace|The engine does not start\nBjörn|Färre kuggar\n"
            + "Ada Lovelace|Re: The engine does not start\n"
        #expect(try await directory.bash(subjects).output == first)
        let box = try directory.read("pipelines/input/support.mbox")
        let message = """

            From bob@example.org Wed Nov  4 08:00:00 2026
            From: Bob <bob@example.org>
            Subject: Cogs
            Date: Wed, 04 Nov 2026 08:00:00 +0000
            Message-ID: <4@example.org>

            They came.

            """
        try directory.write(box + message, to: "pipelines/input/support.mbox")
        try await run("pipelines/mailbox.yaml", in: directory)
        #expect(try await directory.bash(subjects).output == first + "Bob|Cogs\n")
        // D3: its positions keep it from giving anything twice.
        let topic = try await directory.millrace("topics", "read", "support")
        #expect(topic.output.split(separator: "\n").count == 4, "\(topic.output)")
    }

    @Test("what a tap reads is in the table, and in the file of a target")
    func people() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        try await run("pipelines/singer-people.yaml", in: directory)
        let rows = try await directory.bash(
            "sqlite3 pipelines/out/people.db 'SELECT id, name FROM people ORDER BY id'"
        )
        #expect(rows.output == "1|Ada Lovelace\n2|Grace Hopper\n3|Alan Turing\n")
        let lines = try await directory.bash("cat pipelines/out/people.jsonl").jsonLines()
        #expect(lines.compactMap { $0["id"] as? Int } == [1, 2, 3])
    }
}
