import Foundation
import TestServices
import Testing

/// The pipeline file of access logs, and what becomes of lines that are none.
@Suite("Example pipeline of access logs", .timeLimit(.minutes(10)))
struct NginxExampleTests {
    private func run(_ directory: TemporaryDirectory, _ arguments: String...) async throws
        -> CommandResult
    {
        try await Command.run(
            [Products.millrace] + arguments + ["--data-dir", directory.file("data")],
            in: directory.file("pipelines")
        )
    }

    private func query(
        _ directory: TemporaryDirectory,
        _ sql: String,
        in database: String = "requests"
    ) async throws -> String {
        let result = try await Command.run(
            ["sqlite3", "out/nginx/\(database).db", sql],
            in: directory.file("pipelines")
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        return result.output
    }

    // D6
    @Test("requests are rows under who made them, and a broken line is a dead letter, once")
    func example() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        try? FileManager.default.removeItem(atPath: directory.file("pipelines/out"))
        let log = directory.file("pipelines/input/access/broken.log")
        let line = #"10.9.8.7 - ann [10/Oct/2026:13:55:36 +0200] "GET /a HTTP/1.1" 2x0 5 "-" "-""#
        try (line + "\n").write(toFile: log, atomically: true, encoding: .utf8)
        for _ in 0..<2 {
            let result = try await run(directory, "run", "--until-end", "nginx-access-logs.yaml")
            #expect(result.exitCode == 0, "\(result.errors)")
        }
        #expect(
            try await query(directory, "SELECT count(*), count(DISTINCT client) FROM requests")
                == "71|71\n"
        )
        let counts = "SELECT status, count(*) FROM requests GROUP BY 1 ORDER BY 2 DESC LIMIT 2"
        #expect(try await query(directory, counts) == "200|43\n304|9\n")
        let sums = "SELECT count(DISTINCT window_start), sum(requests) FROM per_minute"
        #expect(try await query(directory, sums, in: "per-minute") == "1|71\n")
        let ok = "SELECT requests, bytes FROM per_minute WHERE status = 200"
        let expected = "SELECT count(*), sum(size) FROM requests WHERE status = 200"
        let rows = try await query(directory, expected)
        #expect(try await query(directory, ok, in: "per-minute") == rows)
        let topic = try await run(directory, "topics", "read", "requests", "--json", "--max", "200")
        for text in topic.output.split(separator: "\n") {
            let record = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let value = try #require(record?["value"] as? [String: Any])
            let key = "\(record?["key"] ?? "")", time = "\(record?["timestamp"] ?? "")"
            let client = try #require(value["client"] as? String)
            #expect(key.contains(client), "\(text)")
            #expect(time.hasPrefix("17915904"), "\(text)")
        }
        let letters = try await run(directory, "dlq", "show", "requests-rejected", "--json")
        let shown = try JSONSerialization.jsonObject(with: Data(letters.output.utf8))
        let all = try #require((shown as? [String: Any])?["letters"] as? [[String: Any]])
        #expect(all.count == 1)
        #expect(all.first?["value"] as? String == line)
        let context = try #require(all.first?["context"] as? [String: Any])
        #expect(context["line"] as? Int == 1)
        #expect((context["message"] as? String)?.contains("status of three digits") == true)
        // Mended, it takes the same way.
        let mended = directory.file("mended")
        try line.replacingOccurrences(of: "2x0", with: "299").write(
            toFile: mended,
            atomically: true,
            encoding: .utf8
        )
        let replay = try await run(
            directory,
            "dlq",
            "replay",
            "requests-rejected",
            "--offset",
            "0",
            "--value-from",
            mended
        )
        #expect(replay.exitCode == 0, "\(replay.errors)")
        _ = try await run(directory, "run", "--until-end", "nginx-access-logs.yaml")
        #expect(
            try await query(directory, "SELECT path FROM requests WHERE status = 299") == "/a\n"
        )
    }
}
