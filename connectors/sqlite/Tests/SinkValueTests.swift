import ConnectorSDK
import SQLiteConnector
import Testing

@Suite("SQLite sink: values")
struct SinkValueTests {
    static let exact: [(Value, String)] = [
        (.null, "NULL"),
        (.bool(true), "1"),
        (.bool(false), "0"),
        (.int(.min), "-9223372036854775808"),
        (.int(.max), "9223372036854775807"),
        (.double(0.1), "0.1"),
        (.decimal("2754.13"), "2754.13"),
        (.decimal("0.30000000000000004"), "0.30000000000000004"),
        // More digits than a double gives back: text.
        (.decimal("123456789012345678.9"), "'123456789012345678.9'"),
        (.decimal("0.123456789012345678"), "'0.123456789012345678'"),
        (.decimal("12345678901234567890"), "'12345678901234567890'"),
        (.decimal("1e400"), "'1e400'"),
        (.decimal("1.5e3"), "1500.0"),
        (.string(""), "''"),
        (.string("héllo ☃ 🦀"), "'héllo ☃ 🦀'"),
        (.string("007"), "'007'"),
        (.string("it's"), "'it''s'"),
        (.bytes([]), "X''"),
        (.bytes([0, 255, 0]), "X'00FF00'"),
        (.json("{\"a\":[1]}"), "'{\"a\":[1]}'"),
        (.date(20_761), "'2026-11-04'"),
        (.date(-719_529), "'-0001-12-31'"),
        (.time(5_134_000_001), "'01:25:34.000001'"),
        (.timestamp(1_793_755_534_123_456), "'2026-11-04T01:25:34.123456Z'"),
        (.localTimestamp(1_793_755_534_000_000), "'2026-11-04T01:25:34.000000'"),
    ]

    @Test("arrive exactly in a column without a type", arguments: exact)
    func exactValues(_ value: Value, _ literal: String) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, v)")
        try await scratch.sink().deliver([Row(["id": .int(1), "v": value])])
        // D6: never changed to fit. 17 digits, as quote() gives, show every double.
        #expect(
            try scratch.rows("SELECT v FROM orders").first.map(Self.shortened)
                == Self.shortened(literal)
        )
    }

    /// SQLite writes `1.5e+03` in places; numbers compare as numbers.
    private static func shortened(_ literal: String) -> String {
        guard literal.contains("."), !literal.contains("'"), let number = Double(literal) else {
            return literal
        }
        return "\(number)"
    }

    @Test("an 18-digit decimal of the inline form keeps its digits")
    func inlineDecimals() async throws {
        let scratch = try ScratchDatabase()
        let batch = makeBatch([Row(["a": .null]), Row(["a": .null]), Row(["a": .null])])
        batch[0, 0] = .decimal(123_456_789_012_345_678, scale: 9)
        batch[1, 0] = .decimal(-1_050, scale: 3)
        batch[2, 0] = .decimal(.min, scale: 18)
        let sink = try scratch.sink()
        _ = try await sink.open([TopicPartition("orders", 0)])
        try await sink.write(batch)
        try await sink.commit([TopicPartition("orders", 0): 3])
        await sink.close()
        #expect(
            try scratch.rows("SELECT a FROM orders") == [
                "'123456789.012345678'", "-1.05", "'-9.223372036854775808'",
            ]
        )
    }

    @Test("NaN is not stored as NULL")
    func notANumber() async throws {
        let scratch = try ScratchDatabase()
        try await scratch.sink().deliver([Row(["v": .double(.nan)]), Row(["v": .double(1e300)])])
        #expect(try scratch.rows("SELECT v FROM orders") == ["'NaN'", "1.0e+300"])
    }

    @Test("numbers in a TEXT column keep their digits as written")
    func numbersAsText() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (v TEXT)")
        let values: [Value] = [
            .decimal("12.50"), .decimal("0.30000000000000004"), .double(0.1 + 0.2), .double(5),
            .int(7), .decimal("1E5"),
        ]
        try await scratch.sink().deliver(values.map { Row(["v": $0]) })
        #expect(
            try scratch.rows("SELECT v FROM orders") == [
                "'12.50'", "'0.30000000000000004'", "'0.30000000000000004'", "'5.0'", "'7'",
                "'1E5'",
            ]
        )
    }

    @Test(
        "a column that would round the value rejects the record and names the column",
        arguments: [
            ("NUMERIC", Value.decimal("123456789012345678.9")),
            ("INTEGER", .decimal("12345678901234567890")),
            ("INTEGER", .string("12345678901234567890")),
            ("DECIMAL(38,9)", .string("0.1234567890123456789")),
            ("REAL", .int(9_007_199_254_740_993)),
            ("REAL", .int(.max)),
            ("REAL", .decimal("1e400")),
        ] as [(String, Value)]
    )
    func inexact(_ type: String, _ value: Value) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (v \(type))")
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([Row(["v": value])])
        }
        #expect(error?.code.rawValue == "table.inexact")
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.message.contains("orders.v") == true)
        #expect(error?.description.contains("123") == false)
        #expect(try scratch.rows("SELECT v FROM orders") == [])
    }

    @Test(
        "a numeric column takes texts of the same value, and other texts as they are",
        arguments: [
            ("INTEGER", Value.string("1067"), "1067"),
            ("NUMERIC", .string("1.50"), "1.5"),
            ("REAL", .string("2"), "2.0"),
            ("INTEGER", .string("twelve"), "'twelve'"),
            ("TIMESTAMP", .timestamp(0), "'1970-01-01T00:00:00.000000Z'"),
            ("INTEGER", .decimal("7.00"), "7"),
        ] as [(String, Value, String)]
    )
    func numericColumns(_ type: String, _ value: Value, _ literal: String) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (v \(type))")
        try await scratch.sink().deliver([Row(["v": value])])
        #expect(try scratch.rows("SELECT v FROM orders") == [literal])
    }

    @Test("a key such as \"007\" never becomes the key 7")
    func numericKey() async throws {
        let scratch = try ScratchDatabase()
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        try await scratch.sink(values).deliver([Row(["id": .int(7), "n": .int(1)])])
        for key in ["007", "7.0", " 7", "x"] {
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values).deliver([Row(["id": .string(key), "n": .int(2)])])
            }
            #expect(error?.disposition == .rejectRecord)
        }
        #expect(try scratch.rows("SELECT * FROM orders") == ["7,1"])
    }

    @Test(
        "a null or absent key is rejected and does not become a new row",
        arguments: [
            Row(["id": .null, "n": .int(1)]), Row(["n": .int(1), "x": .int(2)]),
        ]
    )
    func nullKey(_ row: Row) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, n, x)")
        let values = ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"]
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink(values).deliver([row])
        }
        #expect(error?.disposition == .rejectRecord)
        #expect(try scratch.rows("SELECT * FROM orders") == [])
    }

    @Test("wide records arrive whole")
    func wideRecords() async throws {
        let scratch = try ScratchDatabase()
        for count in [15, 17, 65, 300, 1_500] {
            let batch = RecordBatch()
            batch.reset(topic: "wide\(count)", schema: Schema((0..<count).map { "f\($0)" }))
            for number in 0..<3 {
                let row = batch.appendRow()
                for column in 0..<count where number != 1 || column % 2 == 0 {
                    batch[row, column] = .int(Int64(number * column))
                }
            }
            let sink = try scratch.sink()
            _ = try await sink.open([TopicPartition(batch.topic, 0)])
            try await sink.write(batch)
            try await sink.commit([TopicPartition(batch.topic, 0): 3])
            await sink.close()
            let last = count - 1
            #expect(
                try scratch.rows("SELECT f1, f\(last) FROM wide\(count) ORDER BY rowid") == [
                    "0,0", last % 2 == 0 ? "NULL,\(last)" : "NULL,NULL", "2,\(2 * last)",
                ]
            )
        }
    }
}
