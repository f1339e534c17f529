import ConnectorSDK
import ConnectorTesting
import TableMapping
import Testing

@testable import SQLiteConnector

@Suite("SQLite source: modes")
struct SourceModeTests {
    private static let timestamps = ["mode": "timestamp", "timestamp.column.name": "at"]

    private func ids(_ outlet: RecordingOutlet) -> [Int64] {
        outlet.records.compactMap { record in
            guard case .int(let id) = record["id"] else { return nil }
            return id
        }
    }

    @Test("incrementing finds rows that come later, and only them")
    func incrementing() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (5), (9)"
        )
        let values = ["mode": "incrementing"]
        let first = try await scratch.read(values)
        #expect(ids(first) == [5, 9])
        try scratch.execute("INSERT INTO t VALUES (3), (11)")
        let second = try await scratch.read(values, from: first.positions)
        #expect(ids(second) == [11])
        #expect(second.positions == ["t": #"{"mode":"incrementing","by":["id"],"after":[11]}"#])
    }

    @Test("timestamp+incrementing finds changed rows and rows of equal times")
    func timestampIncrementing() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT NOT NULL);
            INSERT INTO t VALUES (1, '2020-01-01T00:00:00Z'), (2, '2020-01-01T00:00:00Z');
            """
        )
        var values = Self.timestamps
        values["mode"] = "timestamp+incrementing"
        let first = try await scratch.read(values)
        #expect(ids(first) == [1, 2])
        try scratch.execute(
            """
            INSERT INTO t VALUES (3, '2020-01-01T00:00:00Z');
            UPDATE t SET at = '2021-01-01T00:00:00Z' WHERE id = 1;
            """
        )
        #expect(ids(try await scratch.read(values, from: first.positions)) == [3, 1])
    }

    @Test(
        "ten thousand rows of one time survive a stop in their middle",
        arguments: ["", "CREATE INDEX i ON t (at)"]
    )
    func equalTimestamps(_ index: String) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER NOT NULL); \(index);
            WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                INSERT INTO t SELECT i, 1600000000 FROM n;
            """
        )
        var all: [Int64] = []
        var positions: [String: String] = [:]
        for _ in 0..<20 where all.count < 10_000 {
            let outlet = try await scratch.read(
                Self.timestamps.merging(["batch.max.rows": "1000"]) { $1 },
                from: positions
            ) { $0.stopAfterSends = 2 }
            all += ids(outlet)
            positions = outlet.positions
        }
        #expect(all == Array(1...10_000))
    }

    @Test("a view's rows of one time are read again rather than lost")
    func groupsOfAView() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE x (id, at);
            INSERT INTO x VALUES (1, 100), (2, 100), (3, 200), (4, 200), (5, 200), (6, 300);
            CREATE VIEW v AS SELECT * FROM x;
            """
        )
        let values = Self.timestamps.merging(
            ["table.include.list": "v", "batch.max.rows": "2"]
        ) { $1 }
        let whole = try await scratch.read(values)
        #expect(ids(whole) == [1, 2, 3, 4, 5, 6])
        for count in 0..<whole.sent.count {
            let positions = RecordingOutlet.positions(after: whole.sent.prefix(count))
            let rest = try await scratch.read(values, from: positions)
            let sent = whole.sent.prefix(count).flatMap(\.records) + rest.records
            #expect(Set(sent) == Set(whole.records), "lost rows behind send \(count)")
        }
        #expect(try await scratch.read(values, from: whole.positions).records.isEmpty)
    }

    @Test("rows of the future wait, and timestamp.initial skips the past")
    func bounds() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT NOT NULL);
            INSERT INTO t VALUES (1, '2020-01-01'), (2, '2021-01-01'), (3, '2999-01-01');
            """
        )
        #expect(ids(try await scratch.read(Self.timestamps)) == [1, 2])
        var values = Self.timestamps
        values["timestamp.initial"] = "1609459200000"
        #expect(ids(try await scratch.read(values)) == [2])
        values["timestamp.initial"] = "-1"
        #expect(ids(try await scratch.read(values)) == [])
        values = Self.timestamps
        values["timestamp.delay.interval.ms"] = "10000d"
        #expect(ids(try await scratch.read(values)) == [])
    }

    @Test("of several timestamp columns the first that is not null counts")
    func coalesced() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, changed TEXT, made TEXT);
            INSERT INTO t VALUES (1, NULL, '2020-03-01'), (2, '2020-02-01', '2020-01-01'),
                (3, NULL, NULL);
            """
        )
        let values = ["mode": "timestamp", "timestamp.column.name": "changed,made"]
        #expect(ids(try await scratch.read(values)) == [2, 1])
    }

    @Test("bulk that polls reads everything each time; one that does not, once")
    func polledBulk() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)"
        )
        let polled = try await scratch.read(["poll.interval.ms": "1"]) { $0.stopAfterIdling = 2 }
        #expect(ids(polled) == [1, 2, 1, 2, 1, 2])
        let once = try await scratch.read()
        #expect(once.positions == ["t": #"{"mode":"bulk","done":true}"#])
        #expect(try scratch.source().isBounded)
        #expect(try !scratch.source(["poll.interval.ms": "1"]).isBounded)
    }

    @Test("a query is read in any mode, and its rows go to the topic")
    func queries() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE x (id INTEGER PRIMARY KEY, b BLOB);
            INSERT INTO x VALUES (1, X'01'), (2, X'02'), (3, X'03');
            """
        )
        let query = "SELECT id, b FROM x WHERE id <> 2 ORDER BY id DESC"
        let bulk = try await scratch.read(["mode": "query", "query": query, "topic": "q"])
        #expect(ids(bulk) == [3, 1])
        #expect(bulk.records.first?["b"] == .bytes([3]))
        let values = [
            "mode": "incrementing", "query": query, "topic": "q", "incrementing.column.name": "id",
        ]
        let first = try await scratch.read(values)
        #expect(ids(first) == [1, 3])
        #expect(first.records.map(\.topic) == ["q", "q"])
        try scratch.execute("INSERT INTO x VALUES (4, NULL)")
        #expect(ids(try await scratch.read(values, from: first.positions)) == [4])
    }

    @Test("a query whose rows changed since it was read in part is read anew, not skipped")
    func changedQuery() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE x (id); INSERT INTO x VALUES (1), (2), (3), (4)")
        let values = [
            "mode": "query", "query": "SELECT id FROM x", "topic": "q", "batch.max.rows": "2",
        ]
        let first = try await scratch.read(values) { $0.stopAfterSends = 1 }
        #expect(ids(first) == [1, 2])
        #expect(ids(try await scratch.read(values, from: first.positions)) == [3, 4])
        try scratch.execute("DELETE FROM x WHERE id = 1")
        #expect(ids(try await scratch.read(values, from: first.positions)) == [2, 3, 4])
    }

    @Test(
        "configurations that cannot work name the key",
        arguments: [
            (["mode": "query"], "query"),
            (["query": "SELECT 1"], "topic"),
            (["query": "SELECT 1", "topic": "q", "table.include.list": "t"], "query"),
            (["mode": "timestamp"], "timestamp.column.name"),
            (
                ["mode": "incrementing", "query": "SELECT 1", "topic": "q"],
                "incrementing.column.name"
            ),
            (["table.include.list": "("], "table.include.list"),
            (["timestamp.initial": "yesterday"], "timestamp.initial"),
        ] as [([String: String], String)]
    )
    func invalid(_ values: [String: String], _ key: String) throws {
        let scratch = try ScratchDatabase()
        let error = #expect(throws: ConnectorError.self) { _ = try scratch.source(values) }
        #expect(error?.kind == .configuration)
        #expect(error?.configurationKey == key)
    }

    @Test(
        "tables that cannot be read so name the key",
        arguments: [
            (["mode": "timestamp", "timestamp.column.name": "ad"], "timestamp.column.name"),
            (["mode": "timestamp", "timestamp.column.name": "at"], "timestamp.column.name"),
            (
                ["mode": "incrementing", "incrementing.column.name": "n"],
                "incrementing.column.name"
            ),
            (["mode": "query", "query": "SELECT nonsense FROM t", "topic": "q"], "query"),
            (["mode": "query", "query": "SELECT 1 AS a, 2 AS a", "topic": "q"], "query"),
            (
                ["mode": "timestamp", "timestamp.column.name": "odd"], "timestamp.column.name"
            ),
        ] as [([String: String], String)]
    )
    func unreadable(_ values: [String: String], _ key: String) async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, n INT, odd TEXT NOT NULL);
            INSERT INTO t VALUES (1, '2020-01-01', 1, 'the other day');
            """
        )
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await scratch.read(values)
        }
        #expect(error?.kind == .configuration)
        #expect(error?.configurationKey == key)
    }

    @Test("a position of another mode, or of nobody's making, stops the task")
    func foreignPositions() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
        let positions = [
            #"{"mode":"incrementing","by":["id"],"after":[1]}"#, "", "{}", "[", "17",
            #"{"mode":"bulk","by":["id"],"after":[true]}"#,
            #"{"mode":"bulk","by":["id"],"after":[1,2]}"#,
            #"{"mode":"bulk","by":["other"],"after":[1]}"#,
            #"{"mode":"bulk","by":["id"],"after":[{"blob":"0"}]}"#,
        ]
        for position in positions {
            let error = await #expect(throws: ConnectorError.self, "\(position)") {
                _ = try await scratch.read(from: ["t": position])
            }
            // D9
            #expect(error?.code.rawValue == "sqlite.position")
        }
    }

    @Test(
        "an instant is written as the column writes instants",
        arguments: [
            ("2020-02-29", "2026-11-04"),
            ("2020-02-29 10:00", "2026-11-04 01:25"),
            ("2020-02-29T10:00:00Z", "2026-11-04T01:25:34Z"),
            ("2020-02-29 10:00:00.123", "2026-11-04 01:25:34.123"),
            ("2020-02-29T10:00:00.000000+02:00", "2026-11-04T03:25:34.123456+02:00"),
            ("2020-02-29T10:00:00-0330", "2026-11-03T21:55:34-0330"),
        ]
    )
    func shapes(_ sample: String, _ wanted: String) throws {
        let shape = try #require(TimestampShape(.text(sample)))
        guard case .text(let text) = shape.value(of: 1_793_755_534_123_456) else {
            Issue.record("no text")
            return
        }
        #expect(String(decoding: text.raw, as: UTF8.self) == wanted)
    }

    @Test(
        "texts that are no instants have no shape",
        arguments: [
            "", "soon", "2020-2-9", "2020-02-29x", "2020-02-29 10", "2020-02-29 10:00:00 CET",
            "2020-02-29T10:00:00.Z",
        ]
    )
    func shapeless(_ sample: String) {
        #expect(TimestampShape(.text(sample)) == nil)
    }
}
