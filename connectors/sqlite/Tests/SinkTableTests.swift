import ConnectorSDK
import SQLiteConnector
import Testing

@Suite("SQLite sink: tables")
struct SinkTableTests {
    private func definition(_ table: String, _ scratch: ScratchDatabase) throws -> String {
        try scratch.rows("SELECT sql FROM sqlite_schema WHERE name = '\(table)'").joined()
    }

    @Test("a table is created from the first records, so that later values fit unchanged")
    func createFromCells() async throws {
        let scratch = try ScratchDatabase()
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver([
            Row(["id": .int(1), "zip": .int(10115), "name": .string("x"), "raw": .bytes([1])])
        ])
        #expect(
            try definition("orders", scratch)
                == "'CREATE TABLE \"orders\" (\"id\" INTEGER PRIMARY KEY, \"zip\", "
                + "\"name\" TEXT, \"raw\" BLOB)'"
        )
        try await scratch.sink(values).deliver([
            Row(["id": .int(2), "zip": .string("01067"), "name": .decimal("1.50"), "raw": .int(3)])
        ])
        #expect(
            try scratch.rows("SELECT * FROM orders") == [
                "1,10115,'x',X'01'", "2,'01067','1.50',3",
            ]
        )
    }

    @Test("a schema's types become declared types")
    func createFromSchema() async throws {
        let scratch = try ScratchDatabase()
        let batch = RecordBatch()
        let fields = [
            Field("a", .int64), Field("b", .bool), Field("c", .double), Field("d", .string),
            Field("e", .bytes), Field("f", .decimal(precision: 12, scale: 2)),
            Field("g", .decimal(precision: 38, scale: 9)), Field("h", .timestamp),
            Field("i", .json), Field("quo\"te", .uuid),
        ]
        batch.reset(topic: "typed", schema: Schema(fields))
        batch.appendRow()
        let sink = try scratch.sink(["pk.mode": "kafka"])
        _ = try await sink.open([TopicPartition("typed", 0)])
        try await sink.write(batch)
        try await sink.commit([TopicPartition("typed", 0): 1])
        await sink.close()
        #expect(
            try definition("typed", scratch)
                == "'CREATE TABLE \"typed\" (\"__connect_topic\" TEXT NOT NULL, "
                + "\"__connect_partition\" INTEGER NOT NULL, "
                + "\"__connect_offset\" INTEGER NOT NULL, \"a\" INTEGER, \"b\" BOOLEAN, "
                + "\"c\" REAL, \"d\" TEXT, \"e\" BLOB, \"f\" DECIMAL(12, 2), "
                + "\"g\" DECIMAL BLOB(38, 9), \"h\" TEXT, "
                + "\"i\" TEXT, \"quo\"\"te\" TEXT, PRIMARY KEY (\"__connect_topic\", "
                + "\"__connect_partition\", \"__connect_offset\"))'"
        )
    }

    @Test("table names are filled, and quoted whatever they hold")
    func tableNames() async throws {
        let scratch = try ScratchDatabase()
        let format = "in; DROP \"${topic}\"-${partition}$"
        try await scratch.sink(["table.name.format": format])
            .deliver([Row(["a": .int(1)])], topic: "odd.topic")
        #expect(
            try scratch.rows("SELECT name FROM sqlite_schema WHERE name LIKE 'in;%'")
                == ["'in; DROP \"odd.topic\"-0$'"]
        )
    }

    @Test("each record goes to the table that its field and time name")
    func tablePerRecord() async throws {
        let scratch = try ScratchDatabase()
        let batch = makeBatch(
            ["no", "se", "no", "dk"].map { Row(["country": .string($0)]) }
        )
        for row in batch.indices {
            batch.metadata(row).pointee.timestamp = row < 3 ? 0 : 1_793_755_534_123
        }
        let sink = try scratch.sink([
            "table.name.format": "${table}_${field:country}_${timestamp:yyyy}"
        ])
        let place = TopicPartition("shop.orders", 0)
        batch.topic = place.topic
        _ = try await sink.open([place])
        try await sink.write(batch)
        try await sink.commit([place: 4])
        await sink.close()
        #expect(
            try scratch.rows(
                "SELECT name FROM sqlite_schema WHERE name LIKE 'orders%' ORDER BY 1"
            ) == ["'orders_dk_2026'", "'orders_no_1970'", "'orders_se_1970'"]
        )
        #expect(try scratch.rows("SELECT count(*) AS n FROM orders_no_1970") == ["2"])
    }

    @Test("a record that names no table is rejected, and leaves nothing behind (D9)")
    func noTableName() async throws {
        let scratch = try ScratchDatabase()
        let values = ["table.name.format": "${field:country}"]
        for name in [Value.null, .string(""), .string(String(repeating: "x", count: 2_000))] {
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values)
                    .deliver([Row(["country": .string("no")]), Row(["country": name])])
            }
            #expect(error?.code.rawValue == "table.table_name")
            #expect(error?.disposition == .rejectRecord)
        }
        #expect(try scratch.rows("SELECT 1 FROM sqlite_schema WHERE name = 'no'") == [])
    }

    @Test(
        "auto.evolve says what becomes of a field without a column",
        arguments: [
            ("ignore", ["1"], nil), ("add", ["1,'x'"], nil), ("widen", ["1,'x'"], nil),
            ("fail", [], .failTask), ("reject", [], .rejectRecord), ("false", [], .rejectRecord),
        ] as [(String, [String], ConnectorError.Disposition?)]
    )
    func evolution(
        _ policy: String,
        _ rows: [String],
        _ disposition: ConnectorError.Disposition?
    ) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (a)")
        let row = Row(["a": .int(1), "b": .string("x")])
        if let disposition {
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(["auto.evolve": policy]).deliver([row])
            }
            #expect(error?.code.rawValue == "table.unknown_field")
            #expect(error?.disposition == disposition)
        } else {
            try await scratch.sink(["auto.evolve": policy]).deliver([row])
        }
        #expect(try scratch.rows("SELECT * FROM orders") == rows)
    }

    @Test("without auto.create a missing table stops the task")
    func noCreate() async throws {
        let scratch = try ScratchDatabase()
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(["auto.create": "false"]).deliver([Row(["a": .int(1)])])
        }
        #expect(error?.code.rawValue == "table.no_table")
        #expect(error?.disposition == .failTask)
    }

    @Test("an unknown field rejects the record, unless columns may be added or fields are chosen")
    func unknownFields() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (a)")
        let row = Row(["a": .int(1), "b": .string("x")])
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([row])
        }
        #expect(error?.code.rawValue == "table.unknown_field")
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.hint?.contains("auto.evolve") == true)
        try await scratch.sink(["fields.include": "a"]).deliver([row])
        try await scratch.sink(["auto.evolve": "true"]).deliver([row, Row(["a": .int(2)])])
        #expect(
            try scratch.rows("SELECT * FROM orders") == ["1,NULL", "1,'x'", "2,NULL"]
        )
        #expect(try definition("orders", scratch).contains("\"b\" TEXT"))
    }

    @Test("only the record that has the unknown field is at fault")
    func unknownFieldOfOneRow() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (a)")
        let batch = makeBatch([Row(["a": .int(1)]), Row(["a": .int(2), "b": .int(3)])])
        let part = RecordBatch()
        let sink = try scratch.sink()
        _ = try await sink.open([TopicPartition("orders", 0)])
        await #expect(throws: ConnectorError.self) { try await sink.write(batch) }
        part.copyRows(0..<1, of: batch)
        try await sink.write(part)
        part.copyRows(1..<2, of: batch)
        await #expect(throws: ConnectorError.self) { try await sink.write(part) }
        try await sink.commit([TopicPartition("orders", 0): 2])
        await sink.close()
        #expect(try scratch.rows("SELECT * FROM orders") == ["1"])
    }

    @Test("a rejected batch leaves neither its table nor its columns behind")
    func rejectedCreation() async throws {
        let scratch = try ScratchDatabase()
        let values = ["pk.mode": "record_value", "pk.fields": "id"]
        let sink = try scratch.sink(values)
        _ = try await sink.open([TopicPartition("orders", 0)])
        await #expect(throws: ConnectorError.self) {
            try await sink.write(makeBatch([Row(["id": .int(1)]), Row(["id": .int(1)])]))
        }
        try await sink.commit([TopicPartition("orders", 0): 2])
        await sink.close()
        #expect(try scratch.rows("SELECT 1 FROM sqlite_schema WHERE name = 'orders'") == [])
    }

    @Test(
        "a broken constraint rejects the record and names table and column, not the value",
        arguments: [
            ("id INTEGER PRIMARY KEY, v NOT NULL", Value.null, "orders.v"),
            ("id INTEGER PRIMARY KEY, v CONSTRAINT small CHECK (v < 10)", .int(4_711), "small"),
            ("id INTEGER PRIMARY KEY, v UNIQUE ON CONFLICT IGNORE", .int(1), "orders.v"),
            ("id INTEGER PRIMARY KEY, v UNIQUE ON CONFLICT REPLACE", .int(1), "orders.v"),
            ("id INTEGER PRIMARY KEY, v UNIQUE ON CONFLICT ROLLBACK", .int(1), "orders.v"),
            ("id INTEGER PRIMARY KEY, v INTEGER) STRICT --", .string("4711x"), "orders.v"),
        ]
    )
    func constraints(_ columns: String, _ value: Value, _ words: String) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (\(columns)\n)".replacing("--\n)", with: ""))
        try scratch.execute("INSERT INTO orders VALUES (1, 1)")
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([Row(["id": .int(2), "v": value])])
        }
        // D6: a conflict clause of the table's own must not drop the record in silence.
        #expect(error?.code.rawValue == "sqlite.constraint")
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.message.contains(words) == true)
        #expect(error?.description.contains("4711") == false)
        #expect(try scratch.rows("SELECT * FROM orders") == ["1,1"])
    }

    @Test("an upsert into a table without such a key is a matter of configuration")
    func upsertWithoutKey() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (id, v)")
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(values).deliver([Row(["id": .int(2), "v": .int(1)])])
        }
        #expect(error?.kind == .configuration)
        #expect(error?.configurationKey == "pk.fields")
    }

    @Test("columns match fields without regard to case; two fields of one column are rejected")
    func caseOfNames() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (\"Id\", total)")
        try await scratch.sink().deliver([Row(["ID": .int(1), "Total": .int(2)])])
        #expect(try scratch.rows("SELECT * FROM orders") == ["1,2"])
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([Row(["id": .int(1), "ID": .int(2)])])
        }
        #expect(error?.code.rawValue == "table.ambiguous_field")
    }

    @Test("generated columns are not written")
    func generated() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (a, b AS (a * 2))")
        try await scratch.sink().deliver([Row(["a": .int(4)])])
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([Row(["a": .int(1), "b": .int(2)])])
        }
        #expect(error?.code.rawValue == "table.generated_column")
        #expect(try scratch.rows("SELECT a, b FROM orders") == ["4,8"])
    }

    @Test("a table that someone changes between transactions is seen as it is")
    func changedOutside() async throws {
        let scratch = try ScratchDatabase()
        let partition = TopicPartition("orders", 0)
        let sink = try scratch.sink()
        _ = try await sink.open([partition])
        try await sink.write(makeBatch([Row(["a": .int(1)])]))
        try await sink.commit([partition: 1])
        try scratch.execute("ALTER TABLE orders ADD COLUMN b")
        try await sink.write(makeBatch([Row(["a": .int(2), "b": .int(3)])], from: 1))
        try await sink.commit([partition: 2])
        try scratch.execute("DROP TABLE orders")
        try await sink.write(makeBatch([Row(["c": .int(4)])], from: 2))
        try await sink.commit([partition: 3])
        await sink.close()
        #expect(try scratch.rows("SELECT * FROM orders") == ["4"])
    }
}
