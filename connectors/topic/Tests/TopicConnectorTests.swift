import TestServices
import Testing

@Suite("Topic connector", .timeLimit(.minutes(10)))
struct TopicConnectorTests {
    /// file → a → topic source → b → topic sink → c → json file.
    static let chain = """
        pipeline: chain
        topics:
          a: {partitions: 3}
        sources:
          inbox: {connector: json, include: in/*.json, topic: a, key.fields: [id]}
          first:
            connector: topic
            topics: [a]
            topic: b
            transforms:
              - {type: Filter, condition: '.amount > 0'}
        sinks:
          second:
            connector: topic
            topics: [b]
            topic: '${topic}-copy'
            transforms:
              - {type: InsertField, static.field: seen, static.value: 'yes'}
          files: {connector: json, topics: [b-copy], path: 'out/${partition}.jsonl'}
        """

    private func records(
        of topic: String,
        in directory: TemporaryDirectory
    ) async throws -> [[String: Any]] {
        let result = try await directory.millrace("topics", "read", topic, "--json")
        return try result.jsonLines()
    }

    @Test("a chain of topics ends by itself, with every record once, in its partition")
    func chain() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.chain, to: "p.yaml")
        let lines = (1...500).map { #"{"id":\#($0),"amount":\#($0 % 2)}"# }
        try directory.write(lines.joined(separator: "\n"), to: "in/a.json")
        for more in 0..<2 {
            let result = try await directory.millrace("run", "p.yaml")
            #expect(result.exitCode == 0, "\(result.errors)")
            let before = try await records(of: "a", in: directory)
            let after = try await records(of: "b-copy", in: directory)
            #expect(before.count == 500 + more)
            #expect(after.count == 250)
            let places = Dictionary(
                before.map { ("\($0["key"] ?? "")", $0["partition"] as? Int) },
                uniquingKeysWith: { first, _ in first }
            )
            for record in after {
                let key = "\(record["key"] ?? "")"
                #expect(places[key] == record["partition"] as? Int)
                let value = record["value"] as? [String: Any]
                #expect(value?["seen"] as? String == "yes")
                #expect("\(record["key"] ?? "")".contains("id"), "\(record)")
            }
            // What comes in the second run goes on where the first ended.
            try directory.write(#"{"id":501,"amount":0}"#, to: "in/b.json")
        }
        #expect(try directory.names(in: "out").count == 3)
    }

    @Test("bytes that no transform reads pass as they are, with key, headers and timestamp")
    func opaque() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: copy
            sources:
              copy: {connector: topic, topics: [raw], topic: copy, partition: hash}
            sinks:
              again: {connector: topic, topics: [copy], topic: again}
            """,
            to: "p.yaml"
        )
        try await directory.millrace("topics", "create", "raw", "--partitions", "2")
        let text = "not JSON \u{7}{\n{\"a\" : 1 }\n"
        try await directory.millrace("topics", "write", "raw", "--key", "k 1", input: text)
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode == 0, "\(result.errors)")
        let raw = try await records(of: "raw", in: directory)
        #expect(raw.count == 2)
        for topic in ["copy", "again"] {
            let copied = try await records(of: topic, in: directory)
            #expect(copied.count == 2)
            for (left, right) in zip(raw, copied) {
                for part in ["key", "value", "timestamp", "headers", "partition"] {
                    #expect("\(left[part] ?? "")" == "\(right[part] ?? "")", "\(topic) \(part)")
                }
            }
        }
    }

    @Test("pipelines in several files connect through topics, in any order of the files")
    func files() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: late
            sources:
              late:
                connector: topic
                topics.regex: 'mid.*'
                topic: late
                transforms: [{type: Filter, condition: '.n > 0'}]
            sinks:
              out: {connector: json, topics: [late], path: out.jsonl}
            """,
            to: "1.yaml"
        )
        try directory.write(
            """
            pipeline: early
            sources:
              inbox: {connector: json, include: in.json, topic: start}
              mid:
                connector: topic
                topics: [start]
                topic: middle
                transforms: [{type: Filter, condition: '.n > 1'}]
            """,
            to: "2.yaml"
        )
        let lines = (0..<20_000).map { #"{"n":\#($0)}"# }
        try directory.write(lines.joined(separator: "\n"), to: "in.json")
        let result = try await directory.millrace("run", "1.yaml", "2.yaml")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try directory.read("out.jsonl").split(separator: "\n").count == 19_998)
    }

    @Test("a record that cannot be read is a dead letter of its own topic, and can be replayed")
    func deadLetters() async throws {
        let directory = try TemporaryDirectory()
        let pipeline = """
            pipeline: letters
            sources:
              clean:
                connector: topic
                topics: [raw]
                topic: clean
                transforms: [{type: Cast, spec: 'n:int32'}]
                errors: {tolerance: all, deadletterqueue.topic.name: dead}
            """
        try directory.write(pipeline, to: "p.yaml")
        try await directory.millrace("topics", "create", "raw", "--partitions", "2")
        try await directory.millrace(
            "topics",
            "write",
            "raw",
            "--key",
            "k",
            input: "{\"n\":1}\noops\n{\"n\":\"x\"}\n"
        )
        let result = try await directory.millrace("run", "p.yaml")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try await records(of: "clean", in: directory).count == 1)
        let raw = try await records(of: "raw", in: directory)
        let dead = try await records(of: "dead", in: directory)
        #expect(dead.count == 2)
        for (record, letter) in zip(raw.dropFirst(), dead) {
            let list = letter["headers"] as? [[String: Any]] ?? []
            let headers = list.reduce(into: [String: String]()) { headers, header in
                headers["\(header["key"] ?? "")"] = "\(header["value"] ?? "")"
            }
            #expect(headers["__connect.errors.topic"] == "raw")
            #expect(
                headers["__connect.errors.partition"]
                    == (record["partition"] as? Int).map { String($0) }
            )
            #expect(
                headers["__connect.errors.offset"]
                    == (record["offset"] as? Int).map { String($0) }
            )
            #expect(letter["key"] as? String == "k")
            #expect("\(letter["value"] ?? "")" == "\(record["value"] ?? "")")
        }
        try directory.write(
            pipeline.replacing("transforms: [{type: Cast, spec: 'n:int32'}]", with: ""),
            to: "p.yaml"
        )
        let replayed = try await directory.millrace("dlq", "replay", "dead")
        #expect(replayed.exitCode == 0, "\(replayed.errors)")
        try await directory.millrace("run", "p.yaml")
        #expect(try await records(of: "clean", in: directory).count == 3)
    }

    @Test(
        "a round is refused",
        arguments: [
            ("x: {connector: topic, topics: [a], topic: a}", "sources.x.topic: is the topic `a`"),
            (
                "x: {connector: topic, topics.regex: 'a.*', topic: ab}",
                "sources.x.topic: is the topic `ab`"
            ),
            (
                "x: {connector: topic, topics: [a], topic: b}\n"
                    + "  y: {connector: topic, topics: [b], topic: a}",
                "the records come back to where they were read: `x` → `y` → `x`"
            ),
            ("x: {connector: topic, topic: b}", "sources.x.topics: is required"),
            (
                "x: {connector: topic, topics: [a], topic: 'b-${field:n}'}",
                "Only `${topic}` and `${partition}` can stand in it."
            ),
        ]
    )
    func refused(_ sources: String, _ finding: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write("pipeline: p\nsources:\n  \(sources)\n", to: "p.yaml")
        let result = try await directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == 2)
        #expect((result.errors + result.output).contains(finding), "\(result.errors)")
    }

    @Test("a misspelt topic is an error, and too few partitions say what to do")
    func mistakes() async throws {
        let directory = try TemporaryDirectory()
        let text = "pipeline: p\nsources:\n  x: {connector: topic, topics: [raw], topic: few}\n"
        try directory.write(text, to: "p.yaml")
        let missing = try await directory.millrace("run", "p.yaml")
        #expect(missing.exitCode == 2)
        #expect(missing.errors.contains("The topic `raw` does not exist"), "\(missing.errors)")
        try await directory.millrace("topics", "create", "few", "--partitions", "1")
        try await directory.millrace("topics", "create", "raw", "--partitions", "8")
        let lines = (0..<40).map(String.init).joined(separator: "\n")
        for key in ["a", "b", "c", "d", "e"] {
            try await directory.millrace("topics", "write", "raw", "--key", key, input: lines)
        }
        let few = try await directory.millrace("run", "p.yaml")
        #expect(few.exitCode != 0)
        #expect(few.errors.contains("partition: hash"), "\(few.errors)")
        try directory.write(text.replacing("few}", with: "few, partition: hash}"), to: "p.yaml")
        let hashed = try await directory.millrace("run", "p.yaml")
        #expect(hashed.exitCode == 0, "\(hashed.errors)")
        #expect(try await records(of: "few", in: directory).count == 200)
    }
}
