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
                p.yaml:2:1: error: source: is not a known key; the keys here are pipeline, broker, \
                topics, sources, sinks, tests (did you mean "sources"?)

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

    @Test("a field that a transform can never find is named with its place, before anything runs")
    func missingFields() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: p
            sources:
              orders:
                connector: csv
                include: "*.csv"
                topic: orders
                header: false
                columns: [id, name, amount]
                key.fields: [id]
                transforms:
                  - {type: ReplaceField, renames: {amount: total}}
                  - {type: Filter, condition: .amount > 0}
                  - type: MaskField
                    fields: [nmae]
              log:
                connector: file
                include: "*.log"
                topic: log
                key.fields: [host]
                transforms:
                  - {type: Parse, format: combined, timestamp.field: time}
                  - {type: Cast, spec: {staus: string}}
              events:
                connector: json
                include: "*.json"
                topic: events
                transforms:
                  - {type: Filter, condition: .amount > 0}
            """,
            to: "p.yaml"
        )
        let result = try await directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == 2)
        let lines = result.output.split(separator: "\n").map(String.init)
        let expected = [
            "p.yaml:12:35: error: sources.orders.transforms.t2.condition: names the field "
                + "`amount`, which no record has at that point: the fields are `id`, `name`, "
                + "`total`",
            "p.yaml:14:17: error: sources.orders.transforms.t3.fields: names the field `nmae`, "
                + "which no record has at that point: the fields are `id`, `name`, `total` (did "
                + "you mean \"name\"?)",
            "p.yaml:19:17: error: sources.log.key.fields: names the field `host`, and the value "
                + "has no fields at that point",
            "p.yaml:21:58: error: sources.log.transforms.t1.timestamp.field: names the field "
                + "`time`, which no record has at that point: the fields are `host`, `identity`, "
                + "`user`, `timestamp`, `method`, `path`, `protocol`, `status`, `size`, "
                + "`request`, `referrer`, `agent`, `forwarded_for`",
            "p.yaml:22:36: error: sources.log.transforms.t2.spec.staus: names the field `staus`, "
                + "which no record has at that point: the fields are `host`, `identity`, "
                + "`user`, `timestamp`, `method`, `path`, `protocol`, `status`, `size`, "
                + "`request`, `referrer`, `agent`, `forwarded_for` (did you mean \"status\"?)",
        ]
        #expect(lines == expected)
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 2 && run.errors.contains("names the field `amount`"))
    }
}
