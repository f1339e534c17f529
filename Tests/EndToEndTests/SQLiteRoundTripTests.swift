import Foundation
import SQLiteClient
import TestServices
import Testing

/// Tables and numbers on their way through a topic and back: nothing is changed to fit. (D6)
@Suite("SQLite round trips")
struct SQLiteRoundTripTests {
    private static func run(_ pipeline: String, in directory: TemporaryDirectory) async throws {
        let file = try directory.write(pipeline, to: "pipeline.yaml")
        let result = try await Command.run(
            [Products.millrace, "run", file, "--data-dir", directory.path + "/data"],
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }

    /// The rows of a query; values as SQL literals, so that `1`, `'1'` and `1.0` differ.
    private static func rows(_ sql: String, _ path: String) throws -> [String] {
        let handle = try SQLiteHandle(path: path, mode: .readOnly)
        let columns = try handle.prepare(sql)
        let list = (0..<columns.columnCount).map { "quote(\"\(columns.columnName($0))\")" }
        let query = try handle.prepare(
            "SELECT \(list.joined(separator: " || ',' || ")) FROM (\(sql))"
        )
        var rows: [String] = []
        while try query.step() { rows.append(query.string(0)) }
        return rows
    }

    @Test("a table is the same table behind a topic: declared types, storage classes, digits")
    func table() async throws {
        let directory = try TemporaryDirectory()
        let database = try SQLiteHandle(path: directory.path + "/a.db", mode: .create)
        try database.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, i SMALLINT NOT NULL, r REAL, s VARCHAR(9),
                b BLOB, n NUMERIC, f BOOLEAN, x, price DECIMAL(10, 2), wide "DECIMAL BLOB"(38, 9),
                at DATETIME, d NUMERIC(6));
            INSERT INTO t VALUES
                (1, -32768, 0.1, '', X'', 5, 1, 'any', 1.10, 1.5, '2026-11-04 01:25:34', 7),
                (2, 9, 1e300, 'héllo ☃', X'00FF', 1.5, 0, 7, 12, '12345678901234567890.10', 1, 7),
                (3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
                (4, 0, -0.0, '007', X'31', '007x', 2, 1.0, 0.005, 0.1, 1.5, -7),
                (5, 0, 5e-324, '1.50', X'', 9007199254740993, 0, X'01', 99999999.99, 7, 0, 7.5),
                (6, 0, 0.30000000000000004, ' 1', X'', 1e15, 1, 1e15, 0.1, 9e15, 'now', 0),
                (7, 0, 123456789012345678, 'x', X'', '', 1, '', -0.01, -0.000000001, '', 1e20);
            """
        )
        try await Self.run(
            """
            pipeline: copy
            sources:
              a: {connector: sqlite, path: a.db, topic.prefix: db.}
            sinks:
              b: {connector: sqlite, topics: [db.t], path: b.db, table.name.format: "${table}",
                  pk.mode: record_key, insert.mode: upsert}
            """,
            in: directory
        )
        let target = directory.path + "/b.db"
        let source = directory.path + "/a.db"
        #expect(try Self.rows("SELECT * FROM t", target) == Self.rows("SELECT * FROM t", source))
        let columns = "SELECT name, type, pk FROM pragma_table_info('t')"
        let declared = try Self.rows(columns, source)
        // The quotes were there to write it as one word.
        let wanted = declared.map { $0.replacing("\"", with: "") }
        #expect(try Self.rows(columns, target) == wanted)
    }

    /// Numbers as JSON writes them.
    static let numbers = [
        "1.10", "12.50", "0.1", "-0.01", "0", "5", "5.0", "100", "1e5", "1.5E-7", "0.000001",
        "12345678901234567890.10", "0.1234567890123456789", "9007199254740993",
        "9223372036854775807", "-9223372036854775808", "12345678901234567890", "1e300",
        "99999999999999.9", "0.30000000000000004", "3.141592653589793238462643383279",
    ]

    @Test("a number stays the same number from JSON to a table and back, and adds up there")
    func numbers() async throws {
        let directory = try TemporaryDirectory()
        let lines = Self.numbers.enumerated().map { "{\"id\":\($0),\"n\":\($1)}\n" }
        _ = try directory.write(lines.joined(), to: "in.jsonl")
        try await Self.run(
            """
            pipeline: there
            sources:
              in: {connector: json, include: in.jsonl, topic: numbers}
            sinks:
              out: {connector: sqlite, topics: [numbers], path: a.db}
            """,
            in: directory
        )
        let path = directory.path + "/a.db"
        #expect(try Self.rows("SELECT sum(n) AS s FROM numbers WHERE id < 4", path) == ["13.69"])
        let large = try Self.rows("SELECT typeof(n) AS t FROM numbers WHERE n > 1e6", path)
        #expect(large.count { $0 == "'text'" } == 4)
        try await Self.run(
            """
            pipeline: back
            sources:
              back: {connector: sqlite, path: a.db, topic: back}
            sinks:
              file: {connector: json, topics: [back], path: out.jsonl}
            """,
            in: directory
        )
        let output = try directory.read("out.jsonl").split(separator: "\n")
        #expect(output.count == Self.numbers.count)
        for (line, number) in zip(output, Self.numbers) {
            let value = try #require(line.firstRange(of: "\"n\":"))
            let text = line[value.upperBound...].prefix { $0 != "," && $0 != "}" }
            let bare = text.filter { $0 != "\"" }
            #expect(Self.isSame(String(bare), number), "\(number) became \(text)")
        }
    }

    /// Whether two texts are one number, digit by digit.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        func parts(_ text: String) -> (digits: String, power: Int)? {
            let halves = text.lowercased().split(separator: "e")
            let mantissa = halves[0].split(separator: ".", omittingEmptySubsequences: false)
            guard var power = halves.count > 1 ? Int(halves[1]) : 0 else { return nil }
            let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
            power -= fraction.count
            var digits = mantissa[0].drop { $0 == "-" } + fraction
            digits = Substring(digits.drop { $0 == "0" })
            while digits.last == "0" {
                digits.removeLast()
                power += 1
            }
            return (String(digits), digits.isEmpty ? 0 : power)
        }
        guard let a = parts(left), let b = parts(right) else { return false }
        return a == b && (left.first == "-") == (right.first == "-")
    }
}
