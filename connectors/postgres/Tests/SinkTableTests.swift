import ConnectorSDK
import PostgresConnector
import Testing

@Suite("PostgreSQL sink: tables", .timeLimit(.minutes(10)))
struct SinkTableTests {
    private func columns(_ table: String, _ scratch: SinkScratch) throws -> [String] {
        try scratch.rows(
            """
            SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
            WHERE attrelid = '"\(table)"'::regclass AND attnum > 0 ORDER BY attnum
            """
        )
    }

    @Test("a table is created from the first records' values")
    func createFromCells() async throws {
        let scratch = try SinkScratch()
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver([
            Row([
                "id": .int(1), "n": .int(2), "v": .null, "mixed": .int(3), "raw": .bytes([1]),
                "b": .bool(true),
            ]),
            Row([
                "id": .int(2), "n": .decimal("2.50"), "v": .null, "mixed": .string("x"),
                "raw": .null, "b": .null,
            ]),
        ])
        #expect(
            try columns("orders", scratch) == [
                "(id,bigint,t)", "(n,numeric,f)", "(v,text,f)", "(mixed,text,f)", "(raw,bytea,f)",
                "(b,boolean,f)",
            ]
        )
        #expect(
            try scratch.rows("SELECT * FROM orders ORDER BY id")
                == [#"(1,2,,3,"\\x01",t)"#, "(2,2.50,,x,,)"]
        )
    }

    @Test("a schema's types become declared types, also those that came from PostgreSQL")
    func createFromSchema() async throws {
        let scratch = try SinkScratch("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        let fields = [
            Field("a", .int64), Field("b", .bool), Field("c", .double), Field("d", .string),
            Field("e", .bytes), Field("f", .decimal(precision: 12, scale: 2)),
            Field("g", .timestamp), Field("h", .json), Field("quo\"te", .uuid),
            Field("i", .string, nativeType: "postgres.inet"),
            Field("j", .string, nativeType: "postgres.mood"),
            Field("k", .string, nativeType: "postgres.no such; DROP TABLE x"),
            Field("l", .string, nativeType: "postgres.character varying(30)"),
        ]
        try await scratch.sink(["pk.mode": "kafka"])
            .deliver([Row(["i": .string("10.0.0.1"), "j": .string("sad")])], fields: fields)
        #expect(
            try columns("orders", scratch) == [
                "(__connect_topic,text,t)", "(__connect_partition,integer,t)",
                "(__connect_offset,bigint,t)", "(a,bigint,f)", "(b,boolean,f)",
                "(c,\"double precision\",f)", "(d,text,f)", "(e,bytea,f)",
                "(f,\"numeric(12,2)\",f)", "(g,\"timestamp with time zone\",f)", "(h,jsonb,f)",
                "(\"quo\"\"te\",uuid,f)", "(i,inet,f)", "(j,mood,f)", "(k,text,f)",
                "(l,\"character varying(30)\",f)",
            ]
        )
    }

    @Test(
        "table names are filled and quoted, and the format's own dot separates the schema",
        arguments: [
            ("in; DROP \"${topic}\"-${partition}$", "in; DROP \"odd.topic\"-0$", nil),
            ("${topic}", "odd.topic", nil), ("other.${topic}", "odd.topic", "other"),
            ("other.t_${field:a}", "t_1", "other"), ("${table}", "topic", nil),
        ] as [(String, String, String?)]
    )
    func tableNames(_ format: String, _ table: String, _ schema: String?) async throws {
        let scratch = try SinkScratch()
        // A schema of this test's own.
        let other = "o" + scratch.schema
        try scratch.execute("CREATE SCHEMA \(other)")
        defer { try? scratch.execute("DROP SCHEMA \(other) CASCADE") }
        let format = format.replacing("other.", with: other + ".")
        try await scratch.sink(["table.name.format": format])
            .deliver([Row(["a": .int(1)])], topic: "odd.topic")
        #expect(
            try scratch.rows(
                """
                SELECT relname FROM pg_class WHERE relkind = 'r' AND relname NOT LIKE '\\_\\_%'
                AND relnamespace = '\(schema == nil ? scratch.schema : other)'::regnamespace
                """
            ).map { $0.filter { $0 != "\\" } }
                == ["(" + (table.contains(" ") ? "\"in; DROP \"\"odd.topic\"\"-0$\"" : table) + ")"]
        )
    }

    @Test("a record whose table PostgreSQL cannot name is rejected, and leaves nothing (D9)")
    func noTableName() async throws {
        let scratch = try SinkScratch()
        let values = ["table.name.format": "${field:country}"]
        for name in [Value.null, .string(""), .string(String(repeating: "x", count: 64))] {
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values)
                    .deliver([Row(["country": .string("no")]), Row(["country": name])])
            }
            #expect(error?.code.rawValue == "table.table_name")
            #expect(error?.disposition == .rejectRecord)
        }
        #expect(try scratch.text("SELECT to_regclass('no')") == "")
    }

    @Test(
        "auto.evolve says what becomes of a field without a column",
        arguments: [
            ("ignore", ["(1)"], nil), ("add", ["(1,x)"], nil), ("widen", ["(1,x)"], nil),
            ("fail", [], .failTask), ("reject", [], .rejectRecord), ("false", [], .rejectRecord),
        ] as [(String, [String], ConnectorError.Disposition?)]
    )
    func evolution(
        _ policy: String,
        _ rows: [String],
        _ disposition: ConnectorError.Disposition?
    ) async throws {
        for careful in [true, false] {
            let scratch = try SinkScratch("CREATE TABLE orders (a int)")
            let row = Row(["a": .int(1), "b": .string("x")])
            let sink = try scratch.sink(["auto.evolve": policy], careful: careful)
            if let disposition {
                let error = await #expect(throws: ConnectorError.self) {
                    try await sink.deliver([row])
                }
                #expect(error?.code.rawValue == "table.unknown_field")
                #expect(error?.disposition == disposition)
            } else {
                try await sink.deliver([row])
            }
            #expect(try scratch.rows("SELECT * FROM orders") == rows)
        }
    }

    struct Width: Sendable, CustomTestStringConvertible {
        var from: String
        var value: Value
        var to: String
        var testDescription: String { "\(from) to \(to)" }
    }

    @Test(
        "widen gives a column a wider type where a value does not fit, and only there",
        arguments: [
            Width(from: "smallint", value: .int(70_000), to: "integer"),
            Width(from: "smallint", value: .int(1 << 40), to: "bigint"),
            Width(from: "integer", value: .decimal("1.5"), to: "numeric"),
            Width(from: "bigint", value: .decimal("99999999999999999999"), to: "numeric"),
            Width(from: "real", value: .double(0.123456789), to: "double precision"),
            Width(
                from: "double precision",
                value: .decimal("0.12345678901234567890"),
                to: "numeric"
            ),
            Width(from: "numeric(5,2)", value: .decimal("1.234"), to: "numeric"),
            Width(from: "numeric(5,2)", value: .decimal("4711.5"), to: "numeric"),
            Width(from: "numeric(5,2)", value: .decimal("999.5"), to: "numeric(5,2)"),
            Width(from: "character varying(3)", value: .string("four"), to: "text"),
            Width(from: "character varying(4)", value: .string("øøø"), to: "character varying(4)"),
            Width(
                from: "timestamp(0) without time zone",
                value: .string("2026-11-04T01:02:03.5"),
                to: "timestamp without time zone"
            ),
        ]
    )
    func widening(_ width: Width) async throws {
        for careful in [true, false] {
            let scratch = try SinkScratch(
                "CREATE TABLE orders (v \(width.from)); INSERT INTO orders VALUES (NULL)"
            )
            let sink = try scratch.sink(["auto.evolve": "widen"], careful: careful)
            try await sink.deliver([Row(["v": .null]), Row(["v": width.value])])
            #expect(try columns("orders", scratch) == ["(v,\(width.to.quotedIfNeeded),f)"])
            #expect(try scratch.text("SELECT count(*) FROM orders") == "3")
        }
    }

    @Test("without auto.create a missing table stops the task")
    func noCreate() async throws {
        let scratch = try SinkScratch()
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(["auto.create": "false"]).deliver([Row(["a": .int(1)])])
        }
        #expect(error?.code.rawValue == "table.no_table")
        #expect(error?.disposition == .failTask)
        #expect(error?.message.contains("orders") == true)
    }

    @Test("a rejected batch leaves neither its table nor its columns behind")
    func rejectedCreation() async throws {
        let scratch = try SinkScratch("CREATE TABLE lines (id int, v smallint)")
        let values = [
            "pk.mode": "record_value", "pk.fields": "id", "auto.evolve": "widen",
            "table.name.format": "${topic}",
        ]
        let sink = try scratch.sink(values)
        let places = [TopicPartition("lines", 0), TopicPartition("orders", 0)]
        _ = try await sink.open(places)
        await #expect(throws: ConnectorError.self) {
            try await sink.write(makeBatch([Row(["id": .int(1)]), Row(["id": .int(1)])]))
        }
        await #expect(throws: ConnectorError.self) {
            try await sink.write(
                makeBatch(
                    [
                        Row(["id": .int(1), "v": .int(70_000), "new": .int(1)]),
                        Row(["id": .string("no number"), "v": .null]),
                    ],
                    topic: "lines"
                )
            )
        }
        try await sink.write(makeBatch([Row(["id": .int(2), "v": .int(3)])], topic: "lines"))
        try await sink.commit([places[0]: 3, places[1]: 2])
        await sink.close()
        #expect(try scratch.text("SELECT to_regclass('orders')") == "")
        #expect(try columns("lines", scratch) == ["(id,integer,f)", "(v,smallint,f)"])
        #expect(try scratch.rows("SELECT * FROM lines") == ["(2,3)"])
    }

    @Test("generated columns are left to themselves")
    func generated() async throws {
        let scratch = try SinkScratch(
            "CREATE TABLE orders (a int, b int GENERATED ALWAYS AS (a * 2) STORED)"
        )
        try await scratch.sink().deliver([Row(["a": .int(4)])])
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([Row(["a": .int(1), "b": .int(2)])])
        }
        #expect(error?.code.rawValue == "table.generated_column")
        #expect(try scratch.rows("SELECT a, b FROM orders") == ["(4,8)"])
    }

    @Test("a table that someone changes between transactions is seen as it is")
    func changedBetween() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (a int)")
        let partition = TopicPartition("orders", 0)
        let sink = try scratch.sink(careful: false)
        _ = try await sink.open([partition])
        try await sink.write(makeBatch([Row(["a": .int(1)])]))
        try await sink.commit([partition: 1])
        try scratch.execute("ALTER TABLE orders ADD COLUMN b int")
        try await sink.write(makeBatch([Row(["a": .int(2), "b": .int(3)])], from: 1))
        try await sink.commit([partition: 2])
        try scratch.execute("ALTER TABLE orders RENAME TO old; CREATE TABLE orders (a text, c int)")
        try await sink.write(makeBatch([Row(["a": .int(5), "c": .int(4)])], from: 2))
        try await sink.commit([partition: 3])
        try scratch.execute("DROP TABLE orders")
        try await sink.write(makeBatch([Row(["d": .int(6)])], from: 3))
        try await sink.commit([partition: 4])
        await sink.close()
        #expect(try scratch.rows("SELECT * FROM old") == ["(1,)", "(2,3)"])
        #expect(try scratch.rows("SELECT * FROM orders") == ["(6)"])
    }

    @Test("a table that changes before it is first written to takes no value for another (D6)")
    func changedWithin() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (a int)")
        let places = [TopicPartition("orders", 0), TopicPartition("other", 0)]
        let sink = try scratch.sink(careful: false)
        _ = try await sink.open(places)
        try await sink.write(makeBatch([Row(["a": .int(1)])]))
        try await sink.commit([places[0]: 1])
        try await sink.write(makeBatch([Row(["a": .int(1)])], topic: "other"))
        // Four bytes as well: in binary form the number would be taken for a day.
        try scratch.execute(
            "ALTER TABLE orders DROP COLUMN a; ALTER TABLE orders ADD COLUMN a date"
        )
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.write(
                makeBatch((0..<20).map { _ in Row(["a": .int(2)]) }, from: 1)
            )
            try await sink.commit([places[0]: 21, places[1]: 1])
        }
        #expect(error?.code.rawValue == "postgres.table_changed")
        #expect(error?.disposition == .retry(after: .zero))
        await sink.close()
        #expect(try scratch.rows("SELECT * FROM orders") == ["()"])
        let again = try scratch.sink()
        #expect(try await again.open(places) == [places[0]: 1])
        await again.close()
    }

    @Test("more shapes of records than temporary tables are kept, in one transaction")
    func manyShapes() async throws {
        let names = (0..<8).map { "c\($0)" }
        let scratch = try SinkScratch(
            "CREATE TABLE orders (id int PRIMARY KEY, "
                + names.map { "\($0) int" }.joined(separator: ", ") + ")"
        )
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        let sink = try scratch.sink(values, careful: false)
        let partition = TopicPartition("orders", 0)
        _ = try await sink.open([partition])
        for round in 0..<2 {
            let batch = RecordBatch()
            batch.reset(topic: "orders", schema: Schema(["id"] + names))
            for mask in 0..<256 {
                let row = batch.appendRow()
                batch[row, 0] = .int(Int64(mask))
                for bit in 0..<8 {
                    batch[row, bit + 1] = mask >> bit & 1 == 1 ? .int(Int64(round)) : .missing
                }
            }
            for _ in 0..<20 { try await sink.write(batch) }
            try await sink.commit([partition: Int64(round + 1)])
        }
        await sink.close()
        #expect(
            try scratch.rows("SELECT count(*), count(c0), count(c7), sum(c3) FROM orders")
                == ["(256,128,128,128)"]
        )
    }
}

extension String {
    /// As PostgreSQL writes a text within a row.
    fileprivate var quotedIfNeeded: String {
        contains(" ") || contains(",") || contains("(") ? "\"\(self)\"" : self
    }
}
