import ConnectorSDK
import ConnectorTesting
import Testing

@Suite("PostgreSQL source: conformance", .timeLimit(.minutes(10)))
struct SourceConformanceTests {
    struct Input: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var sql: String
        var values: [String: String] = [:]
    }

    private static let numbers = "FROM generate_series(1, 50) i"

    static let inputs = [
        Input(
            testDescription: "primary key",
            sql: "CREATE TABLE t (id int PRIMARY KEY, v text);"
                + "INSERT INTO t SELECT i * 3, 'row ' || i \(numbers)"
        ),
        Input(
            testDescription: "no primary key",
            sql: "CREATE TABLE t (v int); INSERT INTO t SELECT i \(numbers)"
        ),
        Input(
            testDescription: "composite key of odd texts",
            sql: "CREATE TABLE t (a text, b float8, v int, PRIMARY KEY (a, b));"
                + "INSERT INTO t SELECT 'it''s \" \\' || (i % 3), i / 7.0, i \(numbers)"
        ),
        Input(
            testDescription: "key of bytes",
            sql: "CREATE TABLE t (k bytea PRIMARY KEY);"
                + "INSERT INTO t SELECT decode(lpad(to_hex(i), 8, '0'), 'hex') \(numbers)"
        ),
        Input(
            testDescription: "partitioned table",
            sql: "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                + "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (20);"
                + "CREATE TABLE t2 PARTITION OF t DEFAULT; INSERT INTO t SELECT i \(numbers)"
        ),
        Input(
            testDescription: "query",
            sql: "CREATE TABLE x (v int); INSERT INTO x SELECT i \(numbers)",
            values: ["mode": "query", "query": "SELECT v, v + 1 AS w FROM x;", "topic": "q"]
        ),
        Input(
            testDescription: "incrementing",
            sql: "CREATE TABLE t (n int NOT NULL, i int PRIMARY KEY);"
                + "INSERT INTO t SELECT i / 9, i \(numbers)",
            values: ["mode": "incrementing", "incrementing.column.name": "n"]
        ),
        Input(
            testDescription: "timestamp",
            sql: "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL);"
                + "INSERT INTO t SELECT i, '2020-01-01'::timestamptz + i % 4 * interval '1 s' "
                + numbers,
            values: ["mode": "timestamp", "timestamp.column.name": "at"]
        ),
    ]

    @Test("keeps the contract", arguments: SourceRequirement.allCases, inputs)
    func contract(_ requirement: SourceRequirement, _ input: Input) async throws {
        let scratch = try SourceScratch()
        try scratch.execute(input.sql)
        let values = input.values.merging(["batch.max.rows": "7"]) { given, _ in given }
        let scenario = SourceScenario(recordCount: 50) { try scratch.source(values) }
        // D3
        try await scenario.verify(requirement)
    }
}
