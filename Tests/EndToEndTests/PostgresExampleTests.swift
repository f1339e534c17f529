import Foundation
import PostgresClient
import TestServices
import Testing

/// The pipeline files that need a PostgreSQL server, each on a database of its own.
@Suite("Example pipelines of PostgreSQL", .timeLimit(.minutes(3)))
struct PostgresExampleTests {
    private func run(
        _ file: String,
        in directory: TemporaryDirectory,
        _ database: PostgresDatabase
    ) async throws -> CommandResult {
        try await Command.run(
            [
                Products.millrace, "run", "--until-end", "--data-dir", directory.file("data"), file,
            ],
            in: directory.file("pipelines"),
            environment: ["DATABASE_URL": database.url]
        )
    }

    private func makeCopy() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: Products.root + "/pipelines",
            toPath: directory.file("pipelines")
        )
        return directory
    }

    @Test("new and changed rows of a table arrive in SQLite, and verify finds both equal")
    func incremental() async throws {
        let directory = try makeCopy()
        let database = try PostgresServer.shared().makeDatabase()
        let connection = try database.connect()
        try connection.execute(try directory.read("pipelines/input/shop.sql"))
        let file = "postgres-incremental.yaml"
        let first = try await run(file, in: directory, database)
        #expect(first.exitCode == 0, "\(first.errors)")
        try connection.execute("UPDATE orders SET paid = true, amount = 8.00 WHERE id = 2")
        try connection.execute("INSERT INTO orders (customer, amount) VALUES ('Alan', 3.33)")
        let second = try await run(file, in: directory, database)
        #expect(second.exitCode == 0, "\(second.errors)")
        let rows = try await Command.run(
            [
                "sqlite3", "pipelines/out/shop.db",
                "SELECT id, customer, amount, paid FROM orders ORDER BY id",
            ],
            in: directory.path
        )
        #expect(
            rows.output
                == "1|Ada|12.5|0\n2|Grace|8|1\n3|Edsger|199.99|0\n4|Barbara|0.1|0\n5|Alan|3.33|0\n"
        )
        let verified = try await Command.run(
            [Products.millrace, "verify", "--settle", "0", file],
            in: directory.file("pipelines"),
            environment: ["DATABASE_URL": database.url]
        )
        #expect(verified.exitCode == 0, "\(verified.output) \(verified.errors)")
        #expect(verified.output.contains("5 rows in the source, 5 in the sink: equal"))
    }
}
