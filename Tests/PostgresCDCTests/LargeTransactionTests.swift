import ConnectorSDK
import Foundation
import PostgresClient
import TestServices
import Testing

/// The shared server streams what takes more than 64 kB before it is complete.
@Suite("Large transactions", .captureTurn, .timeLimit(.minutes(10)))
struct LargeTransactionTests {
    private static let table = "CREATE TABLE t (id int PRIMARY KEY, pad text)"

    private func insert(_ range: ClosedRange<Int>) -> String {
        "INSERT INTO t SELECT g, repeat('x', 200) FROM generate_series(\(range.lowerBound), "
            + "\(range.upperBound)) g"
    }

    /// The bytes of transactions that are kept in files.
    private func spilled(_ bench: CaptureBench) -> Int {
        let folder = bench.directory.file("data/connectors/db/spill")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(0) { sum, name in
            let values = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return sum + ((values?[.size] as? Int) ?? 0)
        }
    }

    /// Published as airbytehq/airbyte#20873 and Trendyol/go-pq-cdc#151: it was kept in memory.
    @Test("D7: one that is not complete is kept in a file, told at its commit and not before")
    func streamed() async throws {
        let bench = try CaptureBench(sql: Self.table)
        let capture = bench.capture()
        try await bench.isRead()
        let writer = try bench.database.connect()
        try writer.execute("BEGIN; \(insert(1...40_000))")
        try await bench.until("some of it is in a file") { spilled(bench) > 4 << 20 }
        // Others go on meanwhile, and come first.
        try bench.sql("INSERT INTO t VALUES (0, 'small')")
        try await bench.until("the small one is told") { try bench.count() == 1 }
        try writer.execute("COMMIT")
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        #expect(try bench.events().compactMap { $0.int("id") } == Array(0...40_000))
        #expect(spilled(bench) == 0)
    }

    @Test("one whose writer gives up leaves nothing behind", arguments: ["ROLLBACK", "gone"])
    func aborted(_ ending: String) async throws {
        let bench = try CaptureBench(sql: Self.table)
        let capture = bench.capture()
        try await bench.isRead()
        var writer: _? = try bench.database.connect()
        try writer?.execute("BEGIN; \(insert(1...40_000))")
        try await bench.until("some of it is in a file") { spilled(bench) > 1 << 20 }
        if ending == "ROLLBACK" { try writer?.execute(ending) }
        writer = nil
        try bench.sql("INSERT INTO t VALUES (0, 'small')")
        try await bench.caughtUp()
        try await bench.until("the file is gone") { spilled(bench) == 0 }
        #expect(await capture.stop() == nil)
        #expect(try bench.events().compactMap { $0.int("id") } == [0])
    }

    @Test("of one with savepoints only what was not rolled back is told", arguments: ["on", "off"])
    func subtransactions(streaming: String) async throws {
        let bench = try CaptureBench(sql: Self.table)
        let capture = bench.capture(["streaming": streaming])
        try await bench.isRead()
        try bench.sql(
            """
            BEGIN; \(insert(1...5_000));
            SAVEPOINT a; \(insert(5_001...10_000));
            SAVEPOINT b; \(insert(10_001...30_000)); ROLLBACK TO b;
            \(insert(30_001...30_100)); RELEASE b;
            SAVEPOINT c; \(insert(40_001...60_000)); ROLLBACK TO c; RELEASE c;
            \(insert(60_001...61_000)); COMMIT
            """
        )
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        let wanted = Array(1...10_000) + Array(30_001...30_100) + Array(60_001...61_000)
        #expect(try bench.events().compactMap { $0.int("id") } == wanted)
    }

    @Test("several that are streamed at the same time come whole, in the order of their commits")
    func interleaved() async throws {
        let bench = try CaptureBench(sql: Self.table)
        let capture = bench.capture()
        try await bench.isRead()
        let writers = try (0..<3).map { _ in try bench.database.connect() }
        for writer in writers { try writer.execute("BEGIN") }
        for round in 0..<6 {
            for (number, writer) in writers.enumerated() {
                let first = number * 100_000 + round * 1_000 + 1
                try writer.execute(insert(first...first + 999))
            }
        }
        try writers[2].execute("COMMIT")
        try writers[0].execute("ROLLBACK")
        try writers[1].execute("COMMIT")
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        let wanted = Array(200_001...206_000) + Array(100_001...106_000)
        #expect(try bench.events().compactMap { $0.int("id") } == wanted)
    }

    struct Change: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var before: [String: String]
        var after: [String: String]
    }

    /// Stopped within a transaction, a connector goes on at a change's number: what is told of the
    /// changes before must not change that number.
    @Test(
        "D3: what is left out may change while stopped within a transaction, and no row is doubled",
        arguments: [
            Change(testDescription: "nothing", before: [:], after: [:]),
            Change(
                testDescription: "operations that come back",
                before: ["skipped.operations": "u"],
                after: ["skipped.operations": "none"]
            ),
            Change(
                testDescription: "operations that are left out",
                before: ["skipped.operations": "none", "streaming": "off"],
                after: ["skipped.operations": "u", "streaming": "off"]
            ),
            Change(
                testDescription: "tables that are left out",
                before: [:],
                after: ["table.include.list": "public\\.t"]
            ),
            Change(
                testDescription: "tables that come back",
                before: ["table.include.list": "public\\.t"],
                after: [:]
            ),
            Change(
                testDescription: "how large transactions come",
                before: ["streaming": "off"],
                after: ["streaming": "on"]
            ),
        ]
    )
    func stoppedWithin(_ change: Change) async throws {
        let bench = try CaptureBench(
            sql: Self.table + "; CREATE TABLE u (id int PRIMARY KEY, pad text);"
                + "CREATE PUBLICATION p FOR TABLE t, u"
        )
        #expect(await bench.captureAll(change.before) == nil)
        let rows = 12_000
        try bench.sql(
            """
            DO $$ BEGIN FOR i IN 1..\(rows) LOOP
                INSERT INTO t VALUES (i, 'a'); UPDATE t SET pad = 'b' WHERE id = i;
                INSERT INTO u VALUES (i, 'a');
            END LOOP; END $$
            """
        )
        let first = try await bench.captureSome(change.before)
        #expect(await first.stop() == nil)
        let storedFound = try bench.positions["stream"]
        let stored = try #require(storedFound)
        #expect(stored.contains("commit"), "it was not stopped within: \(stored)")
        #expect(await bench.captureAll(change.after) == nil)
        let created = try bench.events().filter { $0.operation == "c" }.compactMap { $0.int("id") }
        #expect(created == Array(1...rows))
        let changed = try bench.events().filter { $0.operation == "u" }.compactMap { $0.int("id") }
        #expect(changed.count == Set(changed).count)
        if change.testDescription == "nothing" { #expect(changed == Array(1...rows)) }
    }

    @Test("D3: another publication within a transaction is refused, since it counts otherwise")
    func otherPublication() async throws {
        let bench = try CaptureBench(sql: Self.table)
        #expect(await bench.captureAll() == nil)
        try bench.sql("BEGIN; \(insert(1...30_000)); COMMIT")
        let first = try await bench.captureSome()
        #expect(await first.stop() == nil)
        let errorEnding = await bench.captureAll(["publication.name": "q"])
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.other_publication")
        #expect(await bench.captureAll() == nil)
        #expect(try bench.events().compactMap { $0.int("id") } == Array(1...30_000))
        #expect(try bench.positions["stream"]?.contains("commit") == false)
    }
}
