import TestServices
import Testing

/// What transforms remember, as users meet it.
@Suite("State of transforms", .timeLimit(.minutes(10)))
struct StateTests {
    private static let pipeline = """
        pipeline: p
        topics:
          sums: {partitions: 1, retention.ms: -1}
        sources:
          sums:
            connector: json
            json.style: lines
            include: in/*.json
            topic: sums
            transforms:
              - type: Aggregate
                window.size: 1m
                group.by: [g]
                aggregates: {n: count, total: sum(v)}
                timestamp.field: at
                grace: 10m
        """

    private func makeRun() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pipeline, to: "p.yaml")
        try directory.write(
            #"{"g":"a","v":1.10,"at":"2026-01-01T00:00:01Z"}"# + "\n"
                + #"{"g":"a","v":2.20,"at":"2026-01-01T00:00:02Z"}"# + "\n",
            to: "in/1.json"
        )
        try await run(directory)
        return directory
    }

    private func run(_ directory: TemporaryDirectory) async throws {
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode == 0, "\(result.errors)")
    }

    private func newest(_ directory: TemporaryDirectory) async throws -> String {
        let records = try await directory.millrace("topics", "read", "sums", "--json").jsonLines()
        let value = records.last?["value"] as? [String: Any] ?? [:]
        return "\(value["n"] ?? "") \(value["total"] ?? "")"
    }

    @Test("D3: sums go on in the next run, and start over with the source")
    func goesOn() async throws {
        let directory = try await makeRun()
        #expect(try await newest(directory) == "2 3.3")
        let line = #"{"g":"a","v":10,"at":"2026-01-01T00:00:03Z"}"#
        try directory.write(line + "\n", to: "in/2.json")
        try await run(directory)
        #expect(try await newest(directory) == "3 13.3")
        let reset = try await directory.millrace("offsets", "reset", "sums")
        #expect(reset.exitCode == 0, "\(reset.errors)")
        try await run(directory)
        #expect(try await newest(directory) == "3 13.3")
    }

    @Test("a place in the middle asks what becomes of the state")
    func choice() async throws {
        let directory = try await makeRun()
        let positions = try await directory.millrace("offsets", "show", "sums", "--json").json()
        let list = positions["positions"] as? [[String: Any]]
        let part = try #require(list?.first?["partition"] as? String)
        let refused = try await directory.millrace("offsets", "reset", "sums", "--partition", part)
        #expect(refused.exitCode == 2)
        #expect(refused.errors.contains("--state drop"), "\(refused.errors)")
        let only = try await directory.millrace("offsets", "reset", "sums", "--state", "only")
        #expect(only.exitCode == 0, "\(only.errors)")
        let again = try await directory.millrace("offsets", "reset", "sums", "--state", "only")
        #expect(again.exitCode == 2)
    }

    @Test("another configuration does not take the state of the one before")
    func otherConfiguration() async throws {
        let directory = try await makeRun()
        try directory.write(
            Self.pipeline.replacing("window.size: 1m", with: "window.size: 2m"),
            to: "p.yaml"
        )
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode != 0)
        #expect(result.errors.contains("--state only"), "\(result.errors)")
        try directory.write(
            "pipeline: p\nsources:\n  sums: {connector: json, include: x, topic: t}",
            to: "p.yaml"
        )
        let without = try await directory.millrace("run", "p.yaml")
        #expect(without.exitCode != 0, "what is remembered is not forgotten in silence")
    }

    @Test(
        "what cannot keep state together is refused",
        arguments: [
            (
                "sinks:\n  s: {connector: json, topics: [t], path: o, transforms: [{type: Dedupe}]}",
                "sinks.s.transforms.t1.type: remembers something"
            ),
            (
                "sources:\n  s: {connector: json, include: i, topic: t, tasks: 2, "
                    + "transforms: [{type: Dedupe, fields: [a]}]}",
                "must be 1 beside `Dedupe`"
            ),
            (
                "sources:\n  s: {connector: topic, topics: [t], topic: u, tasks: 2, "
                    + "transforms: [{type: Aggregate, group.by: [a], aggregates: {n: count}}]}",
                "through another topic"
            ),
        ]
    )
    func refused(_ connector: String, _ words: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("pipeline: p\n\(connector)\n", to: "p.yaml")
        let result = try await directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == 2)
        #expect((result.errors + result.output).contains(words), "\(result.errors)")
    }
}
