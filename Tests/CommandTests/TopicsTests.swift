import TestServices
import Testing

@Suite("millrace topics", .timeLimit(.minutes(10)))
struct TopicsTests {
    @Test("a topic is created, described, altered and deleted")
    func life() async throws {
        let directory = try TemporaryDirectory()
        let created = try await directory.millrace(
            "topics",
            "create",
            "orders",
            "--partitions",
            "3",
            "--config",
            "retention.ms=7d"
        )
        #expect(created.exitCode == 0, "\(created.errors)")
        #expect(created.output == "orders: created\n")

        let list = try await directory.millrace("topics", "list", "--json").json()
        let topics = try #require(list["topics"] as? [[String: Any]])
        #expect(topics.map { $0["name"] as? String } == ["orders"])
        #expect(topics.map { $0["partitions"] as? Int } == [3])
        #expect(topics.map { $0["records"] as? Int } == [0])

        let altered = try await directory.millrace(
            "topics",
            "alter",
            "orders",
            "--config",
            "cleanup.policy=compact"
        )
        #expect(altered.exitCode == 0, "\(altered.errors)")
        let description = try await directory.millrace("topics", "describe", "orders", "--json")
            .json()
        let config = try #require(description["config"] as? [String: String])
        #expect(config["retention.ms"] == "604800000")
        #expect(config["cleanup.policy"] == "compact")
        #expect((description["partitions"] as? [Any])?.count == 3)

        #expect(try await directory.millrace("topics", "delete", "orders").exitCode == 0)
        #expect(
            try await directory.millrace("topics").output == "TOPIC  PARTITIONS  RECORDS  CLEANUP\n"
        )
    }

    @Test(
        "what cannot be is refused with 2 and a way out",
        arguments: [
            ("create orders", "orders"),
            ("create or/ders", "may hold only letters"),
            ("create o --partitions 0", "1 ... 4000"),
            ("create o --config retntion.ms=1", "Did you mean `retention.ms`?"),
            ("create o --config retention.ms", "key=value"),
            ("create o --config compression.type=rar", "must be one of none, lz4, zstd"),
            ("describe order", "Did you mean `orders`?"),
            ("delete nothing-like-it", "`millrace topics list`"),
            ("alter orders", "--config"),
            ("read orders --partition 2", "its partitions are 0 to 1"),
            ("write order", "Did you mean `orders`?"),
        ]
    )
    func refusals(arguments: String, message: String) async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "orders", "--partitions", "2")
        let words = ["topics"] + arguments.split(separator: " ").map { String($0) }
        let result = try await directory.start(words).wait()
        #expect(result.exitCode == 2, "\(result.errors)")
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("with --json a refusal is one JSON document too")
    func jsonRefusal() async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "orders")
        let result = try await directory.millrace("topics", "describe", "order", "--json")
        #expect(result.exitCode == 2)
        let error = try #require(try result.json()["error"] as? [String: Any])
        #expect(error["code"] as? String == "topics.unknown")
        #expect(error["hint"] as? String == "Did you mean `orders`?")
    }

    @Test("reading without a data directory says how one comes to be")
    func noData() async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.millrace("topics", "list", "--data-dir", "nowhere")
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("There is no data directory `nowhere`."))
        #expect(try directory.names() == [])
    }

    @Test("lines that are written are read back exactly, with keys and order")
    func roundTrip() async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "t", "--partitions", "2")
        let lines = ["", "plain text", #"{"id": 1, "amount": 1.10}"#, "ünïcode", "last, no end"]
        let written = try await directory.millrace(
            "topics",
            "write",
            "t",
            "--key",
            "k1",
            input: lines.joined(separator: "\n")
        )
        #expect(written.exitCode == 0, "\(written.errors)")
        let values = try await directory.millrace("topics", "read", "t")
        #expect(values.output == lines.joined(separator: "\n") + "\n")

        let records = try await directory.millrace("topics", "read", "t", "--json")
        let objects = try records.jsonLines()
        #expect(objects.map { $0["offset"] as? Int } == [0, 1, 2, 3, 4])
        #expect(Set(objects.map { $0["partition"] as? Int }).count == 1)
        #expect(objects.allSatisfy { $0["key"] as? String == "k1" })
        #expect(objects.allSatisfy { $0["topic"] as? String == "t" })
        #expect(records.output.contains(#""value":{"id": 1, "amount": 1.10},"headers":[]}"#))
        #expect(objects[1]["value"] as? String == "plain text")
    }

    @Test("bytes that are no text are base64")
    func bytes() async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.bash(
            "millrace topics create t && printf '\\xff\\xfe\\n' | millrace topics write t "
                + "&& millrace topics read t --json"
        )
        #expect(result.output.contains(#""value":{"base64":"//4="}"#), "\(result.output)")
    }

    @Test(
        "reading begins where --from says and ends after --max",
        arguments: [
            ("--from beginning", ["0", "1", "2", "3"]), ("--from end", []),
            ("--from 2", ["2", "3"]),
            ("--max 1", ["0"]), ("--max 0", []), ("--from 1 --max 2", ["1", "2"]),
            ("--from 2001-01-01T00:00:00Z", ["0", "1", "2", "3"]), ("--from 2100-01-01", []),
            ("--from 4102444800000", []), ("--from 99", []),
            ("--partition 0", ["0", "1", "2", "3"]),
        ]
    )
    func from(arguments: String, values: [String]) async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "t")
        try await directory.millrace("topics", "write", "t", input: "0\n1\n2\n3\n")
        let words = ["topics", "read", "t"] + arguments.split(separator: " ").map { String($0) }
        let result = try await directory.start(words).wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.output.split(separator: "\n").map { String($0) } == values)
    }

    @Test("--follow prints what another process writes")
    func follow() async throws {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "t", "--partitions", "2")
        try await directory.millrace("topics", "write", "t", input: "first\n")
        let reader = try directory.start(["topics", "read", "t", "--follow", "--max", "2"])
        #expect(try await eventually { reader.outputSoFar == "first\n" })
        try await directory.millrace("topics", "write", "t", input: "second\n")
        let result = try await reader.wait()
        #expect(result.exitCode == 0)
        #expect(result.output == "first\nsecond\n")
    }

    @Test("a reader of the output that goes away ends reading quietly")
    func brokenPipe() async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.bash(
            """
            millrace topics create t && seq 100000 | millrace topics write t 2>/dev/null
            set -o pipefail
            millrace topics read t | head -1; echo $?
            """
        )
        #expect(result.output == "t: created\n1\n0\n")
        #expect(result.errors == "")
    }
}
