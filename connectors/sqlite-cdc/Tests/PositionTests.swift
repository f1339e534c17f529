import ConnectorSDK
import ConnectorTesting
import Glibc
import SQLiteClient
import Testing

@testable import SQLiteCDCConnector

/// Runs a command of the shell to its end.
private func run(_ command: String) throws {
    try #require(system(command) == 0, "\(command)")
}

@Suite("Log and position")
struct PositionTests {
    private static let table =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a'), (2, 'b')"

    private func logged(_ database: CapturedDatabase) throws -> [String] {
        try database.column("SELECT id FROM __millrace_cdc_log ORDER BY id")
    }

    @Test("changes stay in the log until they are durable")
    func pruning() async throws {  // D1
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        try database.execute("UPDATE t SET v = 'c'; UPDATE t SET v = 'd'")
        let source = try database.source()
        let held = RecordingOutlet(for: source, durability: .held)
        try? await source.run(from: database.positions, into: held)
        #expect(held.records.count == 4)
        #expect(try logged(database) == ["1", "2", "3", "4"])
        #expect(try await database.capture().count == 4)
        // The last one tells this copy of the database from others.
        #expect(try logged(database) == ["4"])
        try database.execute("DELETE FROM t")
        #expect(try await database.capture().count == 4)
        #expect(try logged(database) == ["6"])
    }

    @Test("a large log is cleared in steps")
    func pruningSteps() async throws {
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        try database.execute(
            "WITH RECURSIVE n(i) AS (VALUES (3) UNION ALL SELECT i + 1 FROM n WHERE i < 12002) "
                + "INSERT INTO t SELECT i, i FROM n"
        )
        #expect(try await database.capture().count == 12_000)
        #expect(try logged(database) == ["12000"])
    }

    struct Mismatch: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// What somebody does.
        var sql: String
        var text: String
    }

    static let mismatches = [
        Mismatch(
            testDescription: "cleared by hand",
            sql: "DELETE FROM __millrace_cdc_log",
            text: "the log ends at change 0"
        ),
        Mismatch(
            testDescription: "a change taken out",
            sql: "UPDATE t SET v = 'x'; DELETE FROM __millrace_cdc_log WHERE id = 5",
            text: "change 5 is missing"
        ),
        Mismatch(
            testDescription: "removed by hand",
            sql: "DROP TABLE __millrace_cdc_state",
            text: "no triggers are installed"
        ),
        Mismatch(
            testDescription: "begun anew by another",
            sql: "UPDATE __millrace_cdc_state SET capture = 'another'",
            text: "installed anew"
        ),
    ]

    @Test("a log without what follows the position stops the source", arguments: mismatches)
    func lost(_ mismatch: Mismatch) async throws {  // D6
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        try database.execute("UPDATE t SET v = 'c'; UPDATE t SET v = 'd'")
        try await database.capture()
        try database.execute(mismatch.sql)
        let error = try #require(try await database.failure())
        #expect(error.code.rawValue == "sqlite_cdc.log_lost")
        #expect(error.message.contains(mismatch.text), "\(error)")
        #expect(error.hint?.contains("when_needed") == true)
        #expect(error.disposition == .failTask)
        if mismatch.sql.hasPrefix("DROP") { return }
        // The other choice.
        let records = try await database.capture(["snapshot.mode": "when_needed"])
        #expect(records.suffix(2).map { $0["op"] } == [.string("r"), .string("r")])
        let next = try await database.failure()
        #expect(next == nil, "\(String(describing: next))")
    }

    /// A copy of the database as `VACUUM INTO` or a backup makes it, put in its place.
    private func restore(_ database: CapturedDatabase, inPlace: Bool = false) throws {
        let copy = database.directory + "/copy.db"
        if inPlace {
            try run("sqlite3 '\(database.path)' '.restore \(copy)'")
        } else {
            for suffix in ["-wal", "-shm"] { unlink(database.path + suffix) }
            #expect(rename(copy, database.path) == 0)
        }
    }

    private func copied(journal: String) async throws -> CapturedDatabase {
        let database = try CapturedDatabase(Self.table, journal: journal)
        try await database.capture()
        try database.execute("UPDATE t SET v = 'c'")
        try await database.capture()
        try database.execute("VACUUM INTO '\(database.directory)/copy.db'")
        usleep(3_000)
        try database.execute("UPDATE t SET v = 'd'")
        try await database.capture()
        return database
    }

    @Test("a restored backup stops the source, also when new changes took the same numbers")
    func restored() async throws {
        for changes in 0...3 {
            let database = try await copied(journal: "DELETE")
            try restore(database)
            usleep(3_000)
            let other = try SQLiteHandle(path: database.path, mode: .readWrite)
            for number in 0..<changes { try other.execute("UPDATE t SET v = \(number)") }
            let error = try #require(try await database.failure(), "\(changes)")
            #expect(error.code.rawValue == "sqlite_cdc.log_lost")
            let text = changes == 0 ? "the log ends at change 2" : "is another one"
            #expect(error.message.contains(text), "\(error)")
        }
    }

    @Test("a file that is replaced while it is captured is noticed", arguments: [true, false])
    func replacedWhileRunning(inPlace: Bool) async throws {
        let database = try await copied(journal: "WAL")
        let source = try database.source(untilEnd: false)
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = 3
        outlet.onIdle = { number in
            if number == 0 { try self.restore(database, inPlace: inPlace) }
        }
        let error = await #expect(throws: ConnectorError.self) {
            try await source.run(from: database.positions, into: outlet)
        }
        #expect(error?.code.rawValue == "sqlite_cdc.database_changed")
        // The engine makes a new instance, which finds out.
        #expect(error?.disposition == .retry(after: nil))
        #expect(try await database.failure()?.code.rawValue == "sqlite_cdc.log_lost")
    }

    @Test("a copy that was made after everything was read is gone on with")
    func equalCopy() async throws {
        let database = try CapturedDatabase(Self.table, journal: "DELETE")
        try await database.capture()
        try database.execute("UPDATE t SET v = 'c'")
        try await database.capture()
        try database.execute("VACUUM INTO '\(database.directory)/copy.db'")
        try restore(database)
        let other = try SQLiteHandle(path: database.path, mode: .readWrite)
        try other.execute("DELETE FROM t WHERE id = 1")
        #expect(
            try await database.capture().map(\.change)
                == [#"t d int(1) {"id":1,"v":"c"}>null"#, "t - int(1)"]
        )
    }

    @Test("another connector cannot take a capture over, and has its own under another name")
    func owners() async throws {
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        let kept = database.positions
        database.forgetPositions()
        let error = try #require(try await database.failure(name: "other"))
        #expect(error.code.rawValue == "sqlite_cdc.owned")
        #expect(error.message.contains("changes"))
        database.forgetPositions()
        #expect(try await database.capture(["capture.name": "second"], name: "other").count == 2)
        try database.execute("UPDATE t SET v = 'c' WHERE id = 1")
        #expect(
            try await database.capture(["capture.name": "second"], name: "other").map(\.change)
                == [#"t u int(1) {"id":1,"v":"a"}>{"id":1,"v":"c"}"#]
        )
        let source = try database.source()
        let outlet = RecordingOutlet(for: source)
        try await source.run(from: kept, into: outlet)
        #expect(
            outlet.records.map(\.change) == [#"t u int(1) {"id":1,"v":"a"}>{"id":1,"v":"c"}"#]
        )
    }

    @Test("who was overtaken by a new beginning stops before it clears what the other needs")
    func overtaken() async throws {  // D1
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        let source = try database.source(untilEnd: false)
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = 3
        outlet.onIdle = { number in
            guard number == 0 else { return }
            try database.execute("UPDATE __millrace_cdc_state SET capture = 'another'")
            try database.execute("UPDATE t SET v = 'c'; UPDATE t SET v = 'd'")
        }
        let error = await #expect(throws: ConnectorError.self) {
            try await source.run(from: database.positions, into: outlet)
        }
        #expect(error?.code.rawValue == "sqlite_cdc.database_changed")
        #expect(try logged(database) == ["1", "2", "3", "4"])
    }

    @Test("everything is taken out of the database again", arguments: [true, false])
    func removed(byAction: Bool) async throws {
        let database = try CapturedDatabase(Self.table)
        let values = byAction ? [:] : ["snapshot.mode": "initial_only"]
        let records = try await database.capture(values)
        #expect(records.count == 2)
        if byAction {
            #expect(try database.ownObjects.count > 5)
            try await database.capture(["capture.action": "remove"])
        }
        #expect(try database.ownObjects == [])
        try database.execute("UPDATE t SET v = 'c'")
        // Again is no error, and reading once is reading once.
        #expect(try await database.capture(["capture.action": "remove"]).isEmpty)
        if !byAction { #expect(try await database.capture(values).isEmpty) }
        #expect(try database.ownObjects == [])
    }

    @Test("who is at work when the capture is removed says so")
    func removedWhileRunning() async throws {
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        let source = try database.source(untilEnd: false)
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = 2
        outlet.onIdle = { number in
            guard number == 0 else { return }
            for name in try database.column("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            { try database.execute("DROP TRIGGER \(name)") }
            for name in ["state", "log", "replaced", "tables", "columns"] {
                try database.execute("DROP TABLE __millrace_cdc_\(name)")
            }
        }
        let error = await #expect(throws: ConnectorError.self) {
            try await source.run(from: database.positions, into: outlet)
        }
        #expect(
            error?.message.contains("no triggers are installed") == true,
            "\(String(describing: error))"
        )
        #expect(try database.ownObjects == [])
    }

    @Test("snapshot.mode never begins with the changes")
    func never() async throws {
        let database = try CapturedDatabase(Self.table)
        let values = ["snapshot.mode": "never"]
        #expect(try await database.capture(values).isEmpty)
        try database.execute("UPDATE t SET v = 'c' WHERE id = 1")
        #expect(try await database.capture(values).count == 1)
    }

    @Test("who dies before anything was told begins as if for the first time")
    func diedAtOnce() async throws {
        let database = try CapturedDatabase(Self.table)
        let source = try database.source()
        // Installs its triggers, and never gets an answer.
        let held = RecordingOutlet(for: source, durability: .held)
        try? await source.run(from: [:], into: held)
        #expect(held.records.isEmpty)
        try database.execute("DELETE FROM t WHERE id = 2; UPDATE t SET v = 'c'")
        #expect(
            try await database.capture().map(\.change) == [#"t r int(1) null>{"id":1,"v":"c"}"#]
        )
    }

    @Test("who begins anew tells deletions also of rows that it has not read again")
    func begunAnew() async throws {  // D6
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        database.forgetPositions()
        let source = try database.source(["snapshot.fetch.size": "1"])
        let outlet = RecordingOutlet(for: source)
        let stepped = SteppedOutlet(outlet) { number in
            if number == 1 { try database.execute("DELETE FROM t WHERE id = 2") }
        }
        try await source.run(from: [:], into: stepped)
        #expect(
            outlet.records.map(\.change) == [
                #"t r int(1) null>{"id":1,"v":"a"}"#, #"t d int(2) {"id":2,"v":"b"}>null"#,
                "t - int(2)",
            ]
        )
    }

    @Test(
        "a position that is none is refused",
        arguments: ["", "{", "[]", #"{"capture":1}"#, "\u{0}"]
    )
    func badPosition(_ text: String) async throws {  // D9
        let database = try CapturedDatabase(Self.table)
        let source = try database.source()
        let error = await #expect(throws: ConnectorError.self) {
            try await source.run(from: ["log": text], into: RecordingOutlet(for: source))
        }
        #expect(error?.code.rawValue == "sqlite_cdc.position")
    }

    @Test("positions survive as text, with keys of every type")
    func positionText() throws {
        var position = CapturePosition(capture: "c", from: 3, time: 99)
        position.change = 5
        position.group = 9
        position.todo = [4, 7]
        position.table = 2
        position.isRescan = true
        position.key = ScanKey(text: "i-9223372036854775808 r7ff0000000000000 t00ff b")
        let read = try CapturePosition.read(position.position.offset)
        #expect(read == position)
        #expect(read?.key?.values.count == 4)
    }
}
