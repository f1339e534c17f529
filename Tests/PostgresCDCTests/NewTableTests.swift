import ConnectorSDK
import PostgresClient
import TestServices
import Testing

@Suite("Tables that come and go while others are captured", .captureTurn, .timeLimit(.minutes(10)))
struct NewTableTests {
    private static let table = "CREATE TABLE t (id int PRIMARY KEY)"

    @Test("a new table is found, published and read, and its changes follow")
    func added() async throws {
        let bench = try CaptureBench(sql: Self.table)
        let capture = bench.capture()
        try await bench.isRead()
        try bench.sql(
            """
            CREATE TABLE n (id int PRIMARY KEY, x text);
            INSERT INTO n SELECT g, 'old' FROM generate_series(1, 3000) g
            """
        )
        // One of a transaction that was open when the table was published is not lost either.
        let open = try bench.database.connect()
        try open.execute("BEGIN; INSERT INTO n VALUES (9000, 'open')")
        try await bench.until("it is published") {
            try bench.value("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'n'")
                == "1"
        }
        try open.execute("COMMIT")
        try await bench.isRead("public.n")
        try bench.sql("UPDATE n SET x = 'new' WHERE id IN (7, 9000); DELETE FROM n WHERE id = 8")
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        var rows: [Int: String] = [:]
        for event in try bench.events("public.n") {
            guard let id = event.int("id") else { continue }
            rows[id] = event.operation == "d" ? nil : event.after?["x"]?.string
        }
        #expect(rows.count == 3_000)
        #expect(rows[7] == "new" && rows[9_000] == "new" && rows[8] == nil && rows[9] == "old")
        let reads = try bench.events("public.n").filter { $0.operation == "r" }
        #expect(Set(reads.map { $0.int("id") }).count == reads.count)
    }

    @Test("a new table that is written all the time loses and doubles nothing, keyed or not")
    func written() async throws {
        let bench = try CaptureBench(sql: "CREATE TABLE seed (id int PRIMARY KEY)")
        let capture = bench.capture(["incremental.snapshot.chunk.size": "100"])
        try await bench.isRead("public.seed")
        try bench.sql(
            VersionedRows.table
                + "; INSERT INTO t SELECT g, 1, '' FROM generate_series(1, 2000) g;"
                + "CREATE TABLE plain (id int, version int); ALTER TABLE plain REPLICA IDENTITY FULL"
        )
        let writer = try Writer(bench.database) { connection, round in
            try connection.execute(
                """
                UPDATE t SET version = version + 1 WHERE id IN (\(round % 2_000 + 1), 77);
                INSERT INTO plain VALUES (\(round), 1)
                """
            )
        }
        try await bench.isRead()
        try await bench.isRead("public.plain")
        let rounds = writer.rounds
        try await bench.until("more was written") { writer.rounds > rounds + 50 }
        try await writer.stop()
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        let (problems, last) = VersionedRows.problems(try bench.events())
        #expect(problems.prefix(5) == [])
        #expect(try last == VersionedRows.rows(bench.database))
        let ids = try bench.events("public.plain").compactMap { $0.int("id") }.sorted()
        #expect(ids == Array(0..<writer.rounds) || ids == Array(0...writer.rounds))
    }

    @Test("a table that is dropped and made anew is read anew, and others do not notice")
    func dropped() async throws {
        let bench = try CaptureBench(
            sql: Self.table + "; CREATE TABLE n (id int PRIMARY KEY); INSERT INTO n VALUES (1)"
        )
        let capture = bench.capture()
        try await bench.isRead("public.n")
        try bench.sql("INSERT INTO n VALUES (2); DROP TABLE n; INSERT INTO t VALUES (1)")
        try await bench.until("the others go on") { try bench.count() == 1 }
        try await bench.until("it is gone from the publication") {
            try bench.value("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'n'")
                == "0"
        }
        // Longer than the look-out for tables takes.
        try await bench.until("that was noticed") {
            capture.log.contains("a captured table is gone")
        }
        try bench.sql("CREATE TABLE n (id int PRIMARY KEY, y text); INSERT INTO n VALUES (3, 'y')")
        try await bench.until("it is read again") { try bench.count("public.n") == 3 }
        try bench.sql("INSERT INTO n VALUES (4, 'z')")
        try await bench.until("it is captured") { try bench.count("public.n") == 4 }
        #expect(await capture.stop() == nil)
        #expect(
            try bench.events("public.n").map(\.description) == [
                #"r {"id":1} after {"id":1}"#, #"c {"id":2} after {"id":2}"#,
                #"r {"id":3} after {"id":3,"y":"y"}"#, #"c {"id":4} after {"id":4,"y":"z"}"#,
            ]
        )
    }

    @Test(
        "tables that are dropped or changed before the snapshot comes to them do not stop it",
        arguments: ["1", "2"]
    )
    func droppedBeforeRead(tasks: String) async throws {
        // That the snapshot has begun may be noticed when it is over: then with more to be read.
        for rows in [40_000, 160_000, 640_000] {
            guard try await !droppedBeforeRead(tasks: tasks, rows: rows) else { return }
        }
        Issue.record("All tables were read before one could be dropped.")
    }

    /// Returns whether the tables were dropped and changed in time.
    private func droppedBeforeRead(tasks: String, rows: Int) async throws -> Bool {
        let bench = try CaptureBench(
            sql: """
                CREATE TABLE a (id int PRIMARY KEY);
                INSERT INTO a SELECT g FROM generate_series(1, \(rows)) g;
                CREATE TABLE x (id int PRIMARY KEY); INSERT INTO x VALUES (1);
                CREATE TABLE y (id int PRIMARY KEY, n int); INSERT INTO y VALUES (1, 2);
                CREATE TABLE z (id int PRIMARY KEY); INSERT INTO z VALUES (1)
                """
        )
        let capture = bench.capture(
            CaptureBench.brake.merging(["tasks.max": tasks, "snapshot.range.rows": "\(rows)"]) {
                $1
            }
        )
        try await bench.until("the snapshot has begun") { try bench.count("public.a") > 0 }
        // Its session has come to no other table yet, unless there are two.
        if tasks == "1" { try bench.sql("DROP TABLE x; ALTER TABLE y DROP COLUMN n") }
        try await bench.isRead("public.y")
        try await bench.isRead("public.z")
        try bench.sql("INSERT INTO z VALUES (2)")
        try await bench.until("changes are captured") { try bench.count("public.z") == 2 }
        #expect(await capture.stop() == nil)
        #expect(try bench.count("public.a") == rows)
        guard tasks == "1" else { return true }
        if try bench.count("public.x") > 0 { return false }
        #expect(capture.log.contains("a table was dropped before it was read"), "\(capture.log)")
        #expect(capture.log.contains("public.x"))
        #expect(try bench.positions["public.x"] == nil)
        #expect(try bench.events("public.y").map(\.description) == [#"r {"id":1} after {"id":1}"#])
        return true
    }

    @Test("columns that change while a table is read beside the changes lose no row")
    func changed() async throws {
        let bench = try CaptureBench(
            sql: "CREATE TABLE t (id int PRIMARY KEY, n int);"
                + "INSERT INTO t SELECT g, 0 FROM generate_series(1, 3000) g"
        )
        try bench.sql("SELECT pg_create_logical_replication_slot('\(bench.slot)', 'pgoutput')")
        let writer = try Writer(bench.database) { connection, round in
            try connection.execute("UPDATE t SET n = n + 1 WHERE id = \(round * 37 % 3_000 + 1)")
            // A chunk is read again when columns change; a slow machine has to come to an end too.
            guard round % 25 == 9, round < 1_500 else { return }
            try connection.execute("ALTER TABLE t ADD c\(round) int DEFAULT \(round)")
        }
        let capture = bench.capture(["incremental.snapshot.chunk.size": "150"])
        try await bench.isRead()
        try await writer.stop()
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        var last: [Int: Int] = [:]
        for event in try bench.events() {
            if let id = event.int("id"), let n = event.int("n") { last[id] = n }
        }
        #expect(last.count == 3_000)
        let rows = try bench.sql("SELECT id, n FROM t")
        let wrong = (0..<rows.rowCount).filter { row in
            last[Int(rows.int(row, 0) ?? 0)] != rows.int(row, 1).map { Int($0) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("where the publication is somebody else's, a table comes when it is added to it")
    func foreignPublication() async throws {
        let bench = try CaptureBench(
            sql: Self.table + "; CREATE TABLE n (id int PRIMARY KEY);"
                + "INSERT INTO n VALUES (1); CREATE PUBLICATION p FOR TABLE t"
        )
        let values = [
            "publication.autocreate.mode": "disabled", "table.include.list": "public\\.t",
        ]
        #expect(await bench.captureAll(values) == nil)
        let both = values.merging(["table.include.list": ""]) { $1 }
        let errorEnding = await bench.captureAll(both)
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.publication_tables")
        #expect(error.message.contains("`public.n`"), "\(error)")
        try bench.sql("ALTER PUBLICATION p ADD TABLE n; INSERT INTO n VALUES (2)")
        #expect(await bench.captureAll(both) == nil)
        let ids = try bench.events("public.n").compactMap { $0.int("id") }
        #expect(Set(ids) == [1, 2])
    }
}
