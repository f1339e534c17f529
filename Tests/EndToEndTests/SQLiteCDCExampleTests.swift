import Foundation
import TestServices
import Testing

/// The pipeline file that captures a SQLite database, on a database as its first lines make it.
@Suite("Example pipeline of SQLite's changes", .timeLimit(.minutes(10)))
struct SQLiteCDCExampleTests {
    private func run(_ arguments: String..., in directory: TemporaryDirectory) async throws
        -> CommandResult
    {
        try await Command.run(arguments, in: directory.file("pipelines"))
    }

    @Test("a copy follows an application's database, and the triggers can be removed again")
    func example() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        let output = directory.file("pipelines/out")
        try? FileManager.default.removeItem(atPath: output)
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        func sqlite(_ file: String, _ sql: String) async throws -> String {
            let result = try await run("sqlite3", "-bail", "out/" + file, sql, in: directory)
            #expect(result.exitCode == 0, "\(result.errors)")
            return result.output
        }
        func millrace() async throws {
            let result = try await run(
                Products.millrace,
                "run",
                "--until-end",
                "--data-dir",
                directory.file("data"),
                "sqlite-cdc.yaml",
                in: directory
            )
            #expect(result.exitCode == 0, "\(result.errors)")
        }
        _ = try await sqlite("app.db", ".read input/app.sql")
        try await millrace()
        _ = try await sqlite(
            "app.db",
            """
            PRAGMA foreign_keys = ON; BEGIN;
            UPDATE orders SET paid = 1, amount = 13.75 WHERE id = 1;
            REPLACE INTO customers VALUES (2, 'hopper@example.com', 'Grace');
            DELETE FROM orders WHERE id = 3;
            INSERT INTO customers VALUES (3, 'a@b.c', 'Edsger');
            INSERT INTO orders VALUES (4, 3, 5, 0); COMMIT;
            """
        )
        try await millrace()
        for table in ["customers", "orders"] {
            let query = "SELECT * FROM \(table) ORDER BY id"
            let wanted = try await sqlite("app.db", query)
            #expect(try await sqlite("copy.db", query) == wanted)
            #expect(wanted.split(separator: "\n").count == 3)
        }
        let file = directory.file("pipelines/sqlite-cdc.yaml")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try text.replacing("path: out/app.db", with: "path: out/app.db\n    capture.action: remove")
            .write(toFile: file, atomically: true, encoding: .utf8)
        try await millrace()
        let left = try await sqlite(
            "app.db",
            "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%millrace%'"
        )
        #expect(left == "0\n")
    }
}
