import ConnectorSDK
import ConnectorTesting
import PostgresClient
import TestServices
import Testing

@testable import PostgresConnector

/// Upserts of so many rows that it is looked for which exist.
@Suite("PostgreSQL sink: upserts of many rows", .timeLimit(.minutes(10)))
struct SinkUpsertTests {
    private static let count = Int64(600)
    private static let partition = TopicPartition("orders", 0)
    private static let upsert = [
        "pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert",
    ]
    private static let table = "CREATE TABLE orders (id int PRIMARY KEY, v int, w int DEFAULT 7)"

    /// Records of keys from `first`, with a value that is the key and `add`.
    private func rows(from first: Int64 = 0, adding add: Int64 = 0) -> [Row] {
        (first..<first + Self.count).map { Row(["id": .int($0), "v": .int($0 + add)]) }
    }

    private func written(_ scratch: SinkScratch) throws -> String {
        try scratch.text("SELECT count(*) || ' ' || sum(v - id) || ' ' || sum(w) FROM orders")
    }

    private static let schema = Schema(["id", "v"])

    /// A batch of which the sink remembers whether the rows before existed.
    private func batch(_ rows: [Row]) -> RecordBatch { makeBatch(rows, schema: Self.schema) }

    @Test("rows are new, then exist, then do both, and each is what its last record says")
    func newAndExisting() async throws {
        let scratch = try SinkScratch(Self.table)
        let sink = try scratch.sink(Self.upsert, careful: false)
        _ = try await sink.open([Self.partition])
        // The third and fourth find others than those before: half of the rows, and none.
        var offset: Int64 = 0
        for (first, add) in [(0, 0), (0, 1), (300, 2), (5_000, 3), (5_000, 4), (5_000, 5)] {
            try await sink.write(batch(rows(from: Int64(first), adding: Int64(add))))
            offset += Self.count
            try await sink.commit([Self.partition: offset])
        }
        // No statement of its own for each kind of rows, within one transaction.
        for (first, add) in [(9_000, 6), (9_000, 7), (9_300, 8), (0, 9)] {
            try await sink.write(batch(rows(from: Int64(first), adding: Int64(add))))
            offset += Self.count
        }
        try await sink.commit([Self.partition: offset])
        await sink.close()
        let sums = [600 * 9, 300 * 2, 600 * 5, 300 * 7, 600 * 8]
        let rows = 900 + 600 + 900
        #expect(try written(scratch) == "\(rows) \(sums.reduce(0, +)) \(rows * 7)")
    }

    @Test("rows that exist are replaced by UPDATE")
    func existing() async throws {
        let scratch = try SinkScratch(Self.table)
        try scratch.execute("INSERT INTO orders SELECT g, 0, 1 FROM generate_series(0, 599) g")
        let sink = try scratch.sink(Self.upsert, careful: false)
        try await sink.deliver(rows(adding: 1))
        #expect(try written(scratch) == "600 600 600")
        // INSERT … ON CONFLICT locks a row before it replaces it, and the new one says so.
        #expect(try scratch.text("SELECT count(*) FROM orders WHERE xmax::text <> '0'") == "0")
    }

    @Test("of rows that come twice the last one counts, whether they were new or existed")
    func repeated() async throws {
        // With another unique index rows keep their order, so that keys are not looked at before.
        let scratch = try SinkScratch(Self.table + "; CREATE UNIQUE INDEX ON orders (w, id)")
        let sink = try scratch.sink(Self.upsert, careful: false)
        _ = try await sink.open([Self.partition])
        let halves = { (add: Int64) in
            Array(self.rows(adding: add)[..<300] + self.rows(adding: add + 1)[..<300])
        }
        try await sink.write(batch(halves(1)))
        try await sink.commit([Self.partition: Self.count])
        #expect(try written(scratch) == "300 600 2100")
        // All exist now, which the sink has seen when it writes the second of these.
        for add: Int64 in [3, 5] {
            let first = rows(adding: add)[..<300] + rows(from: 9_000)[..<300]
            try await sink.write(batch(Array(first)))
            try await sink.write(batch(halves(add)))
        }
        try await sink.commit([Self.partition: Self.count * 5])
        await sink.close()
        #expect(try written(scratch) == "600 1800 4200")
    }

    @Test("a row that is deleted after others were found is inserted again")
    func deletedMeanwhile() async throws {
        let scratch = try SinkScratch(Self.table)
        try scratch.execute("INSERT INTO orders SELECT g, 0, 1 FROM generate_series(0, 599) g")
        let sink = try scratch.sink(Self.upsert, careful: false)
        _ = try await sink.open([Self.partition])
        try await sink.write(batch(rows()))
        try await sink.commit([Self.partition: Self.count])
        try scratch.execute("DELETE FROM orders WHERE id % 100 = 5")
        try await sink.write(batch(rows(adding: 1)))
        try await sink.commit([Self.partition: Self.count * 2])
        await sink.close()
        #expect(try written(scratch) == "600 600 \(594 + 6 * 7)")
    }

    @Test("a row that another session adds is replaced when the transaction is repeated")
    func addedMeanwhile() async throws {
        let scratch = try SinkScratch(Self.table)
        let sink = try scratch.sink(Self.upsert, careful: false)
        _ = try await sink.open([Self.partition])
        let other = try scratch.database.connect()
        try other.execute("BEGIN; INSERT INTO \(scratch.schema).orders VALUES (77, 0)")
        // Nobody sees the row yet, so it is not found; the server waits for its end.
        try await sink.write(batch(rows(adding: 1)))
        try other.execute("COMMIT")
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.commit([Self.partition: Self.count])
        }
        #expect(error?.code == .refusedTogether, "\(String(describing: error))")
        await sink.close()
        #expect(try scratch.text("SELECT count(*) FROM orders") == "1")
        // D2: the engine writes it once more, with each batch set apart.
        try await scratch.sink(Self.upsert).deliver(rows(adding: 1))
        #expect(try written(scratch) == "600 600 \(600 * 7)")
    }

    @Test("a value that the table refuses is found among rows that are new, or exist")
    func refused() async throws {
        for isThere in [false, true] {
            let scratch = try SinkScratch(
                "CREATE TABLE orders (id int PRIMARY KEY, v int CHECK (v <> 77), w int DEFAULT 7)"
            )
            if isThere {
                try scratch.execute("INSERT INTO orders SELECT g FROM generate_series(0, 599) g")
            }
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(Self.upsert, careful: false).deliver(rows())
            }
            #expect(error?.code == .refusedTogether, "\(String(describing: error))")
            let cause = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(Self.upsert).deliver(rows())
            }
            #expect(cause?.disposition == .rejectRecord)
        }
    }

    @Test("children of a table keep rows of the same key")
    func children() async throws {
        let scratch = try SinkScratch(Self.table)
        try scratch.execute(
            """
            CREATE TABLE child () INHERITS (orders);
            INSERT INTO child SELECT g, -1 FROM generate_series(0, 599) g
            """
        )
        let sink = try scratch.sink(Self.upsert, careful: false)
        _ = try await sink.open([Self.partition])
        for turn in 1...2 { try await sink.write(batch(rows(adding: Int64(turn)))) }
        try await sink.commit([Self.partition: 2 * Self.count])
        await sink.close()
        #expect(try scratch.text("SELECT sum(v) FROM child") == "-600")
        #expect(try scratch.text("SELECT sum(v - id) FROM ONLY orders") == "1200")
    }

    @Test("a table whose policies hide rows is written as before")
    func policies() async throws {
        let scratch = try SinkScratch(Self.table)
        let role = scratch.schema + "_writer"
        try scratch.execute(
            """
            CREATE ROLE \(role);
            GRANT USAGE, CREATE ON SCHEMA \(scratch.schema) TO \(role);
            GRANT ALL ON orders TO \(role);
            ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
            CREATE POLICY all_rows ON orders USING (true)
            """
        )
        let url = "\(scratch.url)%20-crole%3D\(role)"
        let values = Self.upsert.merging(["url": url]) { $1 }
        for turn in 1...2 {
            let sink = try scratch.sink(values, name: "turn\(turn)", careful: false)
            try await sink.deliver(rows(adding: Int64(turn)))
        }
        #expect(try written(scratch) == "600 1200 \(600 * 7)")
        try scratch.execute("DROP OWNED BY \(role); DROP ROLE \(role)")
    }
}
