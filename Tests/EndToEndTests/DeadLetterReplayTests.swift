import Foundation
import TestServices
import Testing

@Suite("Dead letters of sources", .timeLimit(.minutes(10)))
struct DeadLetterReplayTests {
    private static let pipeline = """
        pipeline: orders
        topics:
          orders: {partitions: 2}
        sources:
          inbox:
            connector: csv
            include: in/*.csv
            topic: orders
            file.headers: [file.line]
            key.fields: [id]
            types: {amount: decimal}
            transforms:
              - {type: InsertField, static.field: shop, static.value: north}
            errors: {tolerance: all, deadletterqueue.topic.name: orders-dlq}
        sinks:
          rows: {connector: sqlite, topics: [orders], path: orders.db, pk.mode: record_key}
          lines: {connector: json, topics: [orders], path: "out/all-${partition}.jsonl"}
        """
    private static let csv = """
        id,name,amount
        1,one,1.10
        2,two,2.20
        3,three,3.30,surplus
        4,four,4.40
        5,five,5.50

        """

    private func makeRun(_ csv: String = Self.csv) async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pipeline, to: "p.yaml")
        try directory.write(csv, to: "in/a.csv")
        try await run(directory)
        return directory
    }

    private func run(_ directory: TemporaryDirectory) async throws {
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
    }

    private func rows(_ directory: TemporaryDirectory) async throws -> [String] {
        let query = "SELECT id, name, amount, shop FROM orders ORDER BY id"
        let result = try await Command.run(["sqlite3", "orders.db", query], in: directory.path)
        #expect(result.exitCode == 0, "\(result.errors)")
        return result.output.split(separator: "\n").map { String($0) }
    }

    private func letters(_ directory: TemporaryDirectory) async throws -> [[String: Any]] {
        let shown = try await directory.millrace("dlq", "show", "orders-dlq", "--json").json()
        return try #require(shown["letters"] as? [[String: Any]])
    }

    // D3, D6
    @Test(
        """
        bad line 3 of 5 in CSV gives 4 rows out and 1 dead letter with file, line, byte offset; \
        replay after a fix yields 5
        """
    )
    func thirdOfFive() async throws {
        let directory = try await makeRun()
        #expect(try await rows(directory).map { $0.prefix(1) } == ["1", "2", "4", "5"])
        let letters = try await letters(directory)
        #expect(letters.count == 1)
        let context = try #require(letters.first?["context"] as? [String: Any])
        #expect(context["file"] as? String == directory.file("in/a.csv"))
        #expect(context["line"] as? Int == 4)
        // Three lines precede it: the header and two records.
        let before = "id,name,amount\n1,one,1.10\n2,two,2.20\n"
        #expect(context["byte"] as? Int == before.utf8.count)
        #expect(letters.first?["value"] as? String == "3,three,3.30,surplus")

        // As it is, it is refused again, and stays.
        let refused = try await directory.millrace("dlq", "replay", "--json")
        #expect(refused.exitCode == 1)
        #expect(refused.errors.contains("orders-dlq-0, offset 0: "), "\(refused.errors)")
        #expect(refused.errors.contains("4"), "the cells that were found: \(refused.errors)")
        #expect(try refused.json()["replayed"] as? Int == 0)
        #expect(try await self.letters(directory).count == 1)

        let shown = try await directory.bash(
            "millrace dlq show orders-dlq --offset 0 --value | sed 's/,surplus$//' "
                + "| millrace dlq replay orders-dlq --offset 0 --value-from -"
        )
        #expect(shown.exitCode == 0, "\(shown.errors)")
        #expect(shown.output == "orders-dlq: 1 replayed\n")
        #expect(try await self.letters(directory).isEmpty)
        try await run(directory)
        #expect(
            try await rows(directory) == [
                "1|one|1.1|north", "2|two|2.2|north", "3|three|3.3|north", "4|four|4.4|north",
                "5|five|5.5|north",
            ]
        )
        // Its key is the one that its fields make, and its number is exact.
        let records = try await directory.millrace("topics", "read", "orders", "--json")
        let third = try #require(
            try records.jsonLines().first { ($0["key"] as? [String: Any])?["id"] as? Int == 3 }
        )
        #expect(records.output.contains(#""amount":3.30,"shop":"north""#), "\(records.output)")
        let headers = try #require(third["headers"] as? [[String: Any]])
        #expect(headers.map { $0["key"] as? String } == ["file.line", "millrace.schema"])
        #expect(headers.first?["value"] as? Int == 4)
    }

    @Test("a replay after the configuration was mended needs no other text")
    func mendedConfiguration() async throws {
        let directory = try await makeRun("id,name,amount\n1,one,1.10\n2,two,unknown\n3,three,3\n")
        #expect(try await rows(directory).count == 2)
        #expect(try await directory.millrace("dlq", "replay").exitCode == 1)
        let mended = Self.pipeline.replacing("types: {amount: decimal}", with: "types: infer")
        try directory.write(mended, to: "p.yaml")
        let replay = try await directory.millrace("dlq", "replay")
        #expect(replay.output == "orders-dlq: 1 replayed\n", "\(replay.errors)")
        try await run(directory)
        #expect(try await rows(directory).contains("2|two|unknown|north"))
    }

    @Test("one of several is mended, and the others keep their places")
    func several() async throws {
        let directory = try await makeRun("id,name,amount\na,b\n1,one,1.10\nc,d\n\"e\",f,g,h\n")
        #expect(try await letters(directory).compactMap { $0["offset"] as? Int } == [0, 1, 2])
        try directory.write("7,seven,7.70\n", to: "mended")
        let unclear = try await directory.millrace("dlq", "replay", "--value-from", "mended")
        #expect(unclear.exitCode == 2)
        #expect(unclear.errors.contains("--offset"), "\(unclear.errors)")
        let replay = try await directory.millrace(
            "dlq",
            "replay",
            "--offset",
            "1",
            "--value-from",
            "mended"
        )
        #expect(replay.exitCode == 0, "\(replay.errors)")
        #expect(try await letters(directory).compactMap { $0["offset"] as? Int } == [0, 2])
        let again = try await directory.millrace("dlq", "replay", "--offset", "1")
        #expect(again.exitCode == 2)
        let list = try await directory.millrace("dlq", "list", "--json").json()
        #expect((list["topics"] as? [[String: Any]])?.first?["count"] as? Int == 2)
        try await run(directory)
        #expect(try await rows(directory) == ["1|one|1.1|north", "7|seven|7.7|north"])
    }

    @Test("the pipeline file is found where it was, or named when it was moved")
    func movedPipeline() async throws {
        let directory = try await makeRun()
        try directory.write("3,three,3.30", to: "mended")
        try FileManager.default.moveItem(
            atPath: directory.file("p.yaml"),
            toPath: directory.file("in/moved.yaml")
        )
        let lost = try await directory.millrace("dlq", "replay", "--value-from", "mended")
        #expect(lost.exitCode == 1)
        #expect(lost.errors.contains("--pipeline"), "\(lost.errors)")
        #expect(try await letters(directory).count == 1)
        let found = try await directory.millrace(
            "dlq",
            "replay",
            "--value-from",
            "mended",
            "--pipeline",
            "in/moved.yaml"
        )
        #expect(found.exitCode == 0, "\(found.errors)")
        #expect(try await letters(directory).isEmpty)
    }

    @Test(
        "what other formats reject is read again as well",
        arguments: [
            (
                "json", "{\"id\":1}\n{\"id\":2,}\n{\"id\":3}\n", "{\"id\":2}",
                "json.style: auto"
            ),
            (
                "xml", "<o><r><id>1</id></r><r><id>%</id></r><r><id>3</id></r></o>",
                "<r><id>2</id></r>", "max.record.bytes: 1KiB"
            ),
            ("file", "1\n%\n3\n", "2", "max.record.bytes: 1KiB"),
        ]
    )
    func formats(format: String, text: String, mended: String, key: String) async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: p
            sources:
              in:
                connector: \(format)
                include: data
                topic: t
                \(key)
                errors: {tolerance: all, deadletterqueue.topic.name: dead}
            """,
            to: "p.yaml"
        )
        let long = String(repeating: "x", count: 1_100)
        try directory.write(text.replacing("%", with: long), to: "data")
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(try await directory.millrace("dlq", "replay").exitCode == 1)
        let replay = try await directory.start(
            ["dlq", "replay", "--value-from", "-"],
            input: mended + "\n"
        ).wait()
        #expect(replay.exitCode == 0, "\(replay.errors)")
        let values = try await directory.millrace("topics", "read", "t").output
        let numbers = values.split(separator: "\n").map { $0.filter(\.isNumber) }
        #expect(numbers == ["1", "3", "2"], "\(values)")
    }
}
