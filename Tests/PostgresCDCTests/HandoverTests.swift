import ConnectorSDK
import PostgresClient
import Testing

@Suite("From the snapshot to the stream", .captureTurn, .timeLimit(.minutes(10)))
struct HandoverTests {
    private static let rows = 20_000
    private static let setUp =
        VersionedRows.table + "; INSERT INTO t SELECT g, 1, repeat('x', 40) "
        + "FROM generate_series(1, \(rows)) g"

    /// Changes old rows and adds new ones, some of which go again.
    private func writer(_ bench: CaptureBench) throws -> Writer {
        let rows = Self.rows
        return try Writer(bench.database) { connection, round in
            let id = round * 7_919 % rows + 1
            try connection.execute(
                """
                UPDATE t SET version = version + 1 WHERE id IN (\(id), \(rows - id + 1));
                INSERT INTO t VALUES (\(rows + round + 1), 1, 'new');
                DELETE FROM t WHERE id = \(round % 10 == 9 ? rows + round : 0)
                """
            )
        }
    }

    /// Waits until the topic has everything, and checks each key's history.
    @discardableResult
    private func check(_ bench: CaptureBench) async throws -> [Event] {
        try await bench.caughtUp()
        let events = try bench.events()
        let (problems, last) = VersionedRows.problems(events)
        #expect(problems.prefix(5) == [])
        let rows = try VersionedRows.rows(bench.database)
        let different = Set(last.keys).union(rows.keys).filter { last[$0] != rows[$0] }.sorted()
            .prefix(5).map { "\($0): \(last[$0] ?? -1) instead of \(rows[$0] ?? -1)" }
        #expect(different == [])
        return events
    }

    private func reads(_ events: [Event]) -> [Int: Int] {
        Dictionary(
            events.filter { $0.operation == "r" }.compactMap { $0.int("id") }.map { ($0, 1) },
            uniquingKeysWith: +
        )
    }

    /// Published as Conduit's second postmortem: what came after the snapshot was lost.
    @Test(
        "no change is lost, doubled or out of order, however many tasks read the tables",
        arguments: [1, 3]
    )
    func handover(tasks: Int) async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let writer = try writer(bench)
        let capture = bench.capture(["tasks.max": "\(tasks)", "snapshot.range.rows": "1000"])
        try await bench.isRead()
        let rounds = writer.rounds
        try await bench.until("the stream has begun") { writer.rounds > rounds + 20 }
        try await writer.stop()
        let events = try await check(bench)
        #expect(await capture.stop() == nil)
        #expect(reads(events).count >= Self.rows)
        #expect(reads(events).values.allSatisfy { $0 == 1 })
        let ranges = try bench.positions.keys.filter { $0.hasPrefix("public.t#") }
        #expect(ranges.count >= 3)
    }

    @Test("tables are read beside the changes when the slot is there already")
    func besideChanges() async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        try bench.sql("SELECT pg_create_logical_replication_slot('\(bench.slot)', 'pgoutput')")
        let writer = try writer(bench)
        let capture = bench.capture(["incremental.snapshot.chunk.size": "100"])
        try await bench.isRead()
        try await writer.stop()
        let events = try await check(bench)
        #expect(await capture.stop() == nil)
        #expect(reads(events).values.allSatisfy { $0 == 1 })
        #expect(events.contains { $0.source["snapshot"]?.string == "incremental" })
    }

    struct Key: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var columns: String
        /// Values of the row `g`, each key once.
        var values: String
    }

    /// Published as DBZ-1998 and others: chunks by keys that are no integers skipped rows.
    @Test(
        "each row is read once, whatever its key is, before the changes and beside them",
        arguments: [
            Key(
                testDescription: "text and numeric",
                columns: "a text, b numeric, PRIMARY KEY (a, b)",
                values: "chr(97 + g % 20) || ' ''\\\"', g / 7.0"
            ),
            Key(
                testDescription: "uuid",
                columns: "a uuid PRIMARY KEY",
                values: "md5(g::text)::uuid"
            ),
            Key(
                testDescription: "bytes and a time",
                columns: "a bytea, b timestamptz, PRIMARY KEY (b, a)",
                values:
                    "decode(md5(g::text), 'hex'), '2026-01-01'::timestamptz + g % 9 * '1 h'::interval"
            ),
            Key(
                testDescription: "a collation that is not by bytes",
                columns: "a text COLLATE \"und-x-icu\" PRIMARY KEY",
                values: "CASE WHEN g % 2 = 0 THEN 'å' ELSE 'Z' END || to_hex(g)"
            ),
            Key(
                testDescription: "a number with a sign",
                columns: "a float8 PRIMARY KEY",
                values: "1500.5 - g"
            ),
        ]
    )
    func keys(_ key: Key) async throws {
        let rows = 3_000
        let setUp = """
            CREATE TABLE "odd Schema"."tä""ble" (\(key.columns), "va ""lue\\" int);
            INSERT INTO "odd Schema"."tä""ble"
                SELECT \(key.values), g FROM generate_series(1, \(rows)) g
            """
        let topic = "t.odd_Schema.t__"
        for isBeside in [false, true] {
            let bench = try CaptureBench(sql: "CREATE SCHEMA \"odd Schema\";" + setUp)
            if isBeside {
                try bench.sql(
                    "SELECT pg_create_logical_replication_slot('\(bench.slot)', 'pgoutput')"
                )
            }
            let values = ["snapshot.range.rows": "1000", "incremental.snapshot.chunk.size": "99"]
            #expect(await bench.captureAll(values) == nil)
            try bench.sql("UPDATE \"odd Schema\".\"tä\"\"ble\" SET \"va \"\"lue\\\" = 0")
            #expect(await bench.captureAll(values) == nil)
            let name = try #require(bench.topics.first { $0.hasPrefix(topic) })
            let events = try bench.records(name).map { try Event($0) }
            let read = events.filter { $0.operation == "r" }.compactMap { $0.int("va \"lue\\") }
            #expect(read.sorted() == Array(1...rows))
            let keys = Set(events.filter { $0.operation == "r" }.compactMap(\.key))
            #expect(keys.count == rows)
            // A change has the very key that the snapshot told.
            #expect(keys == Set(events.filter { $0.operation == "u" }.compactMap(\.key)))
        }
    }

    @Test("a row that goes before an interrupted snapshot came to it is told to go, and only once")
    func goneUnread() async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let values = ["snapshot.range.rows": "1000", "incremental.snapshot.chunk.size": "500"]
        let first = try await bench.captureSome(values)
        #expect(await first.stop() == nil)
        let unread = Self.rows
        #expect(try !bench.events().contains { $0.int("id") == unread })
        try bench.sql("DELETE FROM t WHERE id = \(unread)")
        #expect(await bench.captureAll(values) == nil)
        let told = try bench.events().filter { $0.key == #"{"id":\#(unread)}"# }
        #expect(told.map { $0.operation ?? "tombstone" } == ["d", "tombstone"])
        #expect(reads(try bench.events()).count == Self.rows - 1)
    }

    /// Published as debezium-design-documents#13 and iceberg-server#747: it began again.
    @Test("a snapshot that was interrupted goes on, and reads no row twice", arguments: [1, 2])
    func interrupted(tasks: Int) async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let values = [
            "tasks.max": "\(tasks)", "snapshot.range.rows": "1000",
            "incremental.snapshot.chunk.size": "500",
        ]
        let writer = try writer(bench)
        let first = try await bench.captureSome(values)
        #expect(await first.stop() == nil)
        let before = try bench.events().count
        #expect(before < Self.rows)
        let second = bench.capture(values)
        try await bench.isRead()
        try await writer.stop()
        let events = try await check(bench)
        #expect(await second.stop() == nil)
        #expect(reads(events).values.allSatisfy { $0 == 1 })
        #expect(events.dropFirst(before).contains { $0.operation == "r" })
    }
}
