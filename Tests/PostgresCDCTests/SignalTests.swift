import ConnectorSDK
import Foundation
import PostgresClient
import TestServices
import Testing

@Suite("Signals", .captureTurn, .timeLimit(.minutes(10)))
struct SignalTests {
    private static let setUp =
        VersionedRows.table + "; INSERT INTO t SELECT g, 1, '' FROM generate_series(1, 3000) g;"
        + "CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, "
        + "data varchar(2048))"
    private static let values = [
        "signal.data.collection": "public.signals", "incremental.snapshot.chunk.size": "100",
        "table.include.list": "public\\.t",
    ]

    private func signal(_ bench: CaptureBench, _ type: String, _ data: String = "") throws {
        try bench.sql(
            "INSERT INTO signals VALUES (gen_random_uuid()::text, '\(type)', '\(data)')"
        )
    }

    private func reads(_ bench: CaptureBench) throws -> [Event] {
        try bench.events().filter { $0.operation == "r" }
    }

    @Test("a row in the table has rows read again while changes go on, each key in order")
    func byTable() async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let capture = bench.capture(Self.values)
        try await bench.isRead()
        let before = try bench.count()
        let writer = try Writer(bench.database) { connection, round in
            try connection.execute(
                """
                UPDATE t SET version = version + 1 WHERE id IN (\(round % 3_000 + 1), 2999);
                DELETE FROM t WHERE id = \(10_000 + round - 1);
                INSERT INTO t VALUES (\(10_000 + round), 1, '')
                """
            )
        }
        try signal(bench, "execute-snapshot", #"{"data-collections": ["public\\.t"]}"#)
        try await bench.until("it has begun") {
            try bench.positions["public.t"]?.contains(#""run":2"#) == true
        }
        try await bench.isRead()
        try await writer.stop()
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        let again = try reads(bench).dropFirst(Int(before))
        let ids = again.compactMap { $0.int("id") }
        #expect(ids.count == Set(ids).count)
        #expect(again.allSatisfy { $0.source["snapshot"]?.string == "incremental" })
        #expect(!bench.topics.contains("t.public.signals"))
        let (problems, last) = VersionedRows.problems(try bench.events())
        #expect(problems.prefix(5) == [])
        #expect(try last == VersionedRows.rows(bench.database))
        // What a change told while its chunk was read is not told by the chunk.
        #expect(ids.count > 2_000)
    }

    @Test("a condition says which rows, and a file asks as well as a row")
    func byFile() async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let capture = bench.capture(Self.values)
        try await bench.isRead()
        let before = try bench.count()
        let folder = bench.directory.file("data/connectors/db/signals")
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        let text = """
            {"id": "1", "type": "execute-snapshot", "data": {"data-collections": [".*"],
             "additional-conditions": [{"data-collection": "public.t",
                                        "filter": "id % 1000 = 0 OR pad > 'a'"}]}}
            """
        try Data(text.utf8).write(to: URL(filePath: folder + "/1.json"), options: .atomic)
        try await bench.until("they are read again") { try bench.count() == before + 3 }
        try await bench.until("the file is gone") {
            try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
        }
        #expect(await capture.stop() == nil)
        #expect(try reads(bench).suffix(3).map { $0.int("id") } == [1_000, 2_000, 3_000])
    }

    @Test("reading is paused, resumed and stopped, and a restart goes on where it was")
    func stopped() async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        #expect(await bench.captureAll(Self.values) == nil)
        let values = Self.values.merging(["incremental.snapshot.chunk.size": "10"]) { $1 }
            .merging(CaptureBench.brake) { $1 }
        let first = bench.capture(values)
        try await bench.until("it streams") { try bench.slotValue("active") == "t" }
        try signal(bench, "execute-snapshot", #"{"data-collections": ["public\\.t"]}"#)
        try await bench.until("some were read") { try bench.count() > 3_100 }
        try signal(bench, "pause-snapshot")
        try bench.sql("UPDATE t SET pad = 'paused' WHERE id = 1")
        try await bench.caughtUp()
        let paused = try reads(bench).count
        for text in ["still", "and", "still"] {
            try bench.sql("UPDATE t SET pad = '\(text)' WHERE id = 1")
            try await bench.caughtUp()
        }
        // The chunk that was being read may have come after the pause, and no other.
        let settled = try reads(bench).count
        #expect(settled <= paused + 10)
        #expect(settled < 6_000)
        #expect(await first.stop() == nil)
        // Whoever starts again reads on.
        let second = bench.capture(values)
        try await bench.until("it goes on") { try reads(bench).count > settled }
        try signal(bench, "stop-snapshot")
        try await bench.isRead()
        let stopped = try reads(bench).count
        #expect(stopped < 6_000)
        try await bench.caughtUp()
        #expect(try reads(bench).count == stopped)
        #expect(await second.stop() == nil)
        let ids = try reads(bench).dropFirst(3_000).compactMap { $0.int("id") }
        #expect(ids == Array(1...ids.count))
    }

    @Test(
        "D9: what is no signal is told in the log and stops nothing",
        arguments: [
            ("execute-snapshot", "{"), ("execute-snapshot", "{}"), ("dance", ""),
            ("execute-snapshot", #"{"data-collections": ["t"], "type": "blocking"}"#),
            ("execute-snapshot", #"{"data-collections": ["nowhere"]}"#),
            ("execute-snapshot", #"{"data-collections": ["("]}"#),
        ]
    )
    func nonsense(_ type: String, _ data: String) async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let capture = bench.capture(Self.values)
        try await bench.isRead()
        try signal(bench, type, data)
        try bench.sql("INSERT INTO t VALUES (9999, 1, '')")
        try await bench.until("it goes on") { try bench.count() == 3_001 }
        #expect(await capture.stop() == nil)
        #expect(capture.log.contains("signal"))
    }

    @Test(
        "D9: a condition that the server refuses stops reading that table, and nothing else",
        arguments: ["nonsense >", "nowhere = 1", "1 / (id - id) = 1"]
    )
    func badCondition(_ condition: String) async throws {
        let bench = try CaptureBench(sql: Self.setUp)
        let capture = bench.capture(Self.values)
        try await bench.isRead()
        try signal(
            bench,
            "execute-snapshot",
            #"{"data-collections": ["public\\.t"], "additional-conditions": "#
                + #"[{"data-collection": "public\\.t", "filter": "\#(condition)"}]}"#
        )
        try await bench.until("it is told") {
            capture.log.contains("condition cannot be used")
        }
        try bench.sql("INSERT INTO t VALUES (9999, 1, '')")
        try await bench.until("it goes on") { try bench.count() == 3_001 }
        #expect(await capture.stop() == nil)
    }
}
