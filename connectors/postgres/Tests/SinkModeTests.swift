import ConnectorSDK
import PostgresConnector
import Testing

@Suite("PostgreSQL sink: insert.mode and pk.mode", .timeLimit(.minutes(10)))
struct SinkModeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var insertMode: String
        var keyMode: String
        /// The rows after id 1 was written twice; `nil` when the second is rejected.
        var rows: [String]?
        var testDescription: String { "\(insertMode), \(keyMode)" }
    }

    static let cases = [
        Case(insertMode: "insert", keyMode: "none", rows: ["(1,a)", "(1,b)"]),
        Case(insertMode: "insert", keyMode: "kafka", rows: ["(1,a)", "(1,b)"]),
        Case(insertMode: "insert", keyMode: "record_key", rows: nil),
        Case(insertMode: "insert", keyMode: "record_value", rows: nil),
        Case(insertMode: "upsert", keyMode: "kafka", rows: ["(1,a)", "(1,b)"]),
        Case(insertMode: "upsert", keyMode: "record_key", rows: ["(1,b)"]),
        Case(insertMode: "upsert", keyMode: "record_value", rows: ["(1,b)"]),
        Case(insertMode: "update", keyMode: "record_key", rows: ["(1,b)"]),
        Case(insertMode: "update", keyMode: "record_value", rows: ["(1,b)"]),
    ]

    @Test("a second record of one key does what the modes say", arguments: cases)
    func modes(_ test: Case) async throws {
        let scratch = try SinkScratch()
        var values = ["pk.mode": test.keyMode, "insert.mode": test.insertMode]
        if test.keyMode.hasPrefix("record") { values["pk.fields"] = "id" }
        if test.insertMode == "update" {
            try scratch.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
            try scratch.execute("INSERT INTO orders VALUES (1, 'before')")
        }
        func record(_ note: String) -> Row {
            Row(["id": .int(1), "note": .string(note)], key: ["id": .int(1)])
        }
        try await scratch.sink(values).deliver([record("a")])
        if let rows = test.rows {
            try await scratch.sink(values).deliver([record("b")])
            #expect(try scratch.rows("SELECT id, note FROM orders ORDER BY note") == rows)
        } else {
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values).deliver([record("b")])
            }
            #expect(error?.code.rawValue == "postgres.constraint")
            #expect(error?.disposition == .rejectRecord)
            #expect(error?.message.contains("orders_pkey") == true)
            #expect(try scratch.rows("SELECT id, note FROM orders") == ["(1,a)"])
        }
    }

    @Test("kafka keys are the record's place, so a record read twice is one row")
    func kafkaKeys() async throws {
        let scratch = try SinkScratch()
        let sink = try scratch.sink(["pk.mode": "kafka", "insert.mode": "upsert"])
        _ = try await sink.open([TopicPartition("orders", 3)])
        for note in ["a", "b"] {
            try await sink.write(
                makeBatch([Row(["note": .string(note)])], partition: 3, from: 41)
            )
        }
        try await sink.commit([TopicPartition("orders", 3): 42])
        await sink.close()
        #expect(try scratch.rows("SELECT * FROM orders") == ["(orders,3,41,b)"])
    }

    @Test("a key that is not an object is the field that pk.fields names")
    func primitiveKey() async throws {
        let scratch = try SinkScratch()
        let values = ["pk.mode": "record_key", "pk.fields": "sku", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver([
            Row(["price": .int(3)], key: ["key": .string("007")]),
            Row(["price": .int(4)], key: ["key": .string("7")]),
        ])
        #expect(try scratch.rows("SELECT * FROM orders") == ["(007,3)", "(7,4)"])
    }

    @Test("a key that is not a number, told as text, is the same key each time")
    func notANumber() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (k float8 PRIMARY KEY, v int)")
        let values = [
            "pk.mode": "record_key", "insert.mode": "upsert", "delete.enabled": "true",
        ]
        let sink = try scratch.sink(values)
        try await sink.deliver(
            ["NaN", "Infinity", "-Infinity", "NaN", "Infinity"].enumerated().map { place, key in
                Row(["v": .int(Int64(place))], key: ["k": .string(key)])
            } + [Row(["v": .int(9)], key: ["k": .double(0.5)])]
        )
        #expect(
            try scratch.rows("SELECT * FROM orders ORDER BY k")
                == ["(-Infinity,2)", "(0.5,9)", "(Infinity,4)", "(NaN,3)"]
        )
        try await scratch.sink(values).deliver([Row(nil, key: ["k": .string("NaN")])])
        #expect(try scratch.text("SELECT count(*) FROM orders") == "3")
    }

    @Test("a composite key is all fields of the record's key")
    func compositeKey() async throws {
        let scratch = try SinkScratch()
        let values = ["pk.mode": "record_key", "insert.mode": "upsert"]
        let rows = [(2, "x", 1), (1, "y", 2), (2, "x", 3), (1, "x", 4)].map { a, b, n in
            Row(["n": .int(Int64(n))], key: ["a": .int(Int64(a)), "b": .string(b)])
        }
        try await scratch.sink(values).deliver(rows)
        #expect(
            try scratch.rows("SELECT a, b, n FROM orders ORDER BY a, b") == [
                "(1,x,4)", "(1,y,2)", "(2,x,3)",
            ]
        )
    }

    @Test("an upsert changes the record's fields and leaves other columns alone")
    func upsertKeepsColumns() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (id int PRIMARY KEY, a text, b text DEFAULT 'given', extra text);
            CREATE TABLE lines (id int REFERENCES orders ON DELETE CASCADE);
            INSERT INTO orders VALUES (1, 'a1', 'b1', 'kept'), (2, 'a2', 'b2', 'kept');
            """
        )
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver([
            // Absent is not null: the first leaves b alone, the second clears it.
            Row(["id": .int(1), "a": .string("new")]),
            Row(["id": .int(2), "a": .string("new"), "b": .null]),
            Row(["id": .int(3), "a": .string("new")]),
        ])
        #expect(
            try scratch.rows("SELECT * FROM orders ORDER BY id") == [
                "(1,new,b1,kept)", "(2,new,,kept)", "(3,new,given,)",
            ]
        )
    }

    @Test("a record without a column's unchanged value changes the rest of its row only")
    func unchangedValue() async throws {
        // As replication leaves out large values that did not change, also of NOT NULL columns.
        for extra in ["", "CREATE TRIGGER t AFTER UPDATE ON orders EXECUTE FUNCTION no();"] {
            let scratch = try SinkScratch(
                """
                CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                CREATE TABLE orders (id int PRIMARY KEY, note text, big text NOT NULL);
                INSERT INTO orders VALUES (1, 'old', 'large'), (2, 'old', 'large');
                \(extra)
                """
            )
            let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
            try await scratch.sink(values).deliver([
                Row(["id": .int(1), "note": .string("new")]),
                Row(["id": .int(2), "note": .string("new"), "big": .string("larger")]),
                Row(["id": .int(1), "note": .string("newest")]),
            ])
            #expect(
                try scratch.rows("SELECT * FROM orders ORDER BY id")
                    == ["(1,newest,large)", "(2,new,larger)"]
            )
            // A row that does not exist cannot do without.
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values).deliver([
                    Row(["id": .int(3), "note": .string("new")])
                ])
            }
            #expect(error?.code.rawValue == "postgres.constraint")
            #expect(error?.message.contains("big") == true)
        }
    }

    @Test("an update of a row that does not exist is rejected, and the others are kept out too")
    func updateWithoutRow() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (id int PRIMARY KEY, note text);
            INSERT INTO orders VALUES (1, 'before')
            """
        )
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "update"]
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(values).deliver([
                Row(["id": .int(1), "note": .string("after")]),
                Row(["id": .int(2), "note": .string("after")]),
            ])
        }
        // D6: not dropped in silence.
        #expect(error?.code.rawValue == "table.no_row")
        #expect(error?.disposition == .rejectRecord)
        #expect(try scratch.rows("SELECT * FROM orders") == ["(1,before)"])
    }

    @Test("a tombstone deletes its row, in its place among the other records")
    func tombstones() async throws {
        let scratch = try SinkScratch()
        let values = ["pk.mode": "record_key", "insert.mode": "upsert", "delete.enabled": "true"]
        func put(_ id: Int64, _ note: String) -> Row {
            Row(["note": .string(note)], key: ["id": .int(id)])
        }
        func delete(_ id: Int64) -> Row { Row(nil, key: ["id": .int(id)]) }
        // Nothing to delete from is nothing to do.
        try await scratch.sink(values).deliver([delete(9)])
        try await scratch.sink(values).deliver([
            put(3, "c"), put(1, "a"), delete(3), put(2, "b"), delete(2), put(2, "b again"),
            delete(7),
        ])
        #expect(
            try scratch.rows("SELECT * FROM orders ORDER BY id") == ["(1,a)", "(2,\"b again\")"]
        )
    }

    @Test("a tombstone that must not delete is rejected")
    func tombstoneRejected() async throws {
        let scratch = try SinkScratch()
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(["pk.mode": "record_key"]).deliver([
                Row(nil, key: ["id": .int(1)])
            ])
        }
        #expect(error?.code.rawValue == "table.tombstone")
        #expect(error?.disposition == .rejectRecord)
    }

    @Test(
        "configurations that cannot work name the key",
        arguments: [
            (["insert.mode": "upsert"], "pk.mode"),
            (["delete.enabled": "true", "pk.mode": "record_value"], "delete.enabled"),
            (["offsets.table.name": ""], "offsets.table.name"),
            (["url": "postgres://a@b@c/d"], "url"),
        ]
    )
    func badConfiguration(_ values: [String: String], _ key: String) throws {
        let scratch = try SinkScratch()
        let error = #expect(throws: ConnectorError.self) { try scratch.sink(values) }
        #expect(error?.configurationKey == key)
        #expect(error?.kind == .configuration)
    }

    @Test("an upsert into a table without an index of exactly the key's fields is refused")
    func noIndex() async throws {
        for table in [
            "id int, b int, PRIMARY KEY (id, b)", "id int UNIQUE DEFERRABLE",
            "id int, EXCLUDE (id WITH =)",
        ] {
            let scratch = try SinkScratch("CREATE TABLE orders (\(table))")
            let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values).deliver([Row(["id": .int(1)])])
            }
            #expect(error?.configurationKey == "pk.fields")
            #expect(error?.message.contains("orders") == true)
        }
    }
}
