import ConnectorSDK
import SQLiteConnector
import Testing

/// However rows are sorted and grouped, the table must be as if each had come alone.
@Suite("SQLite sink: order")
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

    @Test(
        "records of random keys, absent fields and tombstones apply in order",
        arguments: [1, 2, 3, 4] as [UInt64],
        [
            "", "CREATE TRIGGER t AFTER UPDATE ON orders BEGIN SELECT 1; END",
            "CREATE UNIQUE INDEX u ON orders (d)",
        ]
    )
    func appliesInOrder(_ seed: UInt64, _ extra: String) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, a, b, c DEFAULT 5, d)")
        try scratch.execute(extra)
        let sink = try scratch.sink([
            "pk.mode": "record_key", "insert.mode": "upsert", "delete.enabled": "true",
        ])
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
            for _ in 0..<500 { Self.add(to: batch, &random, &model, distinct: round == 3) }
            try await sink.write(batch)
        }
        try await sink.commit([TopicPartition("orders", 0): 2_000])
        await sink.close()
        let wanted = model.sorted { $0.key < $1.key }.map { id, row in
            let cells = ["a", "b", "c"].map { (row[$0] ?? nil).map(String.init) ?? "NULL" }
            return "\(id),\(cells.joined(separator: ","))"
        }
        #expect(try scratch.rows("SELECT id, a, b, c FROM orders ORDER BY id") == wanted)
    }

    /// Adds a random record to a batch and does to the model what it should do to the table.
    private static func add(
        to batch: RecordBatch,
        _ random: inout Random,
        _ model: inout Model,
        distinct: Bool
    ) {
        // Distinct keys in one batch may change places; repeated ones may not.
        let id = distinct ? Int64(batch.count * 7 % 500) : Int64(random.next(120))
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

    @Test("a unique column may pass from one row to another within a batch")
    func uniqueHandedOver() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, seat UNIQUE)")
        try scratch.execute("INSERT INTO orders VALUES (2, 'window')")
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        // Sorted by key, the second record would come first and break the constraint.
        try await scratch.sink(values).deliver([
            Row(["id": .int(2), "seat": .string("aisle")]),
            Row(["id": .int(1), "seat": .string("window")]),
        ])
        #expect(
            try scratch.rows("SELECT * FROM orders ORDER BY id") == ["1,'window'", "2,'aisle'"]
        )
    }

    @Test(
        "keys that the table takes for one keep their order",
        arguments: [
            ("id TEXT COLLATE NOCASE PRIMARY KEY", [Value.string("b"), .string("B")]),
            ("id TEXT PRIMARY KEY", [.string("7"), .int(7)]),
            ("id INTEGER PRIMARY KEY", [.string("7"), .int(7)]),
            ("id REAL PRIMARY KEY", [.int(7), .decimal("7.0")]),
        ] as [(String, [Value])]
    )
    func equalKeys(_ column: String, _ keys: [Value]) async throws {
        for keys in [keys, keys.reversed()] {
            let scratch = try ScratchDatabase()
            try scratch.execute("CREATE TABLE orders (\(column), n)")
            let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
            let rows = keys.enumerated().map { Row(["id": $1, "n": .int(Int64($0))]) }
            try await scratch.sink(values).deliver(rows)
            #expect(try scratch.rows("SELECT n FROM orders") == ["\(keys.count - 1)"])
        }
    }

    @Test("records without a key keep their order in the table")
    func unkeyedOrder() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (n, b DEFAULT 'x')")
        let rows = (0..<50).map { number -> Row in
            let n = Value.int(Int64(97 * number % 50))
            return number % 3 == 0 ? Row(["n": n]) : Row(["n": n, "b": .null])
        }
        try await scratch.sink().deliver(rows)
        // D5
        #expect(
            try scratch.rows("SELECT n FROM orders ORDER BY rowid")
                == (0..<50).map { "\(97 * $0 % 50)" }
        )
        #expect(try scratch.rows("SELECT count(*) FROM orders WHERE b = 'x'") == ["17"])
    }
}
