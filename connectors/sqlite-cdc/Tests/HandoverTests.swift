import ConnectorSDK
import ConnectorTesting
import Glibc
import SQLiteClient
import Testing

@testable import SQLiteCDCConnector

/// Rows change while their table is read, and the reading is interrupted: what was told, applied in
/// its order, is what the table holds, and every change fits what was told before it.
@Suite("From tables to changes")
struct HandoverTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var table: String
        var values: [String: String] = [:]
    }

    static let shapes = [
        Shape(testDescription: "row id", table: "(k INTEGER PRIMARY KEY, v INT, u INT UNIQUE)"),
        Shape(
            testDescription: "key beside the row id",
            table: "(v INT, k TEXT PRIMARY KEY, u INT UNIQUE)"
        ),
        Shape(
            testDescription: "composite key without row id",
            table: "(k TEXT, g AS (k || '!') STORED, v INT, u INT UNIQUE, k2 INT DEFAULT 5, "
                + "PRIMARY KEY (k2, k)) WITHOUT ROWID"
        ),
        Shape(
            testDescription: "small positions within transactions",
            table: "(k INTEGER PRIMARY KEY, v INT, u INT UNIQUE)",
            values: ["snapshot.fetch.size": "1"]
        ),
    ]

    /// Applies what is told, and finds what does not fit.
    struct Reader {
        var rows: [String: String] = [:]
        var problems: [String] = []

        mutating func apply(_ record: CapturedRecord) {
            if record.isTombstone { return }
            guard let key = record.key.map({ "\($0.map(\.value))" }),
                case .string(let operation) = record["op"]
            else { return problems.append("no key or operation in \(record)") }
            let before = text(record["before"])
            let after = text(record["after"])
            switch operation {
            case "r", "c":
                if rows[key] != nil { problems.append("\(operation) of a known row \(key)") }
            case "u", "d":
                if rows[key] != before {
                    problems.append("\(operation) of \(rows[key] ?? "none") as \(before ?? "none")")
                }
            default: problems.append("operation \(operation)")
            }
            rows[key] = after
        }

        private func text(_ value: Value) -> String? {
            if case .json(let text) = value { text } else { nil }
        }
    }

    private func write(_ database: CapturedDatabase, _ random: inout Generator) throws {
        let statements = [
            "REPLACE INTO t (k, v, u) VALUES (?, 1, ?)",
            "INSERT INTO t (k, v, u) VALUES (?, 2, ?) ON CONFLICT DO UPDATE SET v = v + 1",
            "UPDATE t SET v = v + 1 WHERE k >= ? AND u < ?",
            "UPDATE OR REPLACE t SET k = ? WHERE u = ?",
            "UPDATE OR REPLACE t SET u = ? WHERE k = ?",
            "DELETE FROM t WHERE k = ? OR u = ?",
            "INSERT OR IGNORE INTO t (k, v, u) VALUES (?, 3, ?)",
        ]
        try database.execute("BEGIN")
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let first = Int.random(in: 10...99, using: &random)
            let second = Int.random(in: 10...99, using: &random)
            var sql = statements.randomElement(using: &random) ?? ""
            for number in [first, second] {
                guard let place = sql.firstIndex(of: "?") else { break }
                sql.replaceSubrange(place...place, with: "\(number)")
            }
            try? database.execute(sql)
            if Int.random(in: 0..<10, using: &random) == 0 { try database.execute("COMMIT; BEGIN") }
        }
        try database.execute(Int.random(in: 0..<8, using: &random) == 0 ? "ROLLBACK" : "COMMIT")
    }

    @Test("rows and changes meet without gap and overlap", arguments: shapes, 0..<5)
    func handover(_ shape: Shape, _ seed: Int) async throws {  // D3
        var random = Generator(state: UInt64(seed + 1) &* 0x9E37_79B9)
        let database = try CapturedDatabase("CREATE TABLE t \(shape.table)")
        try database.execute(
            "WITH RECURSIVE n(i) AS (VALUES (10) UNION ALL SELECT i + 2 FROM n WHERE i < 98) "
                + "INSERT INTO t (k, v, u) SELECT i, 0, 108 - i FROM n"
        )
        let values = ["snapshot.fetch.size": "4"].merging(shape.values) { $1 }
        var positions: [String: String] = [:]
        var reader = Reader()
        for run in 0..<24 {
            let source = try database.source(values)
            let outlet = RecordingOutlet(for: source)
            let isLast = run == 23
            let fault = Int.random(in: 1...5, using: &random)
            if !isLast {
                let lost = ConnectorError(.init("testing.lost"), .retry(after: nil), "Lost.")
                outlet.faults[fault] = run % 2 == 0 ? .refuse(lost) : .loseAnswer(lost)
            }
            let stepped = SteppedOutlet(outlet) { _ in
                if !isLast { try self.write(database, &random) }
            }
            try? await source.run(from: positions, into: stepped)
            outlet.records.forEach { reader.apply($0) }
            positions.merge(outlet.positions) { $1 }
            if !isLast { try write(database, &random) }
        }
        #expect(reader.problems == [])
        let columns = try database.column("SELECT name FROM pragma_table_xinfo('t')")
        let object = columns.map { "'\($0)', \($0)" }.joined(separator: ", ")
        let rows = try database.column("SELECT json_object(\(object)) FROM t")
        #expect(reader.rows.values.sorted() == rows.sorted())
        #expect(!rows.isEmpty)
    }

    @Test("rows are read on only when all is told that was committed after a large transaction")
    func handoverAfterParts() async throws {  // D3
        let database = try CapturedDatabase("CREATE TABLE t (k INTEGER PRIMARY KEY, v INT)")
        try database.execute("INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0)")
        let source = try database.source(["snapshot.fetch.size": "2"])
        let outlet = RecordingOutlet(for: source)
        let stepped = SteppedOutlet(outlet) { sends in
            switch sends {
            case 1:
                // Among the rows that were read already, and more than one commit takes.
                try database.execute(
                    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                        + "INSERT INTO t SELECT -i, 0 FROM n"
                )
            case 2...6: try database.execute("UPDATE t SET v = v + 1 WHERE k > 0")
            default: break
            }
        }
        try await source.run(from: [:], into: stepped)
        var reader = Reader()
        outlet.records.forEach { reader.apply($0) }
        #expect(reader.problems == [])
        #expect(reader.rows.count == 10_006)
    }

    @Test("a large transaction is told in parts, and goes on where a part was lost")
    func largeTransaction() async throws {
        let database = try CapturedDatabase("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        let values = ["provide.transaction.metadata": "true"]
        try await database.capture(values)
        try database.execute(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                + "INSERT INTO t SELECT i, 'row ' || i FROM n"
        )
        var records: [CapturedRecord] = []
        var positions = database.positions
        for fault in [1, 0, 1, 9] {
            let source = try database.source(values)
            let outlet = RecordingOutlet(for: source)
            outlet.faults[fault] = .refuse(
                ConnectorError(.init("testing.lost"), .retry(after: nil), "Lost.")
            )
            try? await source.run(from: positions, into: outlet)
            records += outlet.records
            positions.merge(outlet.positions) { $1 }
        }
        let changes = records.filter { $0.topic == "app.t" }
        #expect(changes.compactMap { $0.key?.first?.value } == (1...10_000).map { .int($0) })
        #expect(
            changes.compactMap { $0.header("millrace.transaction") }
                == (1...10_000).map { "10000:\($0)" }
        )
        let ends = records.filter { $0.topic == "app.transaction" }
        #expect(ends.map { $0["status"] } == [.string("BEGIN"), .string("END")])
        #expect(ends.last?["event_count"] == .int(10_000))
    }

    @Test("a source that follows sees what others commit, and nothing before they do")
    func following() async throws {
        let database = try CapturedDatabase("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        let records = try await database.follow(pauses: 6) { pause in
            switch pause {
            case 0: try database.execute("INSERT INTO t VALUES (1)")
            case 1: try database.execute("BEGIN; INSERT INTO t VALUES (2)")
            case 2: try database.execute("INSERT INTO t VALUES (3)")
            case 3: try database.execute("COMMIT; INSERT INTO t VALUES (4)")
            default: break
            }
        }
        #expect(
            records.map { $0.header("millrace.transaction") } == ["1:1", "4:1", "4:2", "4:3"]
        )
    }

    @Test("a heartbeat tells where the capture is, when nothing changes")
    func heartbeat() async throws {
        let database = try CapturedDatabase("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        let records = try await database.follow(["heartbeat.interval.ms": "2"], pauses: 3) { _ in
            usleep(3_000)
        }
        #expect(records.contains { $0.topic == "__debezium-heartbeat.app" })
    }
}

/// Numbers that are the same in every run.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ (mixed >> 33)
    }
}
