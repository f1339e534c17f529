import ConnectorSDK
import ConnectorTesting
import Glibc
import SQLiteClient
import Testing

@testable import SQLiteCDCConnector

@Suite("Files, locks and other writers")
struct EnvironmentTests {
    private static let table =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'hunter2')"

    @Test("a database that is not there, is none, or may not be written is said plainly")
    func unusable() async throws {  // D9
        let database = try CapturedDatabase(Self.table, journal: "DELETE")
        let missing = try #require(
            try await database.failure(["path": database.directory + "/none.db"])
        )
        #expect(missing.code.rawValue == "sqlite.cannot_open")
        #expect(missing.kind == .environment)
        let copy = database.directory + "/copy.db"
        let file = try #require(fopen(copy, "w"))
        fputs("This is no database, although it is long enough to be one of some kind.", file)
        fclose(file)
        let wrong = try #require(try await database.failure(["path": copy]))
        #expect(wrong.code.rawValue == "sqlite.corrupt")
        #expect(wrong.message.contains(copy))
    }

    @Test("a file that may only be read is refused before anything is told")
    func readOnly() async throws {
        let database = try CapturedDatabase(Self.table, journal: "DELETE")
        // A write version that SQLite does not know, so that it reads only, also for the superuser.
        let file = try #require(fopen(database.path, "r+"))
        fseek(file, 18, SEEK_SET)
        fputc(3, file)
        fclose(file)
        let error = try #require(try await database.failure())
        #expect(error.code.rawValue == "sqlite.read_only")
        #expect(error.kind == .environment)
        #expect(error.disposition == .failTask)
        #expect(error.hint?.contains("writable") == true)
        #expect(database.records.isEmpty)
    }

    @Test("while a writer holds the lock, changes are read and nothing is cleared")
    func busyWriter() async throws {
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        try database.execute("UPDATE t SET v = 1; UPDATE t SET v = 2; UPDATE t SET v = 3")
        let clock = ContinuousClock()
        let start = clock.now
        let records = try await database.follow(["busy.timeout.ms": "60000"], pauses: 4) { pause in
            // The source is open already, so only clearing needs the lock.
            if pause == 0 { try database.execute("BEGIN IMMEDIATE; UPDATE t SET v = 4") }
        }
        #expect(clock.now - start < .seconds(20))
        #expect(records.count == 3)
        try database.execute("COMMIT")
        #expect(try await database.capture().count == 1)
        #expect(try database.number("SELECT count(*) FROM __millrace_cdc_log") == 1)
    }

    @Test("a lock that is never given is an error to try again")
    func locked() async throws {
        let database = try CapturedDatabase(Self.table)
        try database.execute("BEGIN IMMEDIATE")
        let error = try #require(try await database.failure(["busy.timeout.ms": "10"]))
        #expect(error.code.rawValue == "sqlite.busy")
        #expect(error.disposition == .retry(after: nil))
        try database.execute("COMMIT")
        #expect(try await database.capture().count == 1)
    }

    @Test("preflight tells what will be captured, and changes nothing")
    func preflight() async throws {
        let database = try CapturedDatabase(
            Self.table + "; CREATE TABLE u (rowid, oid, _rowid_); CREATE VIEW w AS SELECT 1"
        )
        func checks(_ values: [String: String] = [:], name: String = "changes") async throws
            -> [PreflightCheck]
        {
            try await SQLiteCDCSource.preflight(
                configuration: database.configuration(values),
                context: database.context(name)
            )
        }
        let first = try await checks()
        #expect(first.map(\.outcome) == [.passed, .passed, .passed, .passed, .warning])
        #expect(first.contains { $0.message == "1 to capture: t." })
        #expect(first.last?.message.contains("u cannot be captured") == true)
        #expect(try database.ownObjects == [])
        try await database.capture(["table.include.list": "t"])
        let other = try await checks(name: "other").filter { $0.outcome == .failed }
        #expect(other.map(\.subject) == ["capture"])
        let gone = try await checks(["path": database.directory + "/none.db"])
        #expect(gone.map(\.outcome) == [.failed])
        let none = try await checks(["table.include.list": "x.*"])
        #expect(none.last?.outcome == .warning)
    }

    @Test("a program that finds a newer format touches nothing")
    func newerFormat() async throws {  // D10
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        try database.execute("UPDATE __millrace_cdc_state SET format = 99; UPDATE t SET v = 'x'")
        for positions in [true, false] {
            if !positions { database.forgetPositions() }
            #expect(try await database.failure()?.code.rawValue == "sqlite_cdc.format")
        }
        #expect(try database.number("SELECT count(*) FROM __millrace_cdc_log") == 1)
    }
}
