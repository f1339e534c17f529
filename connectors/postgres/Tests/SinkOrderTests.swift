import ConnectorSDK
import PostgresConnector
import Testing

/// However rows are sorted and grouped, the table must be as if each had come alone.
@Suite("PostgreSQL sink: order", .timeLimit(.minutes(10)))
struct SinkOrderTests {
    /// What a table holds by key: column to number.
    private typealias Model = [Int64: [String: Int64?]]

    private struct Random {
        var state: UInt64
        mutating func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
    }

    static let extras = [
        "", "CREATE UNIQUE INDEX u ON orders (d)",
        """
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION no();
        """,
    ]

    @Test(
        "records of random keys, absent fields and tombstones apply in order",
        arguments: [1, 2, 3] as [UInt64],
        extras
    )
    func appliesInOrder(_ seed: UInt64, _ extra: String) async throws {
        for careful in [true, false] {
            let scratch = try SinkScratch(
                "CREATE TABLE orders (id int PRIMARY KEY, a int, b int, c int DEFAULT 5, d int);"
                    + extra
            )
            let values = [
                "pk.mode": "record_key", "insert.mode": "upsert", "delete.enabled": "true",
            ]
            let sink = try scratch.sink(values, careful: careful)
            _ = try await sink.open([TopicPartition("orders", 0)])
            var random = Random(state: seed)
            var model: Model = [:]
            for round in 0..<4 {
                let batch = RecordBatch()
                batch.reset(
                    topic: "orders",
                    schema: Schema(["a", "b", "c"]),
                    keySchema: Schema(["id"])
                )
                for _ in 0..<300 { Self.add(to: batch, &random, &model, distinct: round == 3) }
                try await sink.write(batch)
            }
            try await sink.commit([TopicPartition("orders", 0): 1_200])
            await sink.close()
            let wanted = model.sorted { $0.key < $1.key }.map { id, row in
                let cells = ["a", "b", "c"].map { (row[$0] ?? nil).map(String.init) ?? "" }
                return "(\(id),\(cells.joined(separator: ",")))"
            }
            #expect(try scratch.rows("SELECT id, a, b, c FROM orders ORDER BY id") == wanted)
        }
    }

    /// Adds a random record to a batch and does to the model what it should do to the table.
    private static func add(
        to batch: RecordBatch,
        _ random: inout Random,
        _ model: inout Model,
        distinct: Bool
    ) {
        // Distinct keys in one batch may change places; repeated ones may not.
        let id = distinct ? Int64(batch.count * 7 % 300) : Int64(random.next(120))
        let row = batch.appendRow()
        batch.keyRow(row)?[0] = .int(id)
        if random.next(5) == 0 {
            batch.metadata(row).pointee.isTombstone = true
            model[id] = nil
            return
        }
        var fields = model[id] ?? ["a": nil, "b": nil, "c": 5]
        for (column, name) in ["a", "b", "c"].enumerated() {
            switch random.next(4) {
            case 0: batch[row, column] = .missing
            case 1:
                batch[row, column] = .null
                fields[name] = .some(nil)
            default:
                let value = Int64(random.next(1_000_000))
                batch[row, column] = .int(value)
                fields[name] = value
            }
        }
        model[id] = fields
    }

    @Test(
        "keys that the table takes for one keep their order",
        arguments: [
            ("id citext", [Value.string("b"), .string("B")]), ("id text", [.string("7"), .int(7)]),
            ("id int", [.string("7"), .int(7)]), ("id float8", [.int(7), .decimal("7.0")]),
            ("id numeric", [.int(7), .decimal("7.00")]),
            ("id char(3)", [.string("a"), .string("a ")]),
            (
                "id uuid",
                [
                    .string("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                    .string("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
                ]
            ),
        ] as [(String, [Value])]
    )
    func equalKeys(_ column: String, _ keys: [Value]) async throws {
        for keys in [keys, keys.reversed()] {
            let scratch = try SinkScratch(
                "CREATE TABLE orders (\(column) PRIMARY KEY, n int)"
            )
            let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
            let rows = keys.enumerated().map { Row(["id": $1, "n": .int(Int64($0))]) }
            try await scratch.sink(values).deliver(rows)
            #expect(try scratch.rows("SELECT n FROM orders") == ["(\(keys.count - 1))"])
        }
    }

    @Test("a trigger sees every record, also those that share a key")
    func triggers() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (id int PRIMARY KEY, n int);
            CREATE TABLE log (n int);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN INSERT INTO log VALUES (NEW.n); RETURN NEW; END';
            CREATE TRIGGER t AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION note();
            """
        )
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver(
            (0..<30).map { Row(["id": .int(Int64($0 % 7)), "n": .int(Int64($0))]) }
        )
        #expect(try scratch.rows("SELECT n FROM log ORDER BY n") == (0..<30).map { "(\($0))" })
        #expect(try scratch.rows("SELECT n FROM orders WHERE id = 1") == ["(29)"])
    }

    @Test("records without a key keep their order in the table")
    func unkeyedOrder() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (n int, b text DEFAULT 'x')")
        let rows = (0..<50).map { number -> Row in
            let n = Value.int(Int64(97 * number % 50))
            return number % 3 == 0 ? Row(["n": n]) : Row(["n": n, "b": .null])
        }
        try await scratch.sink().deliver(rows)
        // D5
        #expect(
            try scratch.rows("SELECT n FROM orders ORDER BY ctid")
                == (0..<50).map { "(\(97 * $0 % 50))" }
        )
        #expect(try scratch.rows("SELECT count(*) FROM orders WHERE b = 'x'") == ["(17)"])
    }

    @Test("rows of tables that know of each other are written in the order of the records")
    func foreignKeys() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE a (id int PRIMARY KEY);
            CREATE TABLE b (id int PRIMARY KEY REFERENCES a);
            """
        )
        let values = [
            "table.name.format": "${field:table}", "fields.exclude": "table",
            "pk.mode": "record_key", "insert.mode": "upsert",
        ]
        let rows = [("a", 1), ("b", 1), ("a", 2), ("b", 2)].map { table, id in
            Row(["table": .string(table)], key: ["id": .int(Int64(id))])
        }
        try await scratch.sink(values).deliver([rows[0], rows[1], rows[2], rows[3]])
        #expect(try scratch.rows("SELECT id FROM b ORDER BY 1") == ["(1)", "(2)"])
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(values).deliver([
                Row(["table": .string("a")], key: ["id": .int(3)]),
                Row(["table": .string("b")], key: ["id": .int(4)]),
                Row(["table": .string("a")], key: ["id": .int(4)]),
            ])
        }
        #expect(error?.message.contains("b_id_fkey") == true)
    }
}
