import ConnectorSDK
import Foundation
import Testing

@Suite("Captured changes", .captureTurn, .timeLimit(.minutes(10)))
struct ChangeTests {
    /// What the statements change, told after a table was read as it was.
    private func told(
        _ setUp: String,
        _ changes: String,
        _ values: [String: String] = [:],
        of table: String = "public.t",
        _ place: SourceLocation = #_sourceLocation
    ) async throws -> [Event] {
        let bench = try CaptureBench(sql: setUp)
        let first = await bench.captureAll(values)
        #expect(first == nil, sourceLocation: place)
        let before = try bench.events(table).count
        try bench.sql(changes)
        let second = await bench.captureAll(values)
        #expect(second == nil, sourceLocation: place)
        return Array(try bench.events(table).dropFirst(before))
    }

    @Test("rows that are there are read, then every change follows, in commit order")
    func snapshotAndStream() async throws {
        let bench = try CaptureBench(
            sql: """
                CREATE TABLE t (id int PRIMARY KEY, name text, pad text);
                INSERT INTO t VALUES (1, 'one', NULL), (2, 'zwei', 'å')
                """
        )
        let capture = bench.capture()
        try await bench.until("the rows are there") { try bench.count() == 2 }
        try bench.sql(
            """
            INSERT INTO t VALUES (3, 'three', '');
            UPDATE t SET name = 'two' WHERE id = 2;
            UPDATE t SET id = 10 WHERE id = 3;
            DELETE FROM t WHERE id = 1
            """
        )
        try await bench.until("the changes are there") { try bench.count() == 9 }
        #expect(await capture.stop() == nil)
        #expect(
            try bench.events().map(\.description) == [
                #"r {"id":1} after {"id":1,"name":"one","pad":null}"#,
                #"r {"id":2} after {"id":2,"name":"zwei","pad":"å"}"#,
                #"c {"id":3} after {"id":3,"name":"three","pad":""}"#,
                #"u {"id":2} after {"id":2,"name":"two","pad":"å"}"#,
                #"d {"id":3} before {"id":3}"#, #"tombstone {"id":3}"#,
                #"c {"id":10} after {"id":10,"name":"three","pad":""}"#,
                #"d {"id":1} before {"id":1}"#, #"tombstone {"id":1}"#,
            ]
        )
    }

    struct Identity: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var table: String
        var told: [String]
    }

    @Test(
        "the replica identity says what is told of a row before, and what its key is",
        arguments: [
            Identity(
                testDescription: "the primary key",
                table: "CREATE TABLE t (id int PRIMARY KEY, code text, n int)",
                told: [
                    #"c {"id":1} after {"code":"a","id":1,"n":1}"#,
                    #"u {"id":1} after {"code":"a","id":1,"n":2}"#,
                    #"u {"id":1} after {"code":"b","id":1,"n":2}"#,
                    #"d {"id":1} before {"id":1}"#, #"tombstone {"id":1}"#,
                ]
            ),
            Identity(
                testDescription: "all columns, with a primary key",
                table: """
                    CREATE TABLE t (id int PRIMARY KEY, code text, n int);
                    ALTER TABLE t REPLICA IDENTITY FULL
                    """,
                told: [
                    #"c {"id":1} after {"code":"a","id":1,"n":1}"#,
                    #"u {"id":1} before {"code":"a","id":1,"n":1} after {"code":"a","id":1,"n":2}"#,
                    #"u {"id":1} before {"code":"a","id":1,"n":2} after {"code":"b","id":1,"n":2}"#,
                    #"d {"id":1} before {"code":"b","id":1,"n":2}"#, #"tombstone {"id":1}"#,
                ]
            ),
            Identity(
                testDescription: "all columns, without any key",
                table: """
                    CREATE TABLE t (id int, code text, n int); ALTER TABLE t REPLICA IDENTITY FULL
                    """,
                told: [
                    #"c after {"code":"a","id":1,"n":1}"#,
                    #"u before {"code":"a","id":1,"n":1} after {"code":"a","id":1,"n":2}"#,
                    #"u before {"code":"a","id":1,"n":2} after {"code":"b","id":1,"n":2}"#,
                    #"d before {"code":"b","id":1,"n":2}"#,
                ]
            ),
            Identity(
                testDescription: "an index, beside a primary key",
                table: """
                    CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL UNIQUE, n int);
                    ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key
                    """,
                told: [
                    #"c {"code":"a"} after {"code":"a","id":1,"n":1}"#,
                    #"u {"code":"a"} after {"code":"a","id":1,"n":2}"#,
                    #"d {"code":"a"} before {"code":"a"}"#, #"tombstone {"code":"a"}"#,
                    #"c {"code":"b"} after {"code":"b","id":1,"n":2}"#,
                    #"d {"code":"b"} before {"code":"b"}"#, #"tombstone {"code":"b"}"#,
                ]
            ),
        ]
    )
    func identities(_ identity: Identity) async throws {
        let events = try await told(
            identity.table,
            """
            INSERT INTO t VALUES (1, 'a', 1); UPDATE t SET n = 2; UPDATE t SET code = 'b';
            DELETE FROM t
            """
        )
        #expect(events.map(\.description) == identity.told)
    }

    @Test(
        "D6: a table that tells nothing of old rows is refused, unless only inserts are published"
    )
    func nothing() async throws {
        let setUp = "CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY NOTHING"
        let refused = try CaptureBench(sql: setUp)
        let errorEnding = await refused.captureAll()
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.no_replica_identity")
        #expect(error.message.contains("`public.t`"), "\(error)")
        let events = try await told(
            setUp + "; CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert')",
            "INSERT INTO t VALUES (1); UPDATE t SET id = 2; DELETE FROM t; INSERT INTO t VALUES (3)",
            ["publication.autocreate.mode": "disabled"]
        )
        #expect(
            events.map(\.description)
                == [#"c {"id":1} after {"id":1}"#, #"c {"id":3} after {"id":3}"#]
        )
    }

    @Test("D5: a key that deletions would lack is refused, and one they have is used")
    func chosenKey() async throws {
        let table = "CREATE TABLE t (id int PRIMARY KEY, region text NOT NULL, n int)"
        let values = ["message.key.columns": "public.t:region,id"]
        let bench = try CaptureBench(sql: table)
        let errorEnding = await bench.captureAll(values)
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.key_identity")
        #expect(error.configurationKey == "message.key.columns")
        #expect(error.message.contains("`region`"), "\(error)")
        let events = try await told(
            table + "; ALTER TABLE t REPLICA IDENTITY FULL",
            "INSERT INTO t VALUES (1, 'eu', 1); DELETE FROM t",
            values
        )
        #expect(events.map(\.key) == .init(repeating: #"{"region":"eu","id":1}"#, count: 3))
    }

    @Test("a large value that did not change is absent, or the placeholder, or the value as it was")
    func unchangedLarge() async throws {
        let setUp = """
            CREATE TABLE t (id int PRIMARY KEY, n int, big text);
            ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
            INSERT INTO t VALUES (1, 1, repeat('x', 9000))
            """
        let changes = "UPDATE t SET n = 2; UPDATE t SET big = 'small'; UPDATE t SET big = NULL"
        let plain = try await told(setUp, changes)
        #expect(
            plain.map { $0.after?["big"] } == [nil, .string("small"), .null],
            "the first has no field at all"
        )
        let mode = ["unavailable.value.placeholder": "__debezium_unavailable_value"]
        let marked = try await told(setUp, changes, mode)
        #expect(marked.first?.after?["big"] == .string("__debezium_unavailable_value"))
        #expect(marked.last?.after?["big"] == .null)
        let full = try await told(setUp + "; ALTER TABLE t REPLICA IDENTITY FULL", changes)
        #expect(full.first?.after?["big"]?.string?.count == 9_000)
        #expect(full.first?.before?["big"]?.string?.count == 9_000)
    }

    @Test("truncations are told when asked for, of every captured table, in order")
    func truncation() async throws {
        let setUp = """
            CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY);
            CREATE TABLE v (id int PRIMARY KEY)
            """
        let changes = """
            INSERT INTO t VALUES (1); TRUNCATE v, t, u; INSERT INTO t VALUES (1)
            """
        let lists = ["table.include.list": "public\\.[tu]"]
        let operations = lists.merging(["skipped.operations": "none"]) { $1 }
        let told = try await told(setUp, changes, operations)
        try #require(told.map(\.operation) == ["c", "t", "c"])
        #expect(told[1].key == nil && told[1].before == nil && told[1].after == nil)
        #expect(try await self.told(setUp, changes, operations, of: "public.u").count == 1)
        #expect(try await self.told(setUp, changes, lists).map(\.operation) == ["c", "c"])
    }

    @Test("columns that come, go, are renamed or change their type are told from the next row on")
    func columns() async throws {
        let events = try await told(
            "CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, 1, 'x')",
            """
            INSERT INTO t VALUES (2, 2, 'y');
            ALTER TABLE t ADD c int DEFAULT 7; UPDATE t SET a = 3 WHERE id = 1;
            ALTER TABLE t RENAME b TO d; UPDATE t SET a = 4 WHERE id = 1;
            ALTER TABLE t DROP a; UPDATE t SET d = 'z' WHERE id = 1;
            ALTER TABLE t ALTER c TYPE text USING 'c' || c; UPDATE t SET d = 'zz' WHERE id = 1;
            BEGIN; UPDATE t SET d = '1' WHERE id = 2; ALTER TABLE t ADD e bool;
            UPDATE t SET e = true WHERE id = 2; COMMIT
            """
        )
        #expect(
            events.map(\.description) == [
                #"c {"id":2} after {"a":2,"b":"y","id":2}"#,
                #"u {"id":1} after {"a":3,"b":"x","c":7,"id":1}"#,
                #"u {"id":1} after {"a":4,"c":7,"d":"x","id":1}"#,
                #"u {"id":1} after {"c":7,"d":"z","id":1}"#,
                #"u {"id":1} after {"c":"c7","d":"zz","id":1}"#,
                #"u {"id":2} after {"c":"c7","d":"1","id":2}"#,
                #"u {"id":2} after {"c":"c7","d":"1","e":true,"id":2}"#,
            ]
        )
    }

    @Test("a column that may not be null may have been null before it was dropped")
    func droppedColumn() async throws {
        let events = try await told(
            "CREATE TABLE t (id int PRIMARY KEY, a int, b int)",
            """
            INSERT INTO t VALUES (1, NULL, NULL); ALTER TABLE t DROP a;
            UPDATE t SET b = 1; ALTER TABLE t ALTER b SET NOT NULL
            """
        )
        #expect(
            events.map(\.description) == [
                #"c {"id":1} after {"a":null,"b":null,"id":1}"#,
                #"u {"id":1} after {"b":1,"id":1}"#,
            ]
        )
    }

    @Test("messages are told where they stand, and only if their transaction commits")
    func messages() async throws {
        let changes = """
            BEGIN; INSERT INTO t VALUES (1); SELECT pg_logical_emit_message(true, 'in', 'one');
            INSERT INTO t VALUES (2); COMMIT;
            SELECT pg_logical_emit_message(false, 'out', '\\x00ff'::bytea);
            BEGIN; SELECT pg_logical_emit_message(true, 'in', 'never');
            SELECT pg_logical_emit_message(false, 'out', 'always'); ROLLBACK;
            SELECT pg_logical_emit_message(true, 'other', 'left out')
            """
        let bench = try CaptureBench(sql: "CREATE TABLE t (id int PRIMARY KEY)")
        let values = ["message.prefix.exclude.list": "other"]
        #expect(await bench.captureAll(values) == nil)
        try bench.sql(changes)
        #expect(await bench.captureAll(values) == nil)
        // What is at the end is not told again.
        #expect(await bench.captureAll(values) == nil)
        let events = try bench.records("t.message").map { try Event($0) }
        let contents = events.map { "\($0.key ?? "") \($0.message?["content"]?.string ?? "")" }
        #expect(
            contents == [
                #"{"prefix":"in"} b25l"#, #"{"prefix":"out"} AP8="#,
                #"{"prefix":"out"} YWx3YXlz"#,
            ]
        )
        #expect(events.allSatisfy { $0.operation == "m" })
        #expect(try bench.events().count == 2)
    }

    @Test("what was rolled back is not told, and what was prepared when it is committed")
    func rolledBack() async throws {
        let bench = try CaptureBench(sql: "CREATE TABLE t (id int PRIMARY KEY)")
        #expect(await bench.captureAll() == nil)
        try bench.sql(
            """
            BEGIN; INSERT INTO t VALUES (1); ROLLBACK;
            BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s; INSERT INTO t VALUES (3);
            ROLLBACK TO s; INSERT INTO t VALUES (4); COMMIT
            """
        )
        // One that stays prepared would hold up the slots of all other tests.
        for (name, ending) in [("a", "COMMIT"), ("b", "ROLLBACK")] {
            try bench.sql("BEGIN")
            try bench.sql("INSERT INTO t VALUES (5)")
            try bench.sql("PREPARE TRANSACTION '\(bench.slot)\(name)'")
            try bench.sql("INSERT INTO t VALUES (\(name == "a" ? 6 : 7))")
            try bench.sql("\(ending) PREPARED '\(bench.slot)\(name)'")
            try bench.sql("DELETE FROM t WHERE id = 5")
        }
        #expect(await bench.captureAll() == nil)
        let told = try bench.events().compactMap { $0.operation == "c" ? $0.int("id") : nil }
        #expect(told == [2, 4, 6, 5, 7])
    }

    @Test("changes of partitions are told as changes of their table")
    func partitions() async throws {
        let events = try await told(
            """
            CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
            CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (100);
            CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (100) TO (200);
            INSERT INTO t VALUES (1, 1)
            """,
            "INSERT INTO t VALUES (101, 2); UPDATE t_low SET n = 3; UPDATE t SET id = 102 WHERE id = 1",
            ["table.include.list": "public\\.t"]
        )
        #expect(
            events.map(\.description) == [
                #"c {"id":101} after {"id":101,"n":2}"#, #"u {"id":1} after {"id":1,"n":3}"#,
                #"d {"id":1} before {"id":1}"#, #"tombstone {"id":1}"#,
                #"c {"id":102} after {"id":102,"n":3}"#,
            ]
        )
    }

    @Test("each change says where it stands in its transaction, and a topic where those end")
    func transactions() async throws {
        let bench = try CaptureBench(
            sql: "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)"
        )
        let values = ["provide.transaction.metadata": "true"]
        #expect(await bench.captureAll(values) == nil)
        try bench.sql(
            """
            BEGIN; INSERT INTO t VALUES (1); INSERT INTO u VALUES (1); INSERT INTO t VALUES (2);
            COMMIT
            """
        )
        #expect(await bench.captureAll(values) == nil)
        func orders(_ table: String) throws -> [Int?] {
            try bench.events(table).flatMap {
                [
                    $0.transaction?["total_order"]?.int,
                    $0.transaction?["data_collection_order"]?.int,
                ]
            }
        }
        #expect(try orders("public.t") == [1, 1, 3, 2])
        #expect(try orders("public.u") == [2, 1])
        let ends = try bench.records("t.transaction").map { try JSONValue($0.value ?? "").object }
        #expect(ends.compactMap { $0?["status"]?.string } == ["BEGIN", "END"])
        #expect(ends.last??["event_count"]?.int == 3)
    }
}
