import Glibc
import TestServices
import Testing

/// The program of docs/subprocess-protocol.md, as source and as sink, killed on either side.
@Suite("Programs in other languages", .timeLimit(.minutes(15)))
struct SubprocessTests {
    private static func pipeline(_ count: Int) -> String {
        let program = "\(Products.root)/connectors/subprocess/examples/numbers.py"
        return """
            pipeline: numbers
            sources:
              counted:
                connector: subprocess
                command: [python3, \(program)]
                config: {count: \(count), topic: numbers}
                bounded: true
                max.records.in.flight: 500
            sinks:
              table:
                connector: subprocess
                topics: [numbers]
                command: [python3, \(program)]
                config: {path: numbers.db}
                offset.flush.interval.ms: 100ms
            """
    }

    private func numbers(_ directory: TemporaryDirectory) async throws -> String {
        try await directory.bash(
            "sqlite3 numbers.db 'SELECT count(*), count(DISTINCT n), min(n), max(n) FROM numbers'"
        ).output
    }

    @Test("the example moves its numbers, keys and headers")
    func moves() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pipeline(1_000), to: "p.yaml")
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(try await numbers(directory) == "1000|1000|1|1000\n")
        let first = try await directory.millrace(
            "topics",
            "read",
            "numbers",
            "--max",
            "1",
            "--json"
        )
        #expect(first.output.contains("\"key\":1,") || first.output.contains("\"key\":\"1\","))
        #expect(first.output.contains("\"by\""))
    }

    @Test("every number arrives once, though either side is killed again and again (D2, D3)")
    func kills() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pipeline(60_000), to: "p.yaml")
        for round in 0..<6 {
            let run = try directory.start(["run", "p.yaml"])
            try await directory.waitForGrowth(of: "numbers", by: 1 + 50_000 * round, in: run)
            if round % 2 == 0 {
                run.signal(SIGKILL)
            } else {
                // One of the programs, whichever comes first; then the whole of it.
                _ = try await directory.bash(
                    "kill -9 $(ps -o pid= --ppid \(run.processID) | sed -n \(round / 3 + 1)p)"
                )
                try await directory.waitForGrowth(of: "numbers", by: 20_000, in: run)
                run.signal(SIGTERM)
            }
            _ = try await run.wait()
        }
        let last = try await directory.millrace("run", "p.yaml")
        #expect(last.exitCode == 0, "\(last.errors)")
        #expect(try await numbers(directory) == "60000|60000|1|60000\n")
        let topic = try await directory.bash(
            "millrace topics read numbers | tee all | wc -l; sort -u all | wc -l"
        )
        #expect(topic.output == "60000\n60000\n")
    }
}
