import Foundation
import TestServices
import Testing

@Suite("millrace offsets", .timeLimit(.minutes(10)))
struct OffsetsTests {
    private func makeRun() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write(RunTests.pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n2,3\n3,4\n", to: "in/a.csv")
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        return directory
    }

    @Test("a source shows its positions, a sink its offsets and lag")
    func show() async throws {
        let directory = try await makeRun()
        let list = try await directory.millrace("offsets", "--json").json()
        let connectors = try #require(list["connectors"] as? [[String: Any]])
        #expect(connectors.map { $0["connector"] as? String } == ["files", "inbox"])
        #expect(connectors.map { $0["type"] as? String } == ["consumer", "source"])

        let source = try await directory.millrace("offsets", "show", "inbox", "--json").json()
        let positions = try #require(source["positions"] as? [[String: Any]])
        #expect(!positions.isEmpty)
        #expect(positions.allSatisfy { $0["offset"] is [String: Any] })

        let sink = try await directory.millrace("offsets", "show", "files", "--json").json()
        let offsets = try #require(sink["offsets"] as? [[String: Any]])
        #expect(offsets.compactMap { $0["offset"] as? Int }.reduce(0, +) == 3)
        #expect(offsets.allSatisfy { $0["lag"] as? Int == 0 })
    }

    @Test("a source that is reset reads everything again")
    func resetSource() async throws {
        let directory = try await makeRun()
        let reset = try await directory.millrace("offsets", "reset", "inbox")
        #expect(reset.exitCode == 0, "\(reset.errors)")
        #expect(reset.output == "inbox: starts over at the next run\n")
        let run = try await directory.millrace("run", "p.yaml", "--json").json()
        let pipelines = try #require(run["pipelines"] as? [[String: Any]])
        let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
        #expect(connectors.map { $0["records"] as? Int } == [3, 3])
    }

    @Test("a sink's offsets are set to what --to says")
    func resetSink() async throws {
        let directory = try await makeRun()
        let reset = try await directory.millrace("offsets", "reset", "files", "--to", "0", "--json")
        let offsets = try #require(try reset.json()["offsets"] as? [[String: Any]])
        #expect(offsets.compactMap { $0["lag"] as? Int }.reduce(0, +) == 3)
        let end = try await directory.millrace("offsets", "reset", "files", "--to", "end", "--json")
        let ends = try #require(try end.json()["offsets"] as? [[String: Any]])
        #expect(ends.allSatisfy { $0["lag"] as? Int == 0 })
    }

    /// The first part of the source as it is shown, and all that is shown.
    private func shown(
        _ directory: TemporaryDirectory
    ) async throws -> (part: String, offset: String, all: String) {
        let show = try await directory.millrace("offsets", "show", "inbox", "--json")
        let positions = try #require(try show.json()["positions"] as? [[String: Any]])
        let part = try #require(positions.first?["partition"] as? String)
        let text = try #require(show.output.firstMatch(of: /"offset":(\{.*\})\}\]\}/)).1
        return (part, String(text), show.output)
    }

    private func set(
        _ connector: String,
        _ partition: String,
        _ offset: String,
        in directory: TemporaryDirectory
    ) async throws -> CommandResult {
        let place = ["--partition=" + partition, "--offset=" + offset]
        return try await directory.start(["offsets", "set", connector, "--json"] + place).wait()
    }

    @Test("a source goes on where it was set, with what show prints")
    func setSource() async throws {
        let directory = try await makeRun()
        let (part, text, all) = try await shown(directory)
        // What is printed can be given back as it is.
        let same = try await set("inbox", part, text, in: directory)
        #expect(same.output == all, "\(same.errors)")

        // Behind the first of three records.
        let place = "id,amount\n1,1.10\n".utf8.count
        let moved = text.replacing(/"byte":\d+/, with: "\"byte\":\(place)")
            .replacing(/"line":\d+/, with: "\"line\":3")
            .replacing(/"record":\d+/, with: "\"record\":1")
            .replacing("\"done\":true", with: "\"done\":false")
        #expect(moved != text)
        #expect(try await set("inbox", part, moved, in: directory).exitCode == 0)
        let run = try await directory.millrace("run", "p.yaml", "--json").json()
        let pipelines = try #require(run["pipelines"] as? [[String: Any]])
        let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
        #expect(connectors.map { $0["records"] as? Int } == [2, 2])
    }

    @Test("a sink goes on at the offset that is set")
    func setSink() async throws {
        let directory = try await makeRun()
        let result = try await set("files", "0", "0", in: directory)
        let offsets = try #require(try result.json()["offsets"] as? [[String: Any]])
        let zero = try #require(offsets.first { $0["partition"] as? Int == 0 })
        #expect(zero["offset"] as? Int == 0)
        #expect(zero["lag"] as? Int == zero["end"] as? Int)
    }

    @Test(
        "an offset that is not like those of the connector is refused with 2, and nothing changes",
        arguments: [
            ("inbox", "PART", "12", "must be a JSON object"),
            ("inbox", "PART", "{}", "is missing"),
            ("inbox", "PART", "OFFSET,\"x\":1}", "`x` is unknown"),
            ("inbox", "PART", "not json", "must be a JSON object"),
            ("inbox", "other", "OFFSET}", "has no part `other`"),
            ("files", "0", "999", "and not 999"), ("files", "0", "-1", "and not -1"),
            ("files", "7", "0", "has no partition 7"), ("files", "0", "x", "whole numbers"),
        ]
    )
    func setRefusals(
        connector: String,
        partition: String,
        offset: String,
        message: String
    ) async throws {
        let directory = try await makeRun()
        let (part, text, all) = try await shown(directory)
        let result = try await set(
            connector,
            partition == "PART" ? part : partition,
            offset.replacing("OFFSET", with: text.dropLast()),
            in: directory
        )
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(try await shown(directory).all == all)
    }

    @Test("nothing is set, reset, replayed or copied while a run goes on, and the process is named")
    func running() async throws {
        let directory = try TemporaryDirectory()
        let pipeline = RunTests.pipeline.replacing(
            "connector: csv\n",
            with: "connector: csv\n    poll.interval.ms: 50ms\n"
        )
        try directory.write(pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n", to: "in/a.csv")
        let run = try directory.start(["run", "p.yaml"])
        defer { run.signal(SIGKILL) }
        let hasStarted = try await eventually {
            (try? directory.read(".millrace/lock"))?.contains("pid") == true
        }
        try #require(hasStarted)
        for arguments in [
            ["offsets", "set", "inbox", "--partition", "x", "--offset", "{}"],
            ["offsets", "reset", "inbox"], ["dlq", "replay"], ["topics", "copy"],
        ] {
            let result = try await directory.start(arguments).wait()
            #expect(result.exitCode == 3)
            #expect(result.errors.contains("in use by process \(run.processID)"))
        }
        let doctor = try await directory.millrace("doctor")
        #expect(doctor.exitCode == 0)
        #expect(doctor.output.contains("in use by process \(run.processID)"), "\(doctor.output)")
        run.signal(SIGTERM)
        #expect(try await run.wait().exitCode == 0)
        #expect(!(try await directory.millrace("doctor").output.contains("in use")))
    }

    @Test("a reset reaches a sink that keeps offsets in its target")  // D2
    func resetTransactionalSink() async throws {
        let directory = try TemporaryDirectory()
        let sink =
            "{connector: sqlite, topics: [orders], path: o.db, insert.mode: upsert, "
            + "pk.mode: record_key}"
        let head = RunTests.pipeline.split(separator: "\n").dropLast().joined(separator: "\n")
        try directory.write(head + "\n  files: " + sink, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n2,3\n3,4\n", to: "in/a.csv")
        func sinkRecords() async throws -> Int? {
            let run = try await directory.millrace("run", "p.yaml", "--json")
            #expect(run.exitCode == 0, "\(run.errors)")
            let pipelines = try #require(try run.json()["pipelines"] as? [[String: Any]])
            let connectors = try #require(pipelines[0]["connectors"] as? [[String: Any]])
            return connectors[1]["records"] as? Int
        }
        #expect(try await sinkRecords() == 3)
        #expect(try await sinkRecords() == 0)
        #expect(try await directory.millrace("offsets", "reset", "files").exitCode == 0)
        #expect(try await sinkRecords() == 3)
        #expect(try await sinkRecords() == 0)
        let list = try await directory.millrace("offsets", "--json").json()
        #expect((list["connectors"] as? [Any])?.count == 2)
    }

    @Test(
        "what cannot be reset is refused with 2",
        arguments: [
            ("reset nobody-like-it", "`millrace offsets show` lists"),
            ("reset inbx", "Did you mean `inbox`?"),
            ("reset inbox --to end", "is a source, which can only start over"),
            ("reset inbox --partition nowhere", "has no part `nowhere`"),
            ("reset files --topic other", "has no offsets of such a topic"),
            ("reset files --lost", "has removed nothing that `files` lacks"),
            ("reset files --lost --to end", "goes without --to"),
            ("reset inbox --lost", "is a source, which can only start over"),
        ]
    )
    func refusals(arguments: String, message: String) async throws {
        let directory = try await makeRun()
        let words = ["offsets"] + arguments.split(separator: " ").map { String($0) }
        let result = try await directory.start(words).wait()
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
    }
}
