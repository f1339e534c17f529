import ConnectorSDK
import ConnectorTesting
import PostgresClient
import TestServices
import Testing

@testable import PostgresConnector

@Suite("PostgreSQL source: modes", .timeLimit(.minutes(10)))
struct SourceModeTests {
    private static let incrementing = ["mode": "incrementing"]
    private static let timestamps = ["mode": "timestamp", "timestamp.column.name": "at"]

    @Test("incrementing finds rows that come later, and only them")
    func incrementing() async throws {
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE t (id bigserial PRIMARY KEY, v text)")
        try scratch.execute("INSERT INTO t (v) VALUES ('a'), ('b')")
        let first = try await scratch.read(Self.incrementing)
        #expect(first.integers() == [1, 2])
        try scratch.execute("INSERT INTO t (v) VALUES ('c')")
        let second = try await scratch.read(Self.incrementing, from: first.positions)
        #expect(second.integers() == [3])
        #expect(
            second.positions
                == ["public.t": #"{"mode":"incrementing","by":["id"],"after":["3"]}"#]
        )
        #expect(second.sent.first?.topic == "public.t")
    }

    /// Published as confluentinc/kafka-connect-jdbc#27, #172 and #1015: of two transactions, the one
    /// with the smaller id commits last.
    @Test(
        "a row that commits late with a smaller id or an older timestamp is not skipped",
        arguments: [
            ["mode": "incrementing"],
            ["mode": "timestamp", "timestamp.column.name": "at"],
            ["mode": "timestamp+incrementing", "timestamp.column.name": "at"],
            ["mode": "incrementing", "transaction.horizon": "transactions"],
            ["mode": "incrementing", "transaction.horizon": "snapshot"],
        ]
    )
    func lateCommit(values: [String: String]) async throws {  // D6
        let scratch = try SourceScratch()
        try scratch.execute(
            "CREATE TABLE t (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
        )
        let late = try scratch.database.connect()
        try late.execute("BEGIN; INSERT INTO t DEFAULT VALUES")
        try scratch.execute("INSERT INTO t DEFAULT VALUES")
        // While the source waits for the first transaction, more rows come, and it commits.
        let first = try await scratch.read(values) { outlet in
            outlet.onIdle = { count in
                guard count == 3 else { return }
                try scratch.execute("INSERT INTO t DEFAULT VALUES")
                try late.execute("COMMIT")
            }
        }
        #expect(first.integers() == [1, 2], "row 3 came after the bound")
        let second = try await scratch.read(values, from: first.positions)
        #expect(second.integers() == [3])
    }

    @Test("an id taken from the sequence before anything is written holds the rows behind it back")
    func takenBeforeWriting() async throws {
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE t (id bigserial PRIMARY KEY)")
        let late = try scratch.database.connect()
        // No transaction number is assigned by this: snapshots do not show it.
        try late.execute("SELECT nextval('t_id_seq')")
        try late.execute("BEGIN; SELECT nextval('t_id_seq')")
        try scratch.execute("INSERT INTO t DEFAULT VALUES")
        let outlet = try await scratch.read(Self.incrementing) { outlet in
            outlet.onIdle = { count in
                guard count == 2 else { return }
                try late.execute("INSERT INTO t VALUES (2); COMMIT")
            }
        }
        #expect(outlet.integers() == [2, 3])
    }

    @Test("a prepared transaction is waited for, also one that was prepared meanwhile")
    func prepared() async throws {
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE t (id bigserial PRIMARY KEY)")
        let late = try scratch.database.connect()
        try late.execute("BEGIN; INSERT INTO t DEFAULT VALUES")
        try scratch.execute("INSERT INTO t DEFAULT VALUES")
        let gid = "test_\(scratch.database.name)"
        let outlet = try await scratch.read(Self.incrementing) { outlet in
            outlet.onIdle = { count in
                if count == 1 { try late.execute("PREPARE TRANSACTION '\(gid)'") }
                if count == 4 { try scratch.execute("COMMIT PREPARED '\(gid)'") }
            }
        }
        #expect(outlet.integers() == [1, 2])
    }

    @Test("without a horizon rows are read at once, as other readers do")
    func noHorizon() async throws {
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE t (id bigserial PRIMARY KEY)")
        let late = try scratch.database.connect()
        try late.execute("BEGIN; INSERT INTO t DEFAULT VALUES")
        try scratch.execute("INSERT INTO t DEFAULT VALUES")
        let values = ["mode": "incrementing", "transaction.horizon": "none"]
        #expect(try await scratch.read(values).integers() == [2])
    }

    @Test("transactions that touch other tables hold back no incrementing table")
    func otherTables() async throws {
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE t (id bigserial PRIMARY KEY); CREATE TABLE u (x int)")
        let other = try scratch.database.connect()
        try other.execute("BEGIN; INSERT INTO u VALUES (1); SELECT count(*) FROM t")
        try scratch.execute("INSERT INTO t DEFAULT VALUES")
        let values = ["mode": "incrementing", "table.include.list": "public.t"]
        let outlet = try await scratch.read(values) { $0.stopAfterIdling = 5 }
        #expect(outlet.integers() == [1])
    }

    /// Published as confluentinc/kafka-connect-jdbc#598 and #1093: a restart went on behind the time.
    @Test("many rows with one timestamp and a restart in their middle lose nothing")
    func equalTimestamps() async throws {
        let scratch = try SourceScratch()
        try scratch.execute(
            """
            CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL);
            INSERT INTO t SELECT i, '2020-01-01 00:00:00+00' FROM generate_series(1, 10000) i
            """
        )
        var all: [Int64] = []
        var positions: [String: String] = [:]
        for _ in 0..<20 where all.count < 10_000 {
            let outlet = try await scratch.read(
                Self.timestamps.merging(["batch.max.rows": "1000"]) { $1 },
                from: positions
            ) { $0.stopAfterSends = 2 }
            all += outlet.integers()
            positions = outlet.positions
        }
        #expect(all == Array(1...10_000))
    }

    @Test("timestamp+incrementing finds changed rows, to the microsecond")
    func changedRows() async throws {
        let scratch = try SourceScratch()
        let values = ["mode": "timestamp+incrementing", "timestamp.column.name": "at"]
        try scratch.execute(
            """
            CREATE TABLE t (id bigserial PRIMARY KEY, at timestamp NOT NULL);
            INSERT INTO t (at) VALUES ('2020-01-01 00:00:00.000001'), ('2020-01-01 00:00:00.000001')
            """
        )
        let first = try await scratch.read(values)
        #expect(first.integers() == [1, 2])
        try scratch.execute("UPDATE t SET at = '2020-01-01 00:00:00.000002' WHERE id = 1")
        #expect(try await scratch.read(values, from: first.positions).integers() == [1])
    }

    @Test("a view's rows of one time are read again rather than lost")
    func groupsOfAView() async throws {
        let scratch = try SourceScratch()
        try scratch.execute(
            """
            CREATE TABLE x (id int, at timestamptz);
            INSERT INTO x SELECT i, '2020-01-01'::timestamptz + i / 3 * interval '1 day'
                FROM generate_series(1, 9) i;
            CREATE VIEW v AS SELECT * FROM x
            """
        )
        let values = Self.timestamps.merging(
            ["table.include.list": "public.v", "batch.max.rows": "2"]
        ) { $1 }
        let whole = try await scratch.read(values)
        #expect(whole.integers() == Array(1...9))
        for count in 0..<whole.sent.count {
            let positions = RecordingOutlet.positions(after: whole.sent.prefix(count))
            let rest = try await scratch.read(values, from: positions)
            let sent = whole.sent.prefix(count).flatMap(\.records) + rest.records
            #expect(Set(sent) == Set(whole.records), "lost rows behind send \(count)")
        }
        #expect(try await scratch.read(values, from: whole.positions).records.isEmpty)
    }

    @Test("rows younger than the delay wait, and timestamp.initial skips the past")
    func bounds() async throws {
        let scratch = try SourceScratch()
        try scratch.execute(
            """
            CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL);
            INSERT INTO t VALUES (1, '2020-01-01'), (2, '2021-01-01'), (3, now())
            """
        )
        var values = Self.timestamps.merging(["timestamp.delay.interval.ms": "1h"]) { $1 }
        #expect(try await scratch.read(values).integers() == [1, 2])
        values["timestamp.initial"] = "1609459200000"
        #expect(try await scratch.read(values).integers() == [2])
        values["timestamp.initial"] = "-1"
        #expect(try await scratch.read(values).integers() == [])
    }

    @Test("a task's tables are its own, and all are read once between the tasks")
    func tasks() async throws {
        let scratch = try SourceScratch()
        for number in 0..<9 {
            try scratch.execute(
                "CREATE TABLE t\(number) (id int PRIMARY KEY); INSERT INTO t\(number) VALUES (\(number))"
            )
        }
        var seen: [Int64] = []
        for task in 0..<3 {
            let source = try scratch.source([:], task: task, of: 3)
            let outlet = RecordingOutlet(for: source)
            try await source.run(from: [:], into: outlet)
            seen += outlet.integers()
        }
        #expect(seen.sorted() == Array(0..<9))
    }

    @Test("patterns choose tables by schema and name, and views only by name")
    func selection() async throws {
        let scratch = try SourceScratch()
        try scratch.execute(
            """
            CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY);
            CREATE TABLE public.orders (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS id;
            INSERT INTO shop.orders VALUES (1); INSERT INTO orders VALUES (2)
            """
        )
        let topics = { (outlet: RecordingOutlet) in Set(outlet.sent.map(\.topic)) }
        #expect(
            topics(try await scratch.read()).subtracting([""]) == ["public.orders", "shop.orders"]
        )
        let one = try await scratch.read(
            ["table.include.list": "shop\\..*", "topic.prefix": "db."])
        #expect(one.integers() == [1])
        #expect(topics(one).contains("db.shop.orders"))
        let view = try await scratch.read(["table.include.list": "public.v"])
        #expect(view.integers() == [1])
    }
}
