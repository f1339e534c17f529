import ConnectorSDK
import ConnectorTesting
import Testing

@testable import SQLiteCDCConnector

@Suite("Changes of the schema")
struct SchemaTests {
    /// The statements happen while the source runs, or between two runs.
    enum Moment: CaseIterable, Sendable { case running, stopped }

    private func changes(
        _ schema: String,
        _ sql: String...,
        at moment: Moment,
        values: [String: String] = [:]
    ) async throws -> (changes: [String], messages: [String]) {
        let database = try CapturedDatabase(schema)
        try await database.capture(values)
        let first = database.messages.all.count
        var records: [CapturedRecord]
        switch moment {
        case .stopped:
            for statement in sql { try database.execute(statement) }
            records = try await database.capture(values)
        case .running:
            records = try await database.follow(values, pauses: sql.count) { pause in
                try database.execute(sql[pause])
            }
        }
        // Whatever comes later is told as the table is now.
        records += try await database.capture(values)
        return (records.map(\.change), Array(database.messages.all.dropFirst(first)))
    }

    private static let table =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a'), (2, 'b')"

    @Test("an added column is in every change from then on", arguments: Moment.allCases)
    func added(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table,
            "ALTER TABLE t ADD COLUMN w DEFAULT 7; UPDATE t SET v = 'c' WHERE id = 1",
            "UPDATE t SET w = 8 WHERE id = 2",
            at: moment
        )
        #expect(result.messages.contains("notice: The table was altered table=t"))
        // A change that the old triggers noted lacks the column, so the row is told again.
        let first = [
            #"t u int(1) {"id":1,"v":"a"}>{"id":1,"v":"c"}"#,
            #"t u int(1) null>{"id":1,"v":"c","w":7}"#,
        ]
        if moment == .running {
            #expect(
                result.changes
                    == first + [#"t u int(2) {"id":2,"v":"b","w":7}>{"id":2,"v":"b","w":8}"#]
            )
        } else {
            #expect(Array(result.changes.prefix(1)) == Array(first.prefix(1)))
            #expect(
                Set(result.changes.suffix(2)) == [
                    #"t u int(1) null>{"id":1,"v":"c","w":7}"#,
                    #"t u int(2) null>{"id":2,"v":"b","w":8}"#,
                ]
            )
        }
    }

    @Test("a table without row ids tells rows again by their key", arguments: Moment.allCases)
    func addedWithoutRowID(_ moment: Moment) async throws {
        let result = try await changes(
            "CREATE TABLE t (v, k TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES (1, 'a')",
            "ALTER TABLE t ADD COLUMN w; INSERT INTO t VALUES (2, 'b', 3); "
                + "UPDATE t SET w = 4, k = 'c' WHERE k = 'a'",
            at: moment
        )
        #expect(
            Set(result.changes.suffix(2)) == [
                #"t u string("b") null>{"v":2,"k":"b","w":3}"#,
                #"t u string("c") null>{"v":1,"k":"c","w":4}"#,
            ]
        )
    }

    @Test("a renamed column has its new name", arguments: Moment.allCases)
    func renamedColumn(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table,
            "ALTER TABLE t RENAME COLUMN v TO w; UPDATE t SET w = 'c' WHERE id = 1",
            at: moment
        )
        #expect(result.changes.last == #"t u int(1) null>{"id":1,"w":"c"}"#)
        #expect(result.messages.contains("notice: The table was altered table=t"))
    }

    @Test("a column is dropped by dropping the triggers with it", arguments: Moment.allCases)
    func droppedColumn(_ moment: Moment) async throws {
        let database = try CapturedDatabase(Self.table)
        try await database.capture()
        #expect(throws: (any Error).self, "SQLite refuses it while triggers name the column") {
            try database.execute("ALTER TABLE t DROP COLUMN v")
        }
        let triggers = try database.column(
            "SELECT 'DROP TRIGGER \"' || name || '\";' FROM sqlite_schema "
                + "WHERE type = 'trigger' AND name GLOB '__millrace_cdc_[0-9]*'"
        )
        #expect(triggers.count == 5)
        let migration =
            "BEGIN IMMEDIATE; \(triggers.joined()) ALTER TABLE t DROP COLUMN v; COMMIT"
        var records: [CapturedRecord] = []
        if moment == .running {
            records = try await database.follow(pauses: 1) { _ in try database.execute(migration) }
        } else {
            try database.execute(migration)
        }
        try database.execute("INSERT INTO t VALUES (3)")
        records += try await database.capture()
        #expect(
            records.map(\.change) == [
                #"t r int(1) null>{"id":1}"#, #"t r int(2) null>{"id":2}"#,
            ]
                + (moment == .running
                    ? [#"t c int(3) null>{"id":3}"#] : [#"t r int(3) null>{"id":3}"#])
        )
    }

    @Test("a table made anew is emptied and read", arguments: Moment.allCases)
    func madeAnew(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table,
            "INSERT INTO t VALUES (5, 'e'); DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY); "
                + "INSERT INTO t VALUES (1), (9)",
            "UPDATE t SET id = 10 WHERE id = 9",
            at: moment,
            values: ["skipped.operations": "none"]
        )
        let end =
            moment == .running
            ? [
                #"t r int(9) null>{"id":9}"#, #"t d int(9) {"id":9}>null"#, "t - int(9)",
                #"t c int(10) null>{"id":10}"#,
            ] : [#"t r int(10) null>{"id":10}"#]
        #expect(
            result.changes == [
                #"t c int(5) null>{"id":5,"v":"e"}"#, "t t no key null>null",
                #"t r int(1) null>{"id":1}"#,
            ] + end
        )
        #expect(result.messages.contains { $0.hasPrefix("warning: The table was made anew") })
    }

    @Test("a dropped table is emptied, a renamed one is another", arguments: Moment.allCases)
    func droppedAndRenamed(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table + "; CREATE TABLE x (id INTEGER PRIMARY KEY)",
            "DROP TABLE x; UPDATE t SET v = 'c' WHERE id = 2; ALTER TABLE t RENAME TO y; "
                + "UPDATE y SET v = 'd' WHERE id = 2",
            at: moment,
            values: ["skipped.operations": "none"]
        )
        #expect(
            result.changes == [
                #"t u int(2) {"id":2,"v":"b"}>{"id":2,"v":"c"}"#,
                #"t u int(2) {"id":2,"v":"c"}>{"id":2,"v":"d"}"#, "x t no key null>null",
                #"y r int(1) null>{"id":1,"v":"a"}"#, #"y r int(2) null>{"id":2,"v":"d"}"#,
            ]
        )
        #expect(result.messages.contains("notice: The table was dropped table=x"))
        #expect(result.messages.contains("notice: The table was renamed from=t to=y"))
    }

    @Test("a new table is read, then its changes are told", arguments: Moment.allCases)
    func newTable(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table,
            "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n VALUES (1)",
            "DELETE FROM n; CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('y')",
            at: moment
        )
        #expect(
            result.changes
                == (moment == .running
                    ? [#"n r int(1) null>{"id":1}"#, #"n d int(1) {"id":1}>null"#, "n - int(1)"]
                    : [])
        )
    }

    @Test(
        "triggers that somebody dropped are noticed, said and made again",
        arguments: Moment.allCases
    )
    func triggersDropped(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table,
            "DROP TRIGGER __millrace_cdc_1_after_update; UPDATE t SET v = 'lost' WHERE id = 1",
            "UPDATE t SET v = 'c' WHERE id = 2",
            at: moment
        )
        #expect(
            result.messages.contains {
                $0.hasPrefix("warning:") && $0.contains("its triggers were dropped")
                    && $0.hasSuffix("table=t")
            }
        )
        #expect(result.changes.contains(#"t r int(1) null>{"id":1,"v":"lost"}"#))
        #expect(result.changes.last?.contains(#"{"id":2,"v":"c"}"#) == true)
    }

    @Test("a unique index that is new counts for what replaces rows", arguments: Moment.allCases)
    func newIndex(_ moment: Moment) async throws {
        let result = try await changes(
            Self.table,
            "CREATE UNIQUE INDEX i ON t (v)",
            "REPLACE INTO t VALUES (3, 'a')",
            at: moment
        )
        if moment == .running {
            #expect(
                result.changes == [
                    #"t d int(1) {"id":1,"v":"a"}>null"#, "t - int(1)",
                    #"t c int(3) null>{"id":3,"v":"a"}"#,
                ]
            )
        }
    }

    @Test("VACUUM tells nothing, also where it gives rows other ids")
    func vacuum() async throws {
        let result = try await changes(
            "CREATE TABLE t (k TEXT PRIMARY KEY); INSERT INTO t VALUES ('a'), ('b'), ('c'); "
                + "DELETE FROM t WHERE k = 'a'",
            "VACUUM",
            "UPDATE t SET k = 'd' WHERE k = 'c'",
            at: .running
        )
        #expect(
            result.changes == [
                #"t d string("c") {"k":"c"}>null"#, #"t - string("c")"#,
                #"t c string("d") null>{"k":"d"}"#,
            ]
        )
    }

    @Test("a table that is no longer named loses its triggers")
    func released() async throws {
        let database = try CapturedDatabase(
            Self.table + "; CREATE TABLE x (id INTEGER PRIMARY KEY)"
        )
        try await database.capture()
        #expect(
            try database.number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") == 10
        )
        try await database.capture(["table.include.list": "x"])
        #expect(
            try database.column(
                "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'"
            )
                == ["x"]
        )
        try database.execute("INSERT INTO t VALUES (7, 'g')")
        // Named again it is read, for nobody noted what happened meanwhile.
        #expect(
            try await database.capture().map(\.change).filter { !$0.contains(" t ") }.count == 3
        )
    }
}
