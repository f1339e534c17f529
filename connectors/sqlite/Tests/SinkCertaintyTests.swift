import ConnectorSDK
import SQLiteConnector
import Testing

/// Batches that cannot be refused are written without a way back; what is written and what is
/// rejected is the same as with one.
@Suite("SQLite sink: batches that cannot be refused")
struct SinkCertaintyTests {
    static let columns = [
        "v", "v TEXT", "v INTEGER", "v REAL", "v NUMERIC", "v BLOB", "v DATE", "v TEXT NOT NULL",
        "v INTEGER NOT NULL DEFAULT 5", "v CHECK (v <> '5')", "v TEXT UNIQUE",
        "v TEXT COLLATE NOCASE",
        "v, w NOT NULL DEFAULT 1", "v, w AS (v || 'x')",
    ]

    static let values: [Value] =
        SinkValueTests.exact.map(\.0) + [
            .int(1 << 53), .int(1 << 53 + 1), .int(-(1 << 53) - 1), .int(5), .double(.nan),
            .double(.infinity), .double(-0.0), .double(5), .decimal("5.00"),
            .decimal("9007199254740993"), .decimal("1e-400"), .string("5"), .string(" 5"),
            .string("+5"), .string(".5"), .string("-"), .string("5e1"), .string("9007199254740993"),
            .string("0x10"), .string("inf"), .string("\u{0}"), .string("5\u{0}"), .json("5"),
            .json("\"5\""), .date(.max), .date(.min), .time(-1), .time(.max), .timestamp(.max),
            .timestamp(.min), .localTimestamp(.max), .bytes([0x35]), .missing,
        ]

    /// What one sink makes of rows with two fields, each in a batch of its own.
    ///
    /// Before each comes one that every table takes, so that the sink knows the table and need not
    /// look closer for that.
    private func outcome(
        _ table: String,
        _ names: [String],
        _ rows: [[Value]],
        answersEachBatch: Bool
    ) async throws -> (rows: [String], rejected: [String]) {
        let scratch = try ScratchDatabase()
        try scratch.execute(table)
        var context = scratch.context()
        context.answersEachBatch = answersEachBatch
        let values = [
            "path": scratch.path, "insert.mode": "upsert", "pk.mode": "record_value",
            "pk.fields": names[0],
        ]
        let sink = try SQLiteSink(configuration: Configuration(values), context: context)
        let partition = TopicPartition("orders", 0)
        _ = try await sink.open([partition])
        let schema = Schema(names)
        var rejected: [String] = []
        for (index, row) in rows.enumerated() {
            let usual: [Value] = [.int(Int64(-index - 10)), .string("usual \(index)")]
            for row in [usual, row] {
                let batch = RecordBatch()
                batch.reset(topic: "orders", schema: schema)
                batch.appendRow()
                for (column, value) in row.enumerated() {
                    batch[0, column] = batch.makeCell(value)
                }
                do throws(ConnectorError) {
                    try await sink.write(batch)
                } catch {
                    #expect(error.disposition == .rejectRecord, "\(row) \(error)")
                    rejected.append("\(row) \(error.code.rawValue)")
                }
            }
        }
        try await sink.commit([partition: Int64(2 * rows.count)])
        await sink.close()
        return (try scratch.rows("SELECT * FROM orders"), rejected)
    }

    private func compare(_ table: String, _ names: [String], _ rows: [[Value]]) async throws {
        let quick = try await outcome(table, names, rows, answersEachBatch: false)
        let careful = try await outcome(table, names, rows, answersEachBatch: true)
        #expect(quick.rows == careful.rows)
        // D6
        #expect(quick.rejected == careful.rejected)
        #expect(quick.rows.count >= rows.count)
    }

    @Test("hold the values that others hold, and the same ones are rejected", arguments: columns)
    func valuesOfColumns(_ column: String) async throws {
        try await compare(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, \(column))",
            ["id", "v"],
            Self.values.enumerated().map { [.int(Int64($0 + 1)), $1] }
        )
    }

    @Test(
        "have the keys that others have",
        arguments: ["INTEGER", "INT", "TEXT", "REAL", "", "NUMERIC", "BLOB", "TEXT COLLATE NOCASE"]
    )
    func keys(_ type: String) async throws {
        for end in ["", " WITHOUT ROWID"] {
            try await compare(
                "CREATE TABLE orders (k \(type) PRIMARY KEY, n)\(end)",
                ["k", "n"],
                Self.values.enumerated().map { [$1, .int(Int64($0))] }
            )
        }
    }
}
