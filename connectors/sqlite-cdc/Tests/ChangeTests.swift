import ConnectorSDK
import ConnectorTesting
import Testing

@testable import SQLiteCDCConnector

@Suite("Changes of SQLite tables")
struct ChangeTests {
    private func changes(
        _ schema: String,
        _ sql: String...,
        values: [String: String] = [:]
    ) async throws -> [String] {
        let database = try CapturedDatabase(schema)
        try await database.capture(values)
        for statement in sql { try? database.execute(statement) }
        return try await database.capture(values).map(\.change)
    }

    private static let table =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE); INSERT INTO t VALUES (1,'a'),(2,'b')"

    @Test(
        "insertions, updates and deletions tell the row before and after",
        arguments: ["WAL", "DELETE"]
    )
    func plain(journal: String) async throws {
        let database = try CapturedDatabase(Self.table, journal: journal)
        #expect(
            try await database.capture().map(\.change) == [
                #"t r int(1) null>{"id":1,"u":"a"}"#, #"t r int(2) null>{"id":2,"u":"b"}"#,
            ]
        )
        try database.execute("INSERT INTO t VALUES (3, 'c'); UPDATE t SET u = 'x' WHERE id = 3")
        try database.execute("DELETE FROM t WHERE id = 1; UPDATE t SET id = 9 WHERE id = 2")
        let records = try await database.capture()
        #expect(
            records.map(\.change) == [
                #"t c int(3) null>{"id":3,"u":"c"}"#,
                #"t u int(3) {"id":3,"u":"c"}>{"id":3,"u":"x"}"#,
                #"t d int(1) {"id":1,"u":"a"}>null"#, "t - int(1)",
                #"t d int(2) {"id":2,"u":"b"}>null"#, "t - int(2)",
                #"t c int(9) null>{"id":9,"u":"b"}"#,
            ]
        )
        #expect(records[0].header("millrace.table") == "t")
        #expect(records[0].header("millrace.transaction") == "4:1")
        #expect(records[6].header("millrace.transaction") == "4:7")
        #expect(try await database.capture().isEmpty)
    }

    @Test("a row that is replaced is updated, rows in its way are deleted")
    func replaced() async throws {
        #expect(
            try await changes(
                Self.table,
                "REPLACE INTO t VALUES (1, 'z')",
                "REPLACE INTO t VALUES (3, 'b')",
                "INSERT OR REPLACE INTO t VALUES (3, 'z')"
            ) == [
                #"t u int(1) {"id":1,"u":"a"}>{"id":1,"u":"z"}"#,
                #"t d int(2) {"id":2,"u":"b"}>null"#, "t - int(2)",
                #"t c int(3) null>{"id":3,"u":"b"}"#,
                #"t d int(1) {"id":1,"u":"z"}>null"#, "t - int(1)",
                #"t u int(3) {"id":3,"u":"b"}>{"id":3,"u":"z"}"#,
            ]
        )
    }

    @Test("a statement that replaces by an update tells what was in its way")
    func replacedByUpdate() async throws {
        #expect(
            try await changes(
                Self.table,
                "UPDATE OR REPLACE t SET u = 'b' WHERE id = 1",
                "INSERT INTO t VALUES (5, 'e')",
                "UPDATE OR REPLACE t SET id = 5 WHERE id = 1"
            ) == [
                #"t d int(2) {"id":2,"u":"b"}>null"#, "t - int(2)",
                #"t u int(1) {"id":1,"u":"a"}>{"id":1,"u":"b"}"#,
                #"t c int(5) null>{"id":5,"u":"e"}"#,
                #"t d int(5) {"id":5,"u":"e"}>null"#, "t - int(5)",
                #"t d int(1) {"id":1,"u":"b"}>null"#, "t - int(1)",
                #"t c int(5) null>{"id":5,"u":"b"}"#,
            ]
        )
    }

    @Test("where writers have recursive triggers on, replaced rows are told once, too")
    func recursiveTriggers() async throws {
        #expect(
            try await changes(
                Self.table,
                "PRAGMA recursive_triggers = ON",
                "REPLACE INTO t VALUES (1, 'b')"
            ).filter { !$0.contains("-") }.sorted() == [
                #"t c int(1) null>{"id":1,"u":"b"}"#, #"t d int(1) {"id":1,"u":"a"}>null"#,
                #"t d int(2) {"id":2,"u":"b"}>null"#,
            ]
        )
    }

    @Test("what is ignored, fails or becomes an update is not told as a replacement")
    func notReplaced() async throws {
        #expect(
            try await changes(
                Self.table,
                "INSERT OR IGNORE INTO t VALUES (1, 'q')",
                "INSERT INTO t VALUES (2, 'q') ON CONFLICT DO NOTHING",
                "INSERT INTO t VALUES (2, 'q') ON CONFLICT (id) DO UPDATE SET u = excluded.u",
                "INSERT OR FAIL INTO t VALUES (7, 'g'), (1, 'h')",
                "INSERT INTO t VALUES (8, 'h'), (1, 'i')",
                "DELETE FROM t WHERE id = 1",
                "INSERT INTO t VALUES (1, 'new')",
                "BEGIN; INSERT INTO t VALUES (10, 'j'); ROLLBACK",
                "BEGIN; SAVEPOINT s; REPLACE INTO t VALUES (1, 'k'); ROLLBACK TO s; COMMIT"
            ) == [
                #"t u int(2) {"id":2,"u":"b"}>{"id":2,"u":"q"}"#,
                #"t c int(7) null>{"id":7,"u":"g"}"#, #"t d int(1) {"id":1,"u":"a"}>null"#,
                "t - int(1)", #"t c int(1) null>{"id":1,"u":"new"}"#,
            ]
        )
    }

    @Test("replaced rows are found by every way in which they can be in the way")
    func uniqueRules() async throws {
        let schema = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b INT, c TEXT, d INT);
            CREATE UNIQUE INDEX ta ON t (a, b);
            CREATE UNIQUE INDEX tc ON t (lower(c) || '(') WHERE d > 0;
            CREATE UNIQUE INDEX td ON t (d COLLATE RTRIM DESC) WHERE c IS NULL;
            INSERT INTO t VALUES (1, 'x', 1, 'C', 1), (2, 'y', 1, NULL, 5), (3, 'z', NULL, 'c', 0)
            """
        #expect(
            try await changes(
                schema,
                "REPLACE INTO t VALUES (10, 'X', 1, 'n', 9)",
                "REPLACE INTO t VALUES (11, 'q', 1, NULL, 5)",
                "REPLACE INTO t VALUES (12, 'z', NULL, 'c', 0)",
                "REPLACE INTO t VALUES (13, 'r', 1, 'N', 2)",
                "UPDATE OR REPLACE t SET d = 2, c = 'n' WHERE id = 3"
            ).filter { $0.contains(" d ") } == [
                #"t d int(1) {"id":1,"a":"x","b":1,"c":"C","d":1}>null"#,
                #"t d int(2) {"id":2,"a":"y","b":1,"c":null,"d":5}>null"#,
                #"t d int(10) {"id":10,"a":"X","b":1,"c":"n","d":9}>null"#,
                #"t d int(13) {"id":13,"a":"r","b":1,"c":"N","d":2}>null"#,
            ]
        )
    }

    @Test("a change of what an index's expression or condition looks at may replace rows")
    func expressionRules() async throws {
        let schema = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT, d INT, g INT AS (d * 10));
            CREATE UNIQUE INDEX tc ON t (lower(c)) WHERE d > 0;
            CREATE UNIQUE INDEX tg ON t (g) WHERE id > 9;
            INSERT INTO t (id, c, d) VALUES (1, 'a', 1), (2, 'b', 2), (3, 'b', 0), (10, 'x', 7)
            """
        #expect(
            try await changes(
                schema,
                "UPDATE OR REPLACE t SET c = 'B' WHERE id = 1",
                "UPDATE OR REPLACE t SET d = 3 WHERE id = 3",
                "REPLACE INTO t (id, c, d) VALUES (11, 'y', 7)"
            ).filter { $0.contains(" d ") } == [
                #"t d int(2) {"id":2,"c":"b","d":2,"g":20}>null"#,
                #"t d int(1) {"id":1,"c":"B","d":1,"g":10}>null"#,
                #"t d int(10) {"id":10,"c":"x","d":7,"g":70}>null"#,
            ]
        )
    }

    @Test("a table without row ids, with a composite key")
    func withoutRowID() async throws {
        let schema = """
            CREATE TABLE t (v, k2 INT, k1 TEXT COLLATE NOCASE, PRIMARY KEY (k1, k2)) WITHOUT ROWID;
            INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'a')
            """
        #expect(
            try await changes(
                schema,
                "REPLACE INTO t VALUES (9, 1, 'A')",
                "UPDATE OR REPLACE t SET k2 = 2 WHERE k2 = 1",
                "DELETE FROM t"
            ) == [
                // SQLite takes `a` and `A` for one key here, readers of the topic for two.
                #"t d string("a") {"v":1,"k2":1,"k1":"a"}>null"#, #"t - string("a")"#,
                #"t c string("A") null>{"v":9,"k2":1,"k1":"A"}"#,
                #"t d string("a") {"v":2,"k2":2,"k1":"a"}>null"#, #"t - string("a")"#,
                #"t d string("A") {"v":9,"k2":1,"k1":"A"}>null"#, #"t - string("A")"#,
                #"t c string("A") null>{"v":9,"k2":2,"k1":"A"}"#,
                #"t d string("A") {"v":9,"k2":2,"k1":"A"}>null"#, #"t - string("A")"#,
            ]
        )
    }

    @Test("tables without a primary key have records without keys")
    func noKey() async throws {
        #expect(
            try await changes(
                "CREATE TABLE t (rowid, oid, v)",
                "INSERT INTO t VALUES (1, 2, 3); UPDATE t SET v = 4; DELETE FROM t"
            ) == [
                #"t c no key null>{"rowid":1,"oid":2,"v":3}"#,
                #"t u no key {"rowid":1,"oid":2,"v":3}>{"rowid":1,"oid":2,"v":4}"#,
                #"t d no key {"rowid":1,"oid":2,"v":4}>null"#,
            ]
        )
    }

    @Test("what foreign keys do to other tables is told, children before their parents")
    func cascades() async throws {
        let schema = """
            CREATE TABLE p (id INTEGER PRIMARY KEY, v);
            CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE);
            CREATE TABLE s (id INTEGER PRIMARY KEY, s REFERENCES s ON DELETE SET NULL);
            INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (10, 1), (20, 2);
            INSERT INTO s VALUES (1, NULL), (2, 1)
            """
        let database = try CapturedDatabase(schema)
        try await database.capture()
        try database.execute(
            "BEGIN; DELETE FROM p WHERE id = 1; REPLACE INTO p VALUES (2, 3); "
                + "DELETE FROM s WHERE id = 1; COMMIT"
        )
        // Across tables their order is in the mark.
        let told = try await database.capture().filter { !$0.isTombstone }
            .sorted { $0.order < $1.order }.map(\.change)
        #expect(
            told == [
                #"c d int(10) {"id":10,"p":1}>null"#, #"p d int(1) {"id":1,"v":1}>null"#,
                #"c d int(20) {"id":20,"p":2}>null"#,
                #"p u int(2) {"id":2,"v":2}>{"id":2,"v":3}"#,
                #"s u int(2) {"id":2,"s":1}>{"id":2,"s":null}"#,
                #"s d int(1) {"id":1,"s":null}>null"#,
            ]
        )
    }

    @Test("triggers of the application and generated columns")
    func triggersAndGenerated() async throws {
        let schema = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, v INT, w INT AS (v * 2) STORED, x AS (v + 1));
            CREATE TABLE audit (id INTEGER PRIMARY KEY, note);
            CREATE TRIGGER a AFTER INSERT ON t BEGIN
                INSERT INTO audit (note) VALUES ('t' || NEW.id); UPDATE t SET v = 7 WHERE id = NEW.id;
            END
            """
        #expect(
            Set(try await changes(schema, "INSERT INTO t (id, v) VALUES (1, 5)")) == [
                #"t c int(1) null>{"id":1,"v":5,"w":10,"x":6}"#,
                #"audit c int(1) null>{"id":1,"note":"t1"}"#,
                #"t u int(1) {"id":1,"v":5,"w":10,"x":6}>{"id":1,"v":7,"w":14,"x":8}"#,
            ]
        )
    }

    @Test("values keep their types, whatever the column says")
    func values() async throws {
        let database = try CapturedDatabase(
            #"CREATE TABLE "a ""b""" (id INTEGER PRIMARY KEY, "v ""w""" INT, x BLOB, d DECIMAL(10,2))"#
        )
        try await database.capture()
        try database.execute(
            #"INSERT INTO "a ""b""" VALUES "#
                + "(1, 9223372036854775807, x'00FF', 1.5), "
                + "(2, 0.1, 'text', '12345678901234567890.123'), "
                + "(3, 'text', NULL, 9e999), (4, x'', 1e300, -3), "
                + "(5, char(0) || 'ä\"', '', NULL)"
        )
        let records = try await database.capture()
        #expect(records.map(\.topic).allSatisfy { $0 == "app.a__b_" })
        #expect(
            records.compactMap { record in
                if case .json(let text) = record["after"] { text } else { nil }
            } == [
                #"{"id":1,"v \"w\"":9223372036854775807,"x":"AP8=","d":1.50}"#,
                #"{"id":2,"v \"w\"":0.1,"x":"text","d":1.2345678901234567e+19}"#,
                #"{"id":3,"v \"w\"":"text","x":null,"d":"Infinity"}"#,
                #"{"id":4,"v \"w\"":"","x":1e+300,"d":-3.00}"#,
                #"{"id":5,"v \"w\"":"\u0000ä\"","x":"","d":null}"#,
            ]
        )
    }

    @Test("a change with a text that is not UTF-8 is rejected, the others are told")
    func invalidText() async throws {
        let database = try CapturedDatabase(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, CAST(x'FF' AS TEXT))"
        )
        #expect(try await database.capture().isEmpty)
        try database.execute("INSERT INTO t VALUES (2, 'ok'), (3, CAST(x'80' AS TEXT))")
        #expect(
            try await database.capture().map(\.change) == [#"t c int(2) null>{"id":2,"v":"ok"}"#]
        )
        #expect(
            database.rejections.map(\.error.code.rawValue) == [
                "sqlite_cdc.invalid_utf8", "sqlite_cdc.invalid_utf8",
            ]
        )
        #expect(database.rejections.map(\.value) == [[0xFF], [0x80]])
    }

    @Test("transactions are told whole, with metadata where it is asked for")
    func transactions() async throws {
        let values = ["provide.transaction.metadata": "true"]
        let database = try CapturedDatabase(
            Self.table + "; CREATE TABLE u (id INTEGER PRIMARY KEY)"
        )
        try await database.capture(values)
        try database.execute(
            "BEGIN; INSERT INTO t VALUES (3, 'c'); INSERT INTO u VALUES (1); COMMIT"
        )
        let records = try await database.capture(values)
        #expect(records.map(\.topic) == ["app.t", "app.u", "app.transaction", "app.transaction"])
        #expect(
            records.map { $0.header("millrace.transaction") } == ["2:1", "2:2", nil, "2:end"]
        )
        #expect(records[3]["event_count"] == .int(2))
        #expect(
            records[1]["transaction"]
                == .json(#"{"id":"2:2","total_order":2,"data_collection_order":1}"#)
        )
    }

    @Test("only tables that are named are captured, never SQLite's own or those of the connector")
    func tables() async throws {
        let schema = """
            CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT);
            CREATE TABLE other (id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT * FROM orders;
            CREATE TABLE __millrace_offsets (id INTEGER PRIMARY KEY)
            """
        let sql =
            "INSERT INTO orders VALUES (1); INSERT INTO other VALUES (1);"
            + "INSERT INTO __millrace_offsets VALUES (1)"
        #expect(try await changes(schema, sql).count == 2)
        #expect(
            try await changes(schema, sql, values: ["table.include.list": "ORD.*"])
                == [#"orders c int(1) null>{"id":1}"#]
        )
        #expect(
            try await changes(schema, sql, values: ["table.exclude.list": "orders"])
                == [#"other c int(1) null>{"id":1}"#]
        )
    }
}
