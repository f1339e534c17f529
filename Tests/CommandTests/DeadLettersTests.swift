import TestServices
import Testing

@Suite("millrace dlq", .timeLimit(.minutes(10)))
struct DeadLettersTests {
    /// Runs a pipeline whose second record does not fit its declared type.
    private func makeRun() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: orders
            sources:
              inbox:
                connector: csv
                include: in/*.csv
                topic: orders
                types: {amount: int}
                errors: {tolerance: all, deadletterqueue.topic.name: orders-dlq}
            """,
            to: "p.yaml"
        )
        try directory.write("id,amount\n1,1\n2,many\n3,3\n", to: "in/a.csv")
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(run.errors.contains("1 record(s) rejected; see `millrace dlq show orders-dlq`"))
        return directory
    }

    @Test("D5: dead letters of one file are in the order of its lines, whatever rejected them")
    func order() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: p
            sources:
              inbox:
                connector: json
                json.style: lines
                include: in.json
                topic: t
                key.fields: [id]
                transforms: [{type: Cast, spec: 'n:int32'}]
                errors: {tolerance: all, deadletterqueue.topic.name: dead}
            """,
            to: "p.yaml"
        )
        let lines = [#"{"id":1,"n":"x"}"#, "oops", #"{"n":3}"#, #"{"id":4,"n":"y"}"#, "again"]
        try directory.write(lines.joined(separator: "\n"), to: "in.json")
        _ = try await directory.millrace("run", "p.yaml")
        let shown = try await directory.millrace("dlq", "show", "--json").json()
        let letters = shown["letters"] as? [[String: Any]] ?? []
        let contexts = letters.map { $0["context"] as? [String: Any] ?? [:] }
        #expect(contexts.map { $0["line"] as? Int } == [1, 2, 3, 4, 5])
        #expect(contexts.map { $0["byte"] as? Int } == [0, 17, 22, 30, 47])
    }

    @Test("a rejected record is listed and shown with its place and its reason")  // D6
    func show() async throws {
        let directory = try await makeRun()
        let list = try await directory.millrace("dlq", "list", "--json").json()
        let topics = try #require(list["topics"] as? [[String: Any]])
        #expect(topics.map { $0["topic"] as? String } == ["orders-dlq"])
        #expect(topics.map { $0["count"] as? Int } == [1])

        let shown = try await directory.millrace("dlq", "show", "--json").json()
        let letter = try #require((shown["letters"] as? [[String: Any]])?.first)
        let context = try #require(letter["context"] as? [String: Any])
        #expect(context["connector"] as? String == "inbox")
        #expect((context["file"] as? String)?.hasSuffix("/in/a.csv") == true)
        #expect(context["line"] as? Int == 3)
        #expect(letter["value"] as? String == "2,many")

        let text = try await directory.millrace("dlq", "show", "orders-dlq").output
        #expect(text.contains("/in/a.csv:3, byte 14, on its way to orders"))
        #expect(text.contains(#"value   "2,many""#), "\(text)")
    }

    @Test("discarded letters are not shown any more")
    func discard() async throws {
        let directory = try await makeRun()
        let result = try await directory.millrace("dlq", "discard", "orders-dlq")
        #expect(result.output == "orders-dlq: 1 discarded\n")
        #expect(
            try await directory.millrace("dlq", "show").output == "orders-dlq: no dead letters\n"
        )
        #expect(try await directory.millrace("topics", "read", "orders-dlq").output == "2,many\n")
    }

    @Test("what cannot be read again stays a dead letter, and the reason is said")  // D6
    func replay() async throws {
        let directory = try await makeRun()
        let result = try await directory.millrace("dlq", "replay", "--json")
        #expect(result.exitCode == 1)
        let document = try result.json()
        #expect(document["replayed"] as? Int == 0)
        let kept = try #require((document["kept"] as? [[String: Any]])?.first)
        #expect(kept["offset"] as? Int == 0)
        let error = try #require(kept["error"] as? [String: Any])
        #expect((error["message"] as? String)?.contains("amount") == true)
        let values = try await directory.millrace("topics", "read", "orders").output
        #expect(values.split(separator: "\n").count == 2)
        #expect(try await directory.millrace("dlq", "show").output.contains(#""2,many""#))
    }

    @Test("a value is printed as it is, and takes a new one")
    func value() async throws {
        let directory = try await makeRun()
        let shown = try await directory.millrace("dlq", "show", "--offset", "0", "--value")
        #expect(shown.output == "2,many")
        let replay = try await directory.start(
            ["dlq", "replay", "--value-from", "-"],
            input: "2,2\r\n"
        ).wait()
        #expect(replay.output == "orders-dlq: 1 replayed\n", "\(replay.errors)")
        let values = try await directory.millrace("topics", "read", "orders").output
        #expect(values.hasSuffix("{\"id\":2,\"amount\":2}\n"), "\(values)")
        #expect(try await directory.millrace("dlq", "replay").output == "orders-dlq: 0 replayed\n")
    }

    @Test(
        "what is not meant is refused with 2",
        arguments: [
            ("show --value", "--value needs --offset"), ("show --offset 7", "no dead letter at"),
            ("replay --offset 7", "no dead letter at"), ("discard --offset 7", "no dead letter at"),
            ("replay --max=-1", "--max must not"), ("discard --partition 3", "1 partition(s)"),
            ("replay --value-from nowhere --offset 0", "cannot be read"),
            ("replay --pipeline nowhere.yaml", "has an error"),
        ]
    )
    func refusals(arguments: String, message: String) async throws {
        let directory = try await makeRun()
        let words = ["dlq"] + arguments.split(separator: " ").map { String($0) }
        let result = try await directory.start(words).wait()
        #expect(result.exitCode == (message == "cannot be read" ? 3 : 2), "\(result.errors)")
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("without dead letters, or with a wrong name, it says so")
    func nothing() async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "orders")
        let none = try await directory.millrace("dlq", "show")
        #expect(none.exitCode == 2)
        #expect(none.errors.contains("There are no dead letters."))
        let wrong = try await directory.millrace("dlq", "show", "nowhere")
        #expect(wrong.exitCode == 2)
        #expect(wrong.errors.contains("nowhere"))
    }
}
