import TestServices
import Testing

@Suite("millrace verify", .timeLimit(.minutes(10)))
struct VerifyTests {
    /// Copies two tables from one database to another.
    private func makeCopy() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try await directory.sql(
            "a.db",
            """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, amount, note TEXT, body BLOB);
            INSERT INTO orders
                SELECT value, value * 1.5, 'n' || value, CAST('b' || value AS BLOB)
                FROM generate_series(1, 5000);
            CREATE TABLE lines (region TEXT, number INTEGER, price, PRIMARY KEY (region, number));
            INSERT INTO lines SELECT 'r' || (value % 3), value, value FROM generate_series(1, 300);
            """
        )
        try directory.write(
            """
            pipeline: copy
            sources:
              shop:
                connector: sqlite
                path: a.db
                table.include.list: orders, lines
                mode: bulk
                topic.prefix: shop-
            sinks:
              warehouse:
                connector: sqlite
                topics.regex: shop-.*
                path: b.db
                table.name.format: ${topic}
                insert.mode: upsert
                pk.mode: record_key
                auto.create: true
            """,
            to: "p.yaml"
        )
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        return directory
    }

    @Test("equal tables are equal, whatever the order of their columns")
    func equal() async throws {
        let directory = try await makeCopy()
        let result = try await directory.millrace("verify", "p.yaml", "--settle", "0")
        #expect(result.exitCode == 0, "\(result.output) \(result.errors)")
        #expect(result.output.contains("5000 rows in the source, 5000 in the sink: equal"))
        #expect(result.output.contains("300 rows in the source, 300 in the sink: equal"))
    }

    @Test("missing, extra and different rows are found by their keys, and repaired on request")
    func differences() async throws {
        let directory = try await makeCopy()
        try await directory.sql(
            "b.db",
            """
            DELETE FROM "shop-orders" WHERE id IN (1, 4096, 5000);
            INSERT INTO "shop-orders" (id, note) VALUES (-7, 'x'), (6000, 'y');
            UPDATE "shop-orders" SET note = 'other', body = x'00' WHERE id = 2500;
            UPDATE "shop-lines" SET price = NULL WHERE region = 'r1' AND number = 4;
            """
        )
        let command = ["verify", "p.yaml", "--settle", "0", "--json"]
        let found = try await directory.start(command).wait()
        #expect(found.exitCode == 1)
        let tables = try #require(try found.json()["tables"] as? [[String: Any]])
        let orders = try #require(tables.first { $0["topic"] as? String == "shop-orders" })
        #expect(orders["missing"] as? Int == 3)
        #expect(orders["extra"] as? Int == 2)
        #expect(orders["different"] as? Int == 1)
        let differences = try #require(orders["differences"] as? [[String: Any]])
        let keys = differences.map { ($0["key"] as? [String: Any])?["id"] as? Int }
        #expect(keys == [-7, 1, 2500, 4096, 5000, 6000])
        #expect(differences[2]["columns"] as? [String] == ["note", "body"])
        let lines = try #require(tables.first { $0["topic"] as? String == "shop-lines" })
        let key = (lines["differences"] as? [[String: Any]])?.first?["key"] as? [String: Any]
        #expect(key?["region"] as? String == "r1")
        #expect(key?["number"] as? Int == 4)

        // Of a range only, first.
        let range = try await directory.millrace(
            "verify",
            "p.yaml",
            "--table",
            "orders",
            "--after",
            "1",
            "--through",
            "4096",
            "--settle",
            "0",
            "--repair"
        )
        #expect(range.exitCode == 0, "\(range.output) \(range.errors)")
        #expect(range.output.contains("2 repaired"), "\(range.output)")
        let rest = try await directory.start(command + ["--repair"]).wait()
        #expect(rest.exitCode == 0, "\(rest.output)")
        let again = try await directory.millrace("verify", "p.yaml", "--settle", "0")
        #expect(again.exitCode == 0, "\(again.output)")
    }

    @Test("a sink that catches up while it waits is equal in the end")
    func settles() async throws {
        let directory = try await makeCopy()
        try await directory.sql("a.db", "UPDATE orders SET note = 'late' WHERE id = 17")
        async let verified = directory.millrace("verify", "p.yaml", "--settle", "60")
        try await directory.sql(
            "b.db",
            #"UPDATE "shop-orders" SET note = 'late' WHERE id = 17"#,
            after: .seconds(1)
        )
        #expect(try await verified.exitCode == 0)
    }

    @Test(
        "what cannot be compared is refused with the reason",
        arguments: [
            (["--source", "nobody"], "Check --source, --sink and --table."),
            (["--table", "nothing"], "Check --source, --sink and --table."),
            (["--after", "{\"id\":"], "--after"),
            (["--table", "lines", "--after", "r1"], "region, number"),
            (["--settle=-1"], "--settle must be"),
        ]
    )
    func refused(arguments: [String], message: String) async throws {
        let directory = try await makeCopy()
        let result = try await directory.start(["verify", "p.yaml"] + arguments).wait()
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("a table without a key, and one that the sink does not have, are named")
    func impossible() async throws {
        let directory = try await makeCopy()
        try await directory.sql("a.db", "CREATE VIEW recent AS SELECT * FROM orders")
        try await directory.sql("b.db", #"DROP TABLE "shop-lines""#)
        let missing = try await directory.millrace("verify", "p.yaml", "--table", "lines")
        #expect(missing.exitCode != 0)
        #expect(missing.errors.contains("has no table for lines"), "\(missing.errors)")
        try await directory.sql("a.db", "CREATE TABLE loose (x); INSERT INTO loose VALUES (1)")
        try await directory.sql("b.db", #"CREATE TABLE "shop-loose" (x)"#)
        let text = try directory.read("p.yaml")
        try directory.write(
            text.replacing("orders, lines", with: "loose"),
            to: "p.yaml"
        )
        let loose = try await directory.millrace("verify", "p.yaml")
        #expect(loose.exitCode == 2)
        #expect(loose.errors.contains("no primary key"), "\(loose.errors)")
    }
}

extension TemporaryDirectory {
    fileprivate func sql(_ database: String, _ text: String, after delay: Duration = .zero)
        async throws
    {
        try await Task.sleep(for: delay)
        let result = try await Command.run(["sqlite3", "-bail", file(database), text], in: path)
        #expect(result.exitCode == 0, "\(result.errors)")
    }
}
