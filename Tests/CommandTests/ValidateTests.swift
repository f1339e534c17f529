import TestServices
import Testing

@Suite("millrace validate", .timeLimit(.minutes(10)))
struct ValidateTests {
    @Test("findings name the place, the key and the likely word, and exit with 2")
    func findings() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: p
            source:
              in: {connector: csv}
            """,
            to: "p.yaml"
        )
        let result = try await directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == 2)
        #expect(
            result.output == """
                p.yaml:2:1: error: source: is not a known key; the keys here are pipeline, topics, \
                sources, sinks, tests (did you mean "sources"?)

                """
        )
    }

    @Test("--json prints one document with every finding")
    func json() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("pipeline: p\nsources:\n  in: {connector: csb}\n", to: "p.yaml")
        let result = try await directory.millrace("validate", "--json", "p.yaml")
        #expect(result.exitCode == 2)
        let document = try result.json()
        #expect(document["valid"] as? Bool == false)
        let finding = try #require((document["findings"] as? [[String: Any]])?.first)
        #expect(finding["file"] as? String == "p.yaml")
        #expect(finding["line"] as? Int == 3)
        #expect(finding["column"] as? Int == 19)
        #expect(finding["key"] as? String == "sources.in.connector")
        #expect(finding["severity"] as? String == "error")
    }

    @Test("a file that is missing is a finding")
    func missing() async throws {
        let result = try await TemporaryDirectory().millrace("validate", "nowhere.yaml")
        #expect(result.exitCode == 2)
        #expect(result.output == "nowhere.yaml: error: cannot be read: No such file or directory\n")
    }

    @Test(
        "a transaction topic to which no source of the file tells transactions is found",
        arguments: [
            ("app.transactions", "provide.transaction.metadata: true", "app.transaction"),
            ("app.transaction", "", "provide.transaction.metadata"),
            ("app.transaction", "provide.transaction.metadata: true", nil),
            ("app.tx", "provide.transaction.metadata: true\n    topic.transaction: tx", nil),
            // What another pipeline captures is not known here.
            ("shop.transaction", "topic.prefix: crm", nil),
        ]
    )
    func transactionTopic(topic: String, keys: String, finding: String?) async throws {
        let directory = try TemporaryDirectory()
        let prefix = keys.contains("topic.prefix") ? "" : "\n    topic.prefix: app"
        try directory.write(
            """
            pipeline: p
            sources:
              app:
                connector: sqlite-cdc
                path: app.db\(prefix)
                \(keys)
            sinks:
              copy:
                connector: sqlite
                path: copy.db
                topics: [app.orders]
                transaction.topic: \(topic)
            """,
            to: "p.yaml"
        )
        let result = try await directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == (finding == nil ? 0 : 2), "\(result.output)")
        if let finding {
            #expect(result.output.contains("sinks.copy.transaction.topic"), "\(result.output)")
            #expect(result.output.contains(finding), "\(result.output)")
        }
    }
}
