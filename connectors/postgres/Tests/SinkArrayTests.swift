import ConnectorSDK
import ConnectorTesting
import PostgresClient
import TestServices
import Testing

@testable import PostgresConnector

/// Rows in numbers for which no statement of their own is worth it.
@Suite("PostgreSQL sink: many rows at a time", .timeLimit(.minutes(10)))
struct SinkArrayTests {
    private static let count = 300
    private static let upsert = [
        "pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert",
    ]

    struct Column: CustomTestStringConvertible, Sendable {
        var testDescription: String { type }
        var type: String
        /// The value of a row, of which every seventh is null.
        var value: @Sendable (Int64) -> Value
    }

    private static let columns = [
        Column(type: "smallint") { .int($0 - 150) }, Column(type: "bigint") { .int(1 << 60 + $0) },
        Column(type: "numeric(12,2)") { .decimal("\($0).25") },
        Column(type: "float4") { .double(Double($0) / 2) },
        Column(type: "float8") { .double($0 == 1 ? .nan : 1e300) },
        Column(type: "boolean") { .bool($0 % 2 == 0) }, Column(type: "text") { .string("å\($0)") },
        Column(type: "varchar(4)") { .string("v\($0)") },
        Column(type: "char(5)") { .string("c\($0)") },
        Column(type: "bytea") { .bytes([UInt8($0 % 256), 0, 255]) },
        Column(type: "date") { .date($0 * 100) },
        Column(type: "timestamptz") { .timestamp($0 * 1_000_001) },
        Column(type: "uuid") { .string("00000000-0000-0000-0000-00000000\(1_000 + $0)") },
        Column(type: "jsonb") { .json("{\"n\":\($0)}") },
        Column(type: "mood") { _ in .string("ok") },
        Column(type: "positive") { .int($0) }, Column(type: "citext") { .string("C\($0)") },
        // There are no arrays of arrays, and the server reads it from text.
        Column(type: "int[]") { .json("[\($0),null]") },
        Column(type: "inet") { _ in .string("::1") },
    ]

    @Test(
        "values of every kind are the same whether they are inserted or upserted",
        arguments: columns
    )
    func types(_ column: Column) async throws {
        let scratch = try SinkScratch(
            """
            CREATE TYPE mood AS ENUM ('ok', 'bad');
            CREATE DOMAIN positive AS int CHECK (VALUE > 0);
            CREATE TABLE inserted (id int PRIMARY KEY, v \(column.type));
            CREATE TABLE upserted (LIKE inserted INCLUDING ALL);
            INSERT INTO upserted SELECT g FROM generate_series(100, 200) g
            """
        )
        let rows = (1...Int64(Self.count)).map { number in
            Row(["id": .int(number), "v": number % 7 == 0 ? .null : column.value(number)])
        }
        try await scratch.sink().deliver(rows, topic: "inserted")
        try await scratch.sink(Self.upsert, name: "upsert").deliver(rows, topic: "upserted")
        let inserted = try scratch.rows("SELECT id, v::text FROM inserted ORDER BY id")
        #expect(inserted.count == Self.count)
        #expect(try scratch.rows("SELECT id, v::text FROM upserted ORDER BY id") == inserted)
    }

    @Test(
        "of records that share a key the last one stays, and triggers see all of them",
        arguments: [false, true]
    )
    func sharedKeys(hasTrigger: Bool) async throws {
        let scratch = try SinkScratch(
            "CREATE TABLE orders (id int PRIMARY KEY, v int); CREATE TABLE seen (id int, v int)"
        )
        if hasTrigger {
            try scratch.execute(
                """
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN INSERT INTO seen VALUES (NEW.id, NEW.v); RETURN NULL; END $$;
                CREATE TRIGGER t AFTER INSERT OR UPDATE ON orders
                    FOR EACH ROW EXECUTE FUNCTION note()
                """
            )
        }
        let rows = (0..<Int64(Self.count)).map { Row(["id": .int($0 % 100), "v": .int($0)]) }
        try await scratch.sink(Self.upsert).deliver(rows)
        #expect(
            try scratch.rows("SELECT id, v FROM orders ORDER BY id")
                == (0..<100).map { "(\($0),\($0 + 200))" }
        )
        if hasTrigger {
            #expect(try scratch.text("SELECT count(*) FROM seen") == "\(Self.count)")
            #expect(
                try scratch.text("SELECT string_agg(v::text, ',') FROM seen WHERE id = 7")
                    == "7,107,207"
            )
        }
    }

    @Test("of texts that are one key to the server only, the last one stays")
    func looselyShared() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (id citext PRIMARY KEY, v int)")
        let rows = (0..<Int64(Self.count)).map { number in
            Row(["id": .string("\(number % 2 == 0 ? "k" : "K")\(number % 75)"), "v": .int(number)])
        }
        try await scratch.sink(Self.upsert).deliver(rows)
        #expect(
            try scratch.rows("SELECT lower(id), v FROM orders ORDER BY v")
                == (225..<300).map { "(k\($0 % 75),\($0))" }
        )
    }

    @Test("a row that lacks a required column changes the one that exists")
    func lacksRequired() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (id int PRIMARY KEY, v int, body text NOT NULL);
            INSERT INTO orders SELECT g, 0, 'b' || g FROM generate_series(1, 300) g
            """
        )
        let rows = (1...Int64(Self.count)).map { Row(["id": .int($0), "v": .int($0 * 2)]) }
        try await scratch.sink(Self.upsert).deliver(rows)
        let wrong = "SELECT count(*) FROM orders WHERE v <> id * 2 OR body <> 'b' || id"
        #expect(try scratch.text(wrong) == "0")
    }

    @Test("updates say that a row is missing, and deletions take what there is")
    func updatesAndDeletes() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (id int PRIMARY KEY, v int);
            INSERT INTO orders SELECT g, 0 FROM generate_series(1, 299) g
            """
        )
        let update = Self.upsert.merging(["insert.mode": "update"]) { $1 }
        let rows = (1...Int64(Self.count)).map { Row(["id": .int($0), "v": .int(1)]) }
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(update).deliver(rows)
        }
        #expect(error?.code.rawValue == "table.no_row", "\(String(describing: error))")
        #expect(error?.disposition == .rejectRecord)
        try await scratch.sink(update).deliver(Array(rows.dropLast()))
        #expect(try scratch.text("SELECT sum(v) FROM orders") == "299")
        let delete = [
            "pk.mode": "record_key", "insert.mode": "upsert", "delete.enabled": "true",
        ]
        try await scratch.sink(delete, name: "delete").deliver(
            (100...500).map { Row(nil, key: ["id": .int($0)]) }
        )
        #expect(try scratch.text("SELECT count(*) FROM orders") == "99")
    }

    @Test(
        "what does not fit its column is rejected as it is from a single row",
        arguments: [1, 300]
    )
    func tooLong(count: Int64) async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (id int PRIMARY KEY, v varchar(3))")
        let rows = (1...count).map { Row(["id": .int($0), "v": .string("long")]) }
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(Self.upsert).deliver(rows)
        }
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.code.rawValue == "postgres.value")
        #expect(error?.description.contains("long") == false)  // D8
    }

    @Test("more shapes of rows than statements are kept are all written")
    func manyShapes() async throws {
        let names = (0..<8).map { "c\($0)" }
        let scratch = try SinkScratch(
            "CREATE TABLE orders (id int PRIMARY KEY, "
                + names.map { "\($0) int DEFAULT -1" }.joined(separator: ", ") + ")"
        )
        let sink = try scratch.sink(Self.upsert)
        let partition = TopicPartition("orders", 0)
        _ = try await sink.open([partition])
        for shape in 0..<200 {
            let rows = (0..<20).map { number in
                let id = Int64(shape * 20 + number)
                return Row(["id": .int(id), "c\(shape % 8)": .int(id)])
            }
            try await sink.write(makeBatch(rows, from: Int64(shape * 20)))
            if shape % 10 == 9 { try await sink.commit([partition: Int64(shape * 20 + 20)]) }
        }
        await sink.close()
        let sum = names.map { "CASE WHEN \($0) = id THEN 1 ELSE 0 END" }.joined(separator: " + ")
        #expect(try scratch.text("SELECT count(*) FROM orders WHERE \(sum) = 1") == "4000")
    }
}
