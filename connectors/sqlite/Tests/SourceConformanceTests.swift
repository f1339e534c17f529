import ConnectorSDK
import ConnectorTesting
import SQLiteConnector
import Testing

@Suite("SQLite source: conformance")
struct SourceConformanceTests {
    struct Input: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var sql: String
        var values: [String: String] = [:]
    }

    private static let numbers =
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50) "

    static let inputs = [
        Input(
            testDescription: "row id",
            sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);"
                + "INSERT INTO t \(numbers) SELECT i * 3, 'row ' || i FROM n"
        ),
        Input(
            testDescription: "no primary key",
            sql: "CREATE TABLE t (v); INSERT INTO t \(numbers) SELECT i FROM n"
        ),
        Input(
            testDescription: "composite key without row id",
            sql: "CREATE TABLE t (a TEXT, b REAL, v, PRIMARY KEY (a, b)) WITHOUT ROWID;"
                + "INSERT INTO t \(numbers) SELECT 'it''s \"' || (i % 3), i / 7.0, i FROM n"
        ),
        Input(
            testDescription: "key of bytes",
            sql: "CREATE TABLE t (k BLOB PRIMARY KEY) WITHOUT ROWID;"
                + "INSERT INTO t \(numbers) SELECT CAST(char(i, 0) AS BLOB) FROM n"
        ),
        Input(
            testDescription: "view",
            sql: "CREATE TABLE x (v); INSERT INTO x \(numbers) SELECT i FROM n;"
                + "CREATE VIEW t AS SELECT v FROM x",
            values: ["table.include.list": "t"]
        ),
        Input(
            testDescription: "query",
            sql: "CREATE TABLE x (v); INSERT INTO x \(numbers) SELECT i FROM n",
            values: ["mode": "query", "query": "SELECT v, v + 1 AS w FROM x;", "topic": "q"]
        ),
        Input(
            testDescription: "incrementing",
            sql: "CREATE TABLE t (n INTEGER NOT NULL, i); CREATE INDEX tn ON t (n);"
                + "INSERT INTO t \(numbers) SELECT i / 9, i FROM n",
            values: ["mode": "incrementing", "incrementing.column.name": "n"]
        ),
        Input(
            testDescription: "timestamp",
            sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT NOT NULL);"
                + "INSERT INTO t \(numbers) SELECT i, '2020-01-01 00:00:0' || (i % 4) FROM n",
            values: ["mode": "timestamp", "timestamp.column.name": "at"]
        ),
        Input(
            testDescription: "timestamp and incrementing",
            sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);"
                + "CREATE INDEX ta ON t (at);"
                + "INSERT INTO t \(numbers) SELECT i, 1577836800000 + i % 4 FROM n",
            values: ["mode": "timestamp+incrementing", "timestamp.column.name": "at"]
        ),
    ]

    @Test("keeps the contract", arguments: SourceRequirement.allCases, inputs)
    func contract(_ requirement: SourceRequirement, _ input: Input) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(input.sql)
        let values = input.values.merging(["batch.max.rows": "7"]) { given, _ in given }
        let scenario = SourceScenario(recordCount: 50) { try scratch.source(values) }
        // D3
        try await scenario.verify(requirement)
    }
}
