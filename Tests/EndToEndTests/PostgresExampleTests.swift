import PostgresClient
import TestServices
import Testing

/// The pipeline files that need a PostgreSQL server, each on a database of its own.
@Suite("Example pipelines of PostgreSQL", .timeLimit(.minutes(10)))
struct PostgresExampleTests {
    @Test("new and changed rows of a table arrive in SQLite, and verify finds both equal")
    func incremental() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        let database = try PostgresServer.shared().makeDatabase()
        let connection = try database.connect()
        try connection.execute(try directory.read("pipelines/input/shop.sql"))
        let file = "postgres-incremental.yaml"
        let first = try await directory.run(file, on: database)
        #expect(first.exitCode == 0, "\(first.errors)")
        try connection.execute("UPDATE orders SET paid = true, amount = 8.00 WHERE id = 2")
        try connection.execute("INSERT INTO orders (customer, amount) VALUES ('Alan', 3.33)")
        let second = try await directory.run(file, on: database)
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

    @Test("one service's customers are kept up to date in another's database, as verify says")
    func capture() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        let server = try PostgresServer.start()
        let database = try server.makeDatabase()
        let connection = try database.connect()
        try connection.execute(try directory.read("pipelines/input/customers.sql"))
        let file = "postgres-to-sqlite-cdc.yaml"
        let first = try await directory.run(file, on: database)
        #expect(first.exitCode == 0, "\(first.errors)")
        try connection.execute(
            """
            UPDATE customers SET credit = 7.25, notes = repeat('long ', 3000) WHERE id = 1;
            UPDATE customers SET notes = NULL WHERE id = 2;
            INSERT INTO customers (name, email) VALUES ('Barbara', 'barbara@example.org');
            DELETE FROM customers WHERE id = 3;
            ALTER TABLE customers ADD city text; UPDATE customers SET city = 'Oslo' WHERE id = 4;
            ALTER TABLE customers ALTER notes SET STORAGE EXTERNAL;
            UPDATE customers SET notes = repeat('apart ', 3000) WHERE id = 2;
            UPDATE customers SET credit = 8 WHERE id = 2
            """
        )
        let second = try await directory.run(file, on: database)
        #expect(second.exitCode == 0, "\(second.errors)")
        let rows = try await Command.run(
            [
                "sqlite3", "pipelines/out/local.db",
                "SELECT id, name, credit, length(notes), city FROM customers ORDER BY id",
            ],
            in: directory.path
        )
        // The last change of the second customer did not bring the notes, which are left alone.
        #expect(rows.output == "1|Ada|7.25|15000|\n2|Grace|8|18000|\n4|Barbara|0||Oslo\n")
        let verified = try await verify(file, in: directory, database)
        #expect(verified.exitCode == 0, "\(verified.output) \(verified.errors)")
        #expect(verified.output.contains("3 rows in the source, 3 in the sink: equal"))
        try connection.execute("UPDATE customers SET name = 'Augusta' WHERE id = 1")
        let different = try await verify(file, in: directory, database)
        #expect(different.exitCode == 1)
        #expect(different.output.contains("(name)"), "\(different.output)")
    }

    private func verify(
        _ file: String,
        in directory: TemporaryDirectory,
        _ database: PostgresDatabase
    ) async throws -> CommandResult {
        try await Command.run(
            [
                Products.millrace, "verify", "--settle", "0", "--data-dir",
                directory.file("data"), file,
            ],
            in: directory.file("pipelines"),
            environment: ["DATABASE_URL": database.url]
        )
    }
}
