import PostgresClient
import TestServices
import Testing

/// Pipelines into PostgreSQL, each with databases of its own.
@Suite("Example pipelines into PostgreSQL", .timeLimit(.minutes(10)))
struct PostgresSinkExampleTests {
    @Test("rows of CSV files are upserted, and what the table refuses waits in a topic")
    func csvToPostgres() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        let database = try PostgresServer.shared().makeDatabase()
        let connection = try database.connect()
        let file = "csv-to-postgres.yaml"
        let first = try await directory.run(file, on: database)
        #expect(first.exitCode == 0, "\(first.errors)")
        func rows(_ list: String) throws -> [String] {
            let result = try connection.execute("SELECT (\(list))::text FROM orders ORDER BY id")
            return (0..<result.rowCount).map { result.string($0, 0) ?? "" }
        }
        #expect(try rows("id, amount, ordered_at").count == 8)
        #expect(
            try rows("id, amount, ordered_at").first == "(1001,249.90,\"2026-11-03 08:12:45+00\")"
        )
        try connection.execute("ALTER TABLE orders ADD CHECK (amount >= 0)")
        _ = try directory.write(
            "id,customer,amount,ordered_at,channel\n1001,Åsa,1.50,,web\n"
                + "1010,Nobody,-1,,web\n1009,New,2,,shop\n",
            to: "pipelines/input/orders-2.csv"
        )
        let second = try await directory.run(file, on: database)
        #expect(second.exitCode == 0, "\(second.errors)")
        let changed = try rows("id, customer, amount, currency, channel")
        #expect(changed.count == 9)
        #expect(changed.first == "(1001,Åsa,1.50,SEK,web)")
        #expect(changed.last == "(1009,New,2,,shop)")
        let letters = try await Command.run(
            [
                Products.millrace, "topics", "read", "orders-dlq", "--json", "--from", "beginning",
                "--data-dir", directory.file("data"),
            ],
            in: directory.path
        )
        #expect(
            letters.output.contains("orders_amount_check"),
            "\(letters.output)\(letters.errors)"
        )
        // D8
        for secret in [letters.output, second.errors, second.output] {
            #expect(!secret.contains(database.url))
        }
    }

    @Test("verify finds what differs between two databases, and mends a range on request")
    func verify() async throws {
        let directory = try TemporaryDirectory()
        let server = try PostgresServer.shared()
        let (source, target) = (try server.makeDatabase(), try server.makeDatabase())
        try source.connect().execute(
            "CREATE TABLE t (id int PRIMARY KEY, v numeric);"
                + "INSERT INTO t SELECT i, i / 4.0 FROM generate_series(1, 500) i"
        )
        let file = try directory.write(
            """
            pipeline: copy
            sources:
              there: {connector: postgres, url: "${env:SOURCE}", topic: t, poll.interval.ms: 0}
            sinks:
              here: {connector: postgres, url: "${env:TARGET}", topics: [t], pk.mode: record_key}
            """,
            to: "copy.yaml"
        )
        func millrace(_ arguments: String...) async throws -> CommandResult {
            try await Command.run(
                [Products.millrace] + arguments + [file],
                in: directory.path,
                environment: ["SOURCE": source.url, "TARGET": target.url]
            )
        }
        let copied = try await millrace("run", "--data-dir", directory.file("data"))
        #expect(copied.exitCode == 0, "\(copied.errors)")
        let equal = try await millrace("verify", "--settle", "0")
        #expect(equal.exitCode == 0, "\(equal.output)\(equal.errors)")
        try target.connect().execute(
            "DELETE FROM t WHERE id = 3; UPDATE t SET v = 0 WHERE id = 400;"
                + "INSERT INTO t VALUES (501)"
        )
        let different = try await millrace("verify", "--settle", "0")
        #expect(different.exitCode == 1)
        let part = try await millrace("verify", "--settle", "0", "--repair", "--through", "100")
        #expect(part.exitCode == 0, "\(part.output)\(part.errors)")
        let rows = try target.connect().execute("SELECT count(*), max(id), min(v) FROM t")
        #expect([rows.string(0, 0), rows.string(0, 1), rows.string(0, 2)] == ["501", "501", "0"])
        let rest = try await millrace("verify", "--settle", "0", "--repair")
        #expect(rest.exitCode == 0, "\(rest.output)\(rest.errors)")
        let sum = "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM t"
        #expect(
            try target.connect().execute(sum).string(0, 0)
                == source.connect().execute(sum).string(0, 0)
        )
    }
}
