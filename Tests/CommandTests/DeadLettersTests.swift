import TestServices
import Testing

@Suite("millrace dlq", .timeLimit(.minutes(2)))
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
        #expect(text.contains("/in/a.csv:3, on its way to orders"))
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

    @Test("replayed letters are in their topic again")
    func replay() async throws {
        let directory = try await makeRun()
        let result = try await directory.millrace("dlq", "replay", "--json")
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(try result.json()["replayed"] as? Int == 1)
        let values = try await directory.millrace("topics", "read", "orders").output
        #expect(values.split(separator: "\n").contains("2,many"))
        #expect(try await directory.millrace("dlq", "replay").output == "orders-dlq: 0 replayed\n")
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
