import ConnectorSDK
import ConnectorTesting
import SQLiteClient
import SQLiteTables
import Testing

@testable import SQLiteConnector

extension ScratchDatabase {
    /// Reads with a source until it ends.
    func read(
        _ values: [String: String] = [:],
        from positions: [String: String] = [:],
        task: Int = 0,
        of tasks: Int = 1,
        _ script: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> RecordingOutlet {
        let source = try source(values, task: task, of: tasks)
        let outlet = RecordingOutlet(for: source)
        script(outlet)
        try await source.run(from: positions, into: outlet)
        return outlet
    }
}

@Suite("SQLite source: rows")
struct SourceReadTests {
    @Test("every value keeps its storage class, and types are those declared")
    func values() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, i INT NOT NULL, r REAL, s VARCHAR(9), b BLOB,
                n NUMERIC, f BOOLEAN, x);
            INSERT INTO t VALUES
                (1, -9223372036854775808, 0.1, '', X'', 5, 1, 'any'),
                (2, 9223372036854775807, 1e300, 'héllo ☃', X'00FF00', 1.5, 0, 7),
                (3, 0, NULL, NULL, NULL, NULL, NULL, NULL);
            """
        )
        let records = try await scratch.read(["topic.prefix": "db."]).records
        #expect(records.map(\.topic) == ["db.t", "db.t", "db.t"])
        #expect(records.map { $0.key?.map(\.value) } == [[.int(1)], [.int(2)], [.int(3)]])
        #expect(
            records.map { $0.fields.dropFirst().map(\.value) } == [
                [
                    .int(.min), .double(0.1), .string(""), .bytes([]), .int(5), .bool(true),
                    .string("any"),
                ],
                [
                    .int(.max), .double(1e300), .string("héllo ☃"), .bytes([0, 255, 0]),
                    .double(1.5), .bool(false), .int(7),
                ],
                [.int(0), .null, .null, .null, .null, .null, .null],
            ]
        )
        let database = try SQLiteHandle(path: scratch.path, mode: .readOnly)
        let statement = try database.prepare("SELECT * FROM t")
        let types = (0..<8).map { DeclaredType(statement.declaredType($0) ?? "").fieldType }
        #expect(types == [.int64, .int64, .double, .string, .bytes, .any, .bool, .any])
    }

    @Test(
        "a column of decimals gives each number the places it declares, or its own if it has more",
        arguments: [
            ("DECIMAL(10,2)", "1.1", Value.decimal("1.10")),
            ("DECIMAL(10,2)", "5", .decimal("5.00")),
            ("NUMERIC(10,2)", "-0.01", .decimal("-0.01")), ("NUMERIC(10,2)", "0", .decimal("0.00")),
            ("DECIMAL(10,2)", "0.005", .decimal("0.005")), ("DECIMAL(4)", "5", .int(5)),
            ("DECIMAL(15,2)", "9999999999999.99", .decimal("9999999999999.99")),
            ("DECIMAL(10,2)", "0.30000000000000004", .decimal("0.30000000000000004")),
            ("DECIMAL(10,2)", "1e300", .decimal("1e+300")),
            ("DECIMAL(10,2)", "9e999", .double(.infinity)),
            ("DECIMAL(20,18)", "9223372036854775807", .int(.max)),
            ("DECIMAL(30,25)", "1.5", .decimal("1.5")), ("DECIMAL(10,2)", "'n/a'", .string("n/a")),
            (
                "\"DECIMAL BLOB\"(38, 9)", "'12345678901234567890.10'",
                .decimal("12345678901234567890.10")
            ),
            ("\"DECIMAL BLOB\"(38, 9)", "'1.50 '", .string("1.50 ")),
            ("\"DECIMAL BLOB\"", "1.5", .decimal("1.5")), ("DECIMAL(10,2)", "X'01'", .bytes([1])),
            ("DECIMAL(10,2)", "NULL", .null), ("DECIMAL", "1.1", .double(1.1)),
        ]
    )
    func decimals(_ type: String, _ literal: String, _ value: Value) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE t (v \(type)); INSERT INTO t VALUES (\(literal))")
        #expect(try await scratch.read().records.map { $0["v"] } == [value])
    }

    @Test("decimals keep their places when other values cut the batch")
    func mixedDecimals() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            "CREATE TABLE t (v DECIMAL(10,2)); INSERT INTO t VALUES (1.1), ('n/a'), (2.5), (3)"
        )
        #expect(
            try await scratch.read().records.map { $0["v"] }
                == [.decimal("1.10"), .string("n/a"), .decimal("2.50"), .decimal("3.00")]
        )
    }

    @Test("values of another type than declared cut the batch and stay what they are")
    func mixedTypes() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (v TEXT, n);
            INSERT INTO t VALUES ('a', 1), (X'01', 2), ('b', X'02'), (X'03', X'04'), ('c', 1.5);
            """
        )
        let outlet = try await scratch.read()
        #expect(
            outlet.records.map { $0.fields.map(\.value) } == [
                [.string("a"), .int(1)], [.bytes([1]), .int(2)], [.string("b"), .bytes([2])],
                [.bytes([3]), .bytes([4])], [.string("c"), .double(1.5)],
            ]
        )
        #expect(outlet.sent.filter { !$0.records.isEmpty }.count == 5)
    }

    @Test("text that is not UTF-8 rejects its row alone")
    func invalidText() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO t VALUES (1, 'good'), (2, CAST(X'62FF64' AS TEXT)), (3, 'good'),
                (4, CAST(X'EDA080' AS TEXT)), (5, CAST(X'C0AF' AS TEXT)), (6, '🦀');
            """
        )
        let outlet = try await scratch.read()
        // D6
        #expect(outlet.records.compactMap { $0.key?.first?.value } == [.int(1), .int(3), .int(6)])
        #expect(
            outlet.rejections.map(\.error.code.rawValue).allSatisfy { $0 == "sqlite.invalid_utf8" }
        )
        #expect(
            outlet.rejections.map(\.value) == [
                [0x62, 0xff, 0x64], [0xed, 0xa0, 0x80], [0xc0, 0xaf],
            ]
        )
    }

    @Test("a byte that is not UTF-8 is found wherever in a text it stands")
    func invalidBytes() async throws {
        let scratch = try ScratchDatabase()
        var rows: [String] = []
        var rejected: [Int64] = []
        for length in 1...70 {
            for place in 0..<length {
                var text = String(repeating: "61", count: length)
                let at = text.index(text.startIndex, offsetBy: place * 2)
                // Every third row has a two-byte character instead, where there is room for it.
                let isValid = place % 3 == 0 && place + 1 < length
                let bytes = isValid ? "C3A9" : "E9"
                text.replaceSubrange(at..<text.index(at, offsetBy: bytes.count), with: bytes)
                if !isValid { rejected.append(Int64(rows.count)) }
                rows.append("(\(rows.count), CAST(X'\(text)' AS TEXT))")
            }
        }
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO t VALUES \(rows.joined(separator: ","));
            """
        )
        let outlet = try await scratch.read()
        let read = Set(
            outlet.records.compactMap { record -> Int64? in
                guard case .int(let id)? = record.key?.first?.value else { return nil }
                return id
            }
        )
        // D6
        #expect(read == Set((0..<Int64(rows.count))).subtracting(rejected))
        #expect(outlet.rejections.count == rejected.count)
    }

    @Test("long values and many rows arrive whole, in batches of bounded size")
    func largeRows() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, v);
            WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40)
                INSERT INTO t SELECT i, zeroblob(i * 10000) FROM n;
            """
        )
        let outlet = try await scratch.read()
        #expect(outlet.records.count == 40)
        for (index, record) in outlet.records.enumerated() {
            #expect(record["v"] == .bytes([UInt8](repeating: 0, count: (index + 1) * 10_000)))
        }
        // D7
        #expect(outlet.sent.filter { !$0.records.isEmpty }.count >= 7)
    }

    @Test("tables are chosen by patterns for their whole names; views only when named")
    func selection() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE orders (a); CREATE TABLE orders_old (a); CREATE TABLE items (a);
            CREATE TABLE __millrace_offsets (a); CREATE VIEW v AS SELECT 1 AS a;
            CREATE TABLE auto (a INTEGER PRIMARY KEY AUTOINCREMENT);
            INSERT INTO orders VALUES (1); INSERT INTO orders_old VALUES (1);
            INSERT INTO items VALUES (1); INSERT INTO auto VALUES (1);
            """
        )
        func topics(_ values: [String: String]) async throws -> [String] {
            try await scratch.read(values).records.map(\.topic)
        }
        #expect(try await topics([:]) == ["auto", "items", "orders", "orders_old"])
        #expect(try await topics(["table.include.list": "orders"]) == ["orders"])
        #expect(
            try await topics(["table.include.list": "ord.*,v"]) == ["orders", "orders_old", "v"]
        )
        #expect(try await topics(["table.exclude.list": ".*_old|auto"]) == ["items", "orders"])
        #expect(
            try await topics(["table.include.list": "orders.*", "table.exclude.list": "orders"])
                == ["orders_old"]
        )
        #expect(try await topics(["table.include.list": "orders", "topic": "x"]) == ["x"])
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await topics(["table.include.list": "nothing"])
        }
        #expect(error?.configurationKey == "table.include.list")
    }

    @Test("tasks share the tables, each table with one of them")
    func tasks() async throws {
        let scratch = try ScratchDatabase()
        for number in 0..<12 {
            try scratch.execute("CREATE TABLE t\(number) (a); INSERT INTO t\(number) VALUES (1)")
        }
        var topics: [String] = []
        for task in 0..<3 {
            topics += try await scratch.read(task: task, of: 3).records.map(\.topic)
        }
        #expect(topics.sorted() == (0..<12).map { "t\($0)" }.sorted())
    }

    @Test("a column added between pages is in the rows behind it")
    func addedColumn() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
        let outlet = try await scratch.read(["mode": "incrementing", "poll.interval.ms": "1"]) {
            $0.stopAfterIdling = 2
            $0.onIdle = { round in
                guard round == 0 else { return }
                try scratch.execute("ALTER TABLE t ADD COLUMN b; INSERT INTO t VALUES (3, 'x')")
            }
        }
        #expect(
            outlet.records.map { $0.fields.map(\.value) } == [
                [.int(1)], [.int(2)], [.int(3), .string("x")],
            ]
        )
    }

    @Test("a table that is dropped stops the task with its name")
    func droppedTable() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE TABLE u (a)")
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await scratch.read(["mode": "incrementing", "poll.interval.ms": "1"]) {
                $0.stopAfterIdling = 5
                $0.onIdle = { _ in try scratch.execute("DROP TABLE IF EXISTS t") }
            }
        }
        #expect(error?.code.rawValue == "table.no_table")
        #expect(error?.message.contains("table t ") == true)
    }

    @Test("a column that hides the row id does not confuse reading")
    func hiddenRowID() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (rowid, oid); INSERT INTO t VALUES ('x', 'y'), (NULL, 'z');
            CREATE TABLE u (rowid, oid, _rowid_); INSERT INTO u VALUES (1, 2, 3), (4, 5, 6);
            """
        )
        let outlet = try await scratch.read(["batch.max.rows": "1"])
        #expect(outlet.records.count == 4)
        #expect(Set(outlet.records).count == 4)
    }

    @Test("a missing database is the surroundings' fault")
    func missing() async throws {
        let scratch = try ScratchDatabase()
        let error = await #expect(throws: ConnectorError.self) { _ = try await scratch.read() }
        #expect(error?.code.rawValue == "sqlite.cannot_open")
        #expect(error?.kind == .environment)
    }
}
