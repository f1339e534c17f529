import ConnectorSDK
import Foundation
import PostgresClient
import TestServices
import Testing

/// Real kills of the real process.
///
/// `scripts/soak-capture` runs the same for longer.
@Suite("A capture that is killed at any moment", .captureTurn, .timeLimit(.minutes(30)))
struct KillTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let kills = Int(environment["MILLRACE_CAPTURE_KILLS"] ?? "") ?? 10
    private static let binary = environment["MILLRACE_BINARY"] ?? Products.millrace
    private static let rows = 5_000

    private static let setUp = """
        CREATE TABLE a (id int PRIMARY KEY, version int NOT NULL, pad text);
        CREATE TABLE b (id int PRIMARY KEY, version int NOT NULL, pad text);
        CREATE TABLE journal (id int PRIMARY KEY, note text);
        INSERT INTO a SELECT g, 1, repeat('x', 50) FROM generate_series(1, \(rows)) g;
        INSERT INTO b SELECT g, 1, repeat('y', 50) FROM generate_series(1, \(rows)) g
        """

    /// A transaction over all tables, of which each that commits is a row of the journal.
    ///
    /// Most are small, some are large enough to be streamed, some are rolled back as a whole or in
    /// part.
    private static func transaction(_ round: Int) -> String {
        var text = "BEGIN; INSERT INTO journal VALUES (\(round), 'one');"
        for table in ["a", "b"] {
            text += """
                UPDATE \(table) SET version = version + 1
                    WHERE id IN (\(round * 31 % rows + 1), \(round % 7 + 1));
                INSERT INTO \(table) VALUES (\(100_000 + round), 1, 'new');
                DELETE FROM \(table) WHERE id = \(100_000 + round - 3);
                """
        }
        if round % 5 == 1 {
            text += """
                SAVEPOINT s; UPDATE a SET version = version + 1000 WHERE id < 400;
                UPDATE b SET version = version - 1000 WHERE id > 4000; ROLLBACK TO s;
                """
        }
        if round % 150 == 20 {
            text += "UPDATE a SET version = version + 1; UPDATE b SET version = version + 1;"
        }
        return text + (round % 11 == 10 ? "ROLLBACK" : "COMMIT")
    }

    @Test("loses, doubles and reorders nothing, in the snapshot and in the stream")
    func kills() async throws {  // D1, D2, D3, D5, D6
        let bench = try CaptureBench(sql: Self.setUp)
        try bench.directory.write(
            """
            pipeline: kills
            sources:
              db:
                connector: postgres-cdc
                url: \(bench.database.url)
                topic.prefix: t
                slot.name: \(bench.slot)
                publication.name: p
                snapshot.range.rows: 1000
                incremental.snapshot.chunk.size: 200
                heartbeat.interval.ms: 100
                tasks.max: 2
            """,
            to: "p.yaml"
        )
        let writer = try Writer(bench.database) { connection, round in
            try connection.execute(Self.transaction(round))
        }
        var random = SystemRandomNumberGenerator()
        for number in 0..<Self.kills {
            let process = try Command(
                [Self.binary, "run", "--data-dir", "killed", "p.yaml"],
                in: bench.directory.path
            )
            // The first ones die while tables are read, the others anywhere.
            let longest: UInt64 = number < Self.kills / 2 ? 500 : 1_000
            try await Task.sleep(for: .milliseconds(Int64(random.next(upperBound: longest) + 150)))
            process.signal(SIGKILL)
            let ending = try await process.wait()
            #expect(ending.exitCode == -SIGKILL, "it ended by itself: \(ending.errors)")
        }
        try await killWhileStreaming(bench)
        try await writer.stop()
        let last = try await Command.run(
            [Self.binary, "run", "--until-end", "--data-dir", "killed", "p.yaml"],
            in: bench.directory.path
        )
        #expect(last.exitCode == 0, "\(last.errors)")
        let topics = try StoredTopics(bench.directory.file("killed"))
        for table in ["a", "b"] { try check(table, topics, bench) }
        try checkJournal(topics, bench)
    }

    /// However slow the machine is, the last one has told some transactions after the tables.
    private func killWhileStreaming(_ bench: CaptureBench) async throws {
        let process = try Command(
            [Self.binary, "run", "--data-dir", "killed", "p.yaml"],
            in: bench.directory.path
        )
        func written() throws -> Int64 {
            try bench.sql("SELECT count(*) FROM journal").int(0, 0) ?? 0
        }
        try await bench.caughtUp()
        let before = try written()
        try await bench.until("more was written") {
            try written() > before + Int64(Self.kills)
        }
        try await bench.caughtUp()
        process.signal(SIGKILL)
        #expect(try await process.wait().exitCode == -SIGKILL)
    }

    private func check(
        _ table: String,
        _ topics: StoredTopics,
        _ bench: CaptureBench
    ) throws {
        let (problems, last) = VersionedRows.problems(try topics.events("public.\(table)"))
        #expect(problems.prefix(5) == [], "\(table)")
        #expect(try last == VersionedRows.rows(bench.database, table), "\(table)")
    }

    /// Each transaction is there, once as a change at most, and those in the order of commits.
    ///
    /// A row that is read beside the changes may have been told by them already.
    private func checkJournal(_ topics: StoredTopics, _ bench: CaptureBench) throws {
        let events = try topics.events("public.journal")
        let ids = events.compactMap { $0.int("id") }
        let rows = try bench.sql("SELECT id FROM journal ORDER BY id")
        #expect(Set(ids).sorted() == (0..<rows.rowCount).map { Int(rows.int($0, 0) ?? -1) })
        let told = events.filter { $0.operation == "c" }.compactMap { $0.int("id") }
        #expect(told == Set(told).sorted())
        #expect(told.count > Self.kills, "hardly anything was streamed")
    }
}
