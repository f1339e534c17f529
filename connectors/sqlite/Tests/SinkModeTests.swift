import ConnectorSDK
import SQLiteConnector
import Testing

@Suite("SQLite sink: insert.mode and pk.mode")
struct SinkModeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var insertMode: String
        var keyMode: String
        /// The rows after id 1 was written twice, or the reason of the second one's rejection.
        var outcome: Result<[String], Reason>
        var testDescription: String { "\(insertMode), \(keyMode)" }
    }

    struct Reason: Error, Equatable { var code: String }

    static let cases = [
        Case(insertMode: "insert", keyMode: "none", outcome: .success(["1,'a'", "1,'b'"])),
        Case(insertMode: "insert", keyMode: "kafka", outcome: .success(["1,'a'", "1,'b'"])),
        Case(
            insertMode: "insert",
            keyMode: "record_key",
            outcome: .failure(Reason(code: "sqlite.constraint"))
        ),
        Case(
            insertMode: "insert",
            keyMode: "record_value",
            outcome: .failure(Reason(code: "sqlite.constraint"))
        ),
        Case(insertMode: "upsert", keyMode: "kafka", outcome: .success(["1,'a'", "1,'b'"])),
        Case(insertMode: "upsert", keyMode: "record_key", outcome: .success(["1,'b'"])),
        Case(insertMode: "upsert", keyMode: "record_value", outcome: .success(["1,'b'"])),
        Case(insertMode: "update", keyMode: "record_key", outcome: .success(["1,'b'"])),
        Case(insertMode: "update", keyMode: "record_value", outcome: .success(["1,'b'"])),
    ]

    @Test("a second record of one key does what the modes say", arguments: cases)
    func modes(_ test: Case) async throws {
        let scratch = try ScratchDatabase()
        var values = ["pk.mode": test.keyMode, "insert.mode": test.insertMode]
        if test.keyMode.hasPrefix("record") { values["pk.fields"] = "id" }
        if test.insertMode == "update" {
            try scratch.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note)")
            try scratch.execute("INSERT INTO orders VALUES (1, 'before')")
        }
        func record(_ note: String) -> Row {
            Row(["id": .int(1), "note": .string(note)], key: ["id": .int(1)])
        }
        try await scratch.sink(values).deliver([record("a")])
        switch test.outcome {
        case .success(let rows):
            try await scratch.sink(values).deliver([record("b")])
            #expect(try scratch.rows("SELECT id, note FROM orders ORDER BY note") == rows)
        case .failure(let reason):
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values).deliver([record("b")])
            }
            #expect(error?.code.rawValue == reason.code)
            #expect(error?.disposition == .rejectRecord)
            #expect(error?.message.contains("orders.id") == true)
            #expect(try scratch.rows("SELECT id, note FROM orders") == ["1,'a'"])
        }
    }

    @Test("kafka keys are the record's place, so a record read twice is one row")
    func kafkaKeys() async throws {
        let scratch = try ScratchDatabase()
        let sink = try scratch.sink(["pk.mode": "kafka", "insert.mode": "upsert"])
        _ = try await sink.open([TopicPartition("orders", 3)])
        for note in ["a", "b"] {
            try await sink.write(
                makeBatch([Row(["note": .string(note)])], partition: 3, from: 41)
            )
        }
        try await sink.commit([TopicPartition("orders", 3): 42])
        await sink.close()
        #expect(try scratch.rows("SELECT * FROM orders") == ["'orders',3,41,'b'"])
    }

    @Test("a key that is not an object is the field that pk.fields names")
    func primitiveKey() async throws {
        let scratch = try ScratchDatabase()
        let values = ["pk.mode": "record_key", "pk.fields": "sku", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver([
            Row(["price": .int(3)], key: ["key": .string("007")]),
            Row(["price": .int(4)], key: ["key": .string("7")]),
        ])
        #expect(try scratch.rows("SELECT * FROM orders") == ["'007',3", "'7',4"])
    }

    @Test("a composite key is all fields of the record's key")
    func compositeKey() async throws {
        let scratch = try ScratchDatabase()
        let values = ["pk.mode": "record_key", "insert.mode": "upsert"]
        let rows = [(2, "x", 1), (1, "y", 2), (2, "x", 3), (1, "x", 4)].map { a, b, n in
            Row(["n": .int(Int64(n))], key: ["a": .int(Int64(a)), "b": .string(b)])
        }
        try await scratch.sink(values).deliver(rows)
        #expect(
            try scratch.rows("SELECT a, b, n FROM orders ORDER BY a, b") == [
                "1,'x',4", "1,'y',2", "2,'x',3",
            ]
        )
    }

    @Test("an upsert changes the record's fields and leaves other columns alone")
    func upsertKeepsColumns() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, a, b DEFAULT 'given', extra);
            CREATE TABLE lines (id REFERENCES orders ON DELETE CASCADE);
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
                "1,'new','b1','kept'", "2,'new',NULL,'kept'", "3,'new','given',NULL",
            ]
        )
    }

    @Test("an update of a row that does not exist is rejected, and the others are kept out too")
    func updateWithoutRow() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, note)")
        try scratch.execute("INSERT INTO orders VALUES (1, 'before')")
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
        #expect(try scratch.rows("SELECT * FROM orders") == ["1,'before'"])
    }

    @Test("a tombstone deletes its row, in its place among the other records")
    func tombstones() async throws {
        let scratch = try ScratchDatabase()
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
            try scratch.rows("SELECT * FROM orders ORDER BY id") == ["1,'a'", "2,'b again'"]
        )
    }

    @Test("a tombstone that must not delete is rejected")
    func tombstoneRejected() async throws {
        let scratch = try ScratchDatabase()
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
            (["insert.mode": "update"], "pk.mode"),
            (["delete.enabled": "true", "pk.mode": "record_value"], "delete.enabled"),
            (["pk.fields": "id"], "pk.fields"),
            (["pk.mode": "kafka", "pk.fields": "a,b"], "pk.fields"),
            (["pk.mode": "record_key", "pk.fields": "id,ID"], "pk.fields"),
            (["table.name.format": "${topik}"], "table.name.format"),
            (["table.name.format": "${topic"], "table.name.format"),
            (["table.name.format": ""], "table.name.format"),
        ] as [([String: String], String)]
    )
    func invalid(_ values: [String: String], _ key: String) throws {
        let scratch = try ScratchDatabase()
        let error = #expect(throws: ConnectorError.self) { _ = try scratch.sink(values) }
        #expect(error?.kind == .configuration)
        #expect(error?.configurationKey == key)
    }
}
