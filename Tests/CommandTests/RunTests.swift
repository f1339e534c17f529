import Foundation
import TestServices
import Testing

@Suite("millrace run", .timeLimit(.minutes(10)))
struct RunTests {
    static let pipeline = """
        pipeline: orders
        topics:
          orders: {partitions: 2}
        sources:
          inbox:
            connector: csv
            include: in/*.csv
            topic: orders
            key.fields: [id]
        sinks:
          files: {connector: json, topics: [orders], path: out/orders.jsonl}
        """

    @Test("moves records, ends with 0, and does nothing twice")
    func moves() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n2,007\n", to: "in/a.csv")
        let result = try await directory.millrace("run", "p.yaml", "--json")
        #expect(result.exitCode == 0, "\(result.errors)")
        let pipelines = try #require(try result.json()["pipelines"] as? [[String: Any]])
        #expect(pipelines.map { $0["name"] as? String } == ["orders"])
        let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
        #expect(connectors.map { $0["name"] as? String } == ["inbox", "files"])
        #expect(connectors.map { $0["type"] as? String } == ["source", "sink"])
        #expect(connectors.map { $0["state"] as? String } == ["done", "done"])
        #expect(connectors.map { $0["records"] as? Int } == [2, 2])
        let keys: Set = ["name", "type", "state", "records", "bytes", "rejected", "seconds"]
        #expect(connectors.allSatisfy { Set($0.keys) == keys })
        let lines = try directory.read("out/orders.jsonl").split(separator: "\n").sorted()
        #expect(lines == [#"{"id":1,"amount":1.10}"#, #"{"id":2,"amount":"007"}"#])

        let again = try await directory.millrace("run", "p.yaml")
        #expect(again.exitCode == 0)
        #expect(try directory.read("out/orders.jsonl").split(separator: "\n").count == 2)
        let head = again.output.split(separator: "\n").first
        #expect(head?.hasPrefix("CONNECTOR  TYPE") == true, "\(again.output)")
    }

    @Test("a pipeline with errors is not run")
    func errors() async throws {
        let directory = try TemporaryDirectory()
        let text = Self.pipeline.replacing("topics: [orders]", with: "topisc: [orders]")
        try directory.write(text, to: "p.yaml")
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode == 2)
        #expect(result.output == "")
        #expect(result.errors.contains("sinks.files.topisc: is not a known key"))
        #expect(result.errors.contains("(did you mean \"topics\"?)"))
        #expect(try directory.names() == ["p.yaml"])
    }

    @Test("an error while running points into the pipeline file, and is said once")
    func failure() async throws {
        let directory = try TemporaryDirectory()
        let text = Self.pipeline.replacing("out/orders.jsonl", with: "'${file:secrets:path}'")
        try directory.write(text, to: "p.yaml")
        try directory.write("id\n1\n", to: "in/a.csv")
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode == 2)
        #expect(
            result.errors.contains("p.yaml:11:52: error: sinks.files.path: "),
            "\(result.errors)"
        )
        #expect(result.output.contains("failed"))
        let said = result.errors.split(separator: "\n").filter { $0.contains("error") }
        #expect(said.count == 1, "\(result.errors)")
    }

    /// Starts a run that reads many records and then waits for more files.
    private func startLongRun(in directory: TemporaryDirectory) async throws -> (Command, Int) {
        let text = Self.pipeline.replacing(
            "topic: orders",
            with: "topic: orders\n    poll.interval.ms: 1h"
        )
        try directory.write(text, to: "p.yaml")
        let count = 300_000
        let rows = (0..<count).map { "\($0),\(String(repeating: "x", count: 100))" }
        try directory.write("id,text\n" + rows.joined(separator: "\n") + "\n", to: "in/a.csv")
        let run = try directory.start(["run", "p.yaml", "--json"])
        // Records are in a partition's first segment: the run is well under way.
        #expect(
            try await eventually {
                try directory.size(".millrace/topics/orders-0/00000000000000000000.log") > 0
            }
        )
        return (run, count)
    }

    @Test(
        "SIGINT and SIGTERM in the middle drain, and the next run ends what was begun",
        arguments: [SIGINT, SIGTERM]
    )  // D2, D3
    func drains(signal: Int32) async throws {
        let directory = try TemporaryDirectory()
        let (run, count) = try await startLongRun(in: directory)
        run.signal(signal)
        let result = try await run.wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        let pipelines = try #require(try result.json()["pipelines"] as? [[String: Any]])
        let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
        #expect(connectors[0]["state"] as? String == "stopped")
        let moved = try #require(connectors[0]["records"] as? Int)
        #expect(moved > 0 && moved <= count)
        #expect(connectors[1]["records"] as? Int == moved)

        #expect(try await directory.millrace("run", "p.yaml", "--until-end").exitCode == 0)
        let lines = try directory.read("out/orders.jsonl").split(separator: "\n")
        #expect(lines.count == count)
        #expect(Set(lines).count == count)
    }

    @Test("a second signal ends a run at once, and the next run loses and doubles nothing")
    func secondSignal() async throws {
        let directory = try TemporaryDirectory()
        let (run, count) = try await startLongRun(in: directory)
        // Both are there when it goes on, before anything could be drained.
        for signal in [SIGSTOP, SIGINT, SIGTERM, SIGCONT] { run.signal(signal) }
        let result = try await run.wait()
        #expect([130, 143].contains(result.exitCode), "\(result.errors)")
        #expect(try await directory.millrace("run", "p.yaml", "--until-end").exitCode == 0)
        let lines = try directory.read("out/orders.jsonl").split(separator: "\n")
        #expect(lines.count == count)
        #expect(Set(lines).count == count)
    }

    @Test("while a worker runs, others may read but not write")
    func locked() async throws {
        let directory = try TemporaryDirectory()
        let (run, _) = try await startLongRun(in: directory)
        let records = try await directory.millrace(
            "topics",
            "read",
            "orders",
            "--max",
            "3",
            "--json"
        )
        #expect(records.exitCode == 0, "\(records.errors)")
        #expect(try records.jsonLines().count == 3)
        let refused = try await directory.millrace("topics", "create", "other")
        #expect(refused.exitCode == 3)
        #expect(refused.errors.contains("\(run.processID)"), "\(refused.errors)")
        run.signal(SIGKILL)
        _ = try await run.wait()
    }

    @Test("two runs on one data directory: the second names the first")
    func twoRuns() async throws {
        let directory = try TemporaryDirectory()
        let (run, _) = try await startLongRun(in: directory)
        let refused = try await directory.millrace("run", "p.yaml", "--json")
        #expect(refused.exitCode == 3)
        #expect(refused.errors.contains("\(run.processID)"), "\(refused.errors)")
        let error = try #require(try refused.json()["error"] as? [String: Any])
        #expect(error["code"] as? String == "topics.locked")
        run.signal(SIGKILL)
        _ = try await run.wait()
    }
}

extension TemporaryDirectory {
    /// The size of a file, 0 when there is none.
    fileprivate func size(_ name: String) throws -> Int {
        guard FileManager.default.fileExists(atPath: file(name)) else { return 0 }
        let attributes = try FileManager.default.attributesOfItem(atPath: file(name))
        return attributes[.size] as? Int ?? 0
    }
}
