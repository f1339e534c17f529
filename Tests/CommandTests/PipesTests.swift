import Foundation
import TestServices
import Testing

/// `millrace run` as part of a pipe.
@Suite("millrace run in a pipe", .timeLimit(.minutes(10)))
struct PipesTests {
    static let passing = """
        pipeline: pipe
        sources:
          in: {connector: stdin, format: json, topic: events}
        sinks:
          out: {connector: stdout, topics: [events], format: FORMAT}
        """

    static let endless = """
        pipeline: endless
        sources:
          made: {connector: generate, topic: made, fields: {id: sequence, who: name}}
        sinks:
          out: {connector: stdout, topics: [made]}
        """

    @Test(
        "standard output carries the records and nothing else",
        arguments: [
            ("csv", "a,b\n1,x\n2,y\n"), ("json", "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"),
        ]
    )
    func recordsOnly(_ format: String, _ expected: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.passing.replacing("FORMAT", with: format), to: "p.yaml")
        let input = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n"
        let result = try await directory.millrace("run", "p.yaml", input: input)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output == expected)
        #expect(result.errors.contains("sink stdout"))
        // The next run has input of its own, and the sink goes on behind what it has written.
        let next = try await directory.millrace("run", "p.yaml", input: "{\"a\":3,\"b\":\"z\"}")
        #expect(next.output.split(separator: "\n").count == (format == "csv" ? 2 : 1))
    }

    @Test("an array is closed, and two topics share its brackets")
    func array() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: two
            sources:
              a: {connector: generate, topic: a, count: 2, fields: {id: sequence}}
              b: {connector: generate, topic: b, count: 2, fields: {id: sequence 3}}
            sinks:
              out: {connector: stdout, topics.regex: '[ab]', format: json, json.style: array}
            """,
            to: "p.yaml"
        )
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode == 0, "\(result.errors)")
        let ids = try #require(result.output.firstMatch(of: /^\[(.*)\]\s*$/.dotMatchesNewlines()))
        #expect(ids.1.matches(of: /"id"/).count == 4)
    }

    @Test("a reader that has had enough ends the run well, and what it left is there for the next")
    func closedReader() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.endless, to: "p.yaml")
        let result = try await directory.bash(
            "millrace run p.yaml 2> err | head -n 3; echo ${PIPESTATUS[0]}"
        )
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 4)
        let errors = try directory.read("err")
        #expect(lines.last == "0", "\(errors)")
        #expect(lines[2].hasPrefix("{\"id\":3,"))
        // Nothing is lost: from the committed offset on, every number is there once.
        let offsets = try await directory.millrace("offsets", "show", "out", "--json").json()
        let kept = try #require(offsets["offsets"] as? [[String: Any]])
        let next = kept.first?["offset"] as? Int ?? 0
        let topic = try await directory.millrace(
            "topics",
            "read",
            "made",
            "--from",
            "\(next)",
            "--max",
            "100",
            "--json"
        )
        let ids = try topic.jsonLines()
            .compactMap { ($0["value"] as? [String: Any])?["id"] as? Int }
        #expect(ids.first == next + 1)
        #expect(ids == Array((next + 1)...(next + ids.count)))
    }

    @Test("a document on standard output and records there are not both possible")
    func refusesJSON() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.endless, to: "p.yaml")
        let result = try await directory.millrace("run", "--json", "p.yaml")
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("--json"))
    }

    @Test("a second source or sink of the same stream is refused, and says who has it")
    func oneOfEach() async throws {
        let directory = try TemporaryDirectory()
        let second = "\n  second: {connector: stdout, topics: [events]}\n"
        let two = Self.passing.replacing("FORMAT", with: "json") + second
        try directory.write(two, to: "p.yaml")
        let result = try await directory.millrace("run", "p.yaml", input: "{\"a\":1}\n")
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("Standard output is written by `"))
    }

    @Test("a made stream that is killed again and again has every record once (D3)")
    func killedGenerator() async throws {
        let directory = try TemporaryDirectory()
        let file = ".millrace/topics/made-0/00000000000000000000.log"
        // What is killed would take ten minutes, since it may be long until it is; what comes last
        // takes no time.
        try directory.write(Self.made(rate: 200), to: "slow.yaml")
        try directory.write(Self.made(rate: 0), to: "fast.yaml")
        for _ in 0..<4 {
            let before = Self.length(directory.file(file))
            let run = try directory.start(["run", "slow.yaml"])
            #expect(try await eventually { Self.length(directory.file(file)) > before })
            run.signal(9)
            _ = try await run.wait()
        }
        let last = try await directory.millrace("run", "fast.yaml")
        #expect(last.exitCode == 0, "\(last.errors)")
        let counts = try await directory.bash(
            "millrace topics read made | tee all | wc -l; sort -u all | wc -l; head -n 1 all"
        )
        #expect(counts.output == "120000\n120000\n{\"id\":1}\n", "\(counts.errors)")
    }

    private static func made(rate: Int) -> String {
        """
        pipeline: made
        sources:
          made:
            connector: generate
            topic: made
            count: 120000
            rate: \(rate)
            fields: {id: sequence}
        """
    }

    private static func length(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.size] as? Int ?? 0
    }
}
