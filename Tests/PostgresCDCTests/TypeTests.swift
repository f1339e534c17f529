import ConnectorSDK
import Foundation
import PostgresClient
import TestServices
import Testing

@Suite("Values of captured rows", .captureTurn, .timeLimit(.minutes(10)))
struct TypeTests {
    /// A type and expressions of it, nulls and extremes among them.
    static let samples: [(type: String, values: [String])] = [
        ("boolean", ["true", "false"]),
        ("smallint", ["'-32768'"]), ("integer", ["2147483647"]),
        ("bigint", ["'-9223372036854775808'", "9223372036854775807"]),
        ("oid", ["4294967295"]), ("real", ["0.1", "'NaN'", "'-Infinity'"]),
        ("double precision", ["0.1", "1e308", "'Infinity'", "'NaN'"]),
        (
            "numeric",
            ["0.00", "-1.10", "'NaN'", "'Infinity'", "12345678901234567890.123456789012345678901"]
        ),
        ("numeric(12,3)", ["1.5", "-999999999.999"]), ("money", ["'-1234.56'", "0.01"]),
        ("text", ["''", "'å\"\\\n\u{1F600}'"]), ("varchar(9)", ["'x'"]), ("char(5)", ["'ab'"]),
        ("name", ["'n'"]), ("bytea", ["''", "'\\x00ff10'"]),
        ("date", ["'2026-11-21'", "'infinity'", "'4713-01-01 BC'", "'5874897-12-31'"]),
        ("time", ["'24:00'", "'12:34:56.789012'"]), ("timetz", ["'12:34:56.7+05:30'"]),
        ("timestamp", ["'2026-11-21 01:02:03.000004'", "'-infinity'", "'0044-03-15 BC'"]),
        ("timestamptz", ["'2026-11-21 01:02:03.000004+02'", "'infinity'", "'294276-12-31'"]),
        ("interval", ["'1 year -2 days 03:04:05.678'", "'0'", "'-1 mons'"]),
        ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]),
        ("json", ["'{\"b\": [1, null]}'", "'null'", "'\"x\"'"]), ("jsonb", ["'{\"a\": 1.50}'"]),
        ("xml", ["'<a>&amp;</a>'"]), ("inet", ["'192.168.1.5'", "'::1/64'"]),
        ("cidr", ["'10.0.0.0/8'"]), ("macaddr", ["'08:00:2b:01:02:03'"]),
        ("bit(3)", ["'101'"]), ("bit varying", ["''", "'1'"]),
        ("point", ["'(1,2.5)'"]), ("box", ["'(3,4),(1,2)'"]), ("circle", ["'<(1,2),3>'"]),
        ("tsvector", ["'a:1 fat:2,4'"]), ("tsquery", ["'a & !b'"]), ("pg_lsn", ["'16/B374D848'"]),
        ("int4range", ["'[1,5)'", "'empty'", "'[,)'"]), ("tstzrange", ["'[2026-01-01,)'"]),
        ("int4multirange", ["'{[1,3),[5,7)}'"]),
        ("integer[]", ["'{}'", "'{1,NULL,3}'", "'{{1,2},{3,4}}'", "'[2:3]={7,8}'"]),
        ("text[]", ["'{a,\"b,c\",\"\",NULL,\"NULL\"}'"]), ("numeric[]", ["'{1.50,NaN}'"]),
        ("timestamptz[]", ["'{2026-11-21 01:02:03+00}'"]), ("interval[]", ["'{1 day}'"]),
        ("mood", ["'sad'"]), ("positive", ["7"]), ("pair", ["'(1,\"x y\")'", "'(,)'"]),
        ("mood[]", ["'{sad,happy}'"]), ("hstore", ["'a=>1, \"b c\"=>NULL'"]),
        ("citext", ["'ÅsA'"]), ("ltree", ["'a.b'"]),
    ]

    static let preparation = """
        CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext;
        CREATE EXTENSION IF NOT EXISTS ltree;
        CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TYPE pair AS (a int, b text);
        """

    private static func columns() -> String {
        samples.enumerated().map { "c\($0) \($1.type)" }.joined(separator: ", ")
    }

    /// Inserts as many rows as the longest list of values, and one of nulls.
    private static func rows(from first: Int) -> String {
        let count = samples.map(\.values.count).max() ?? 0
        return (0...count).map { round in
            let values = samples.map { sample in
                round == count
                    ? "NULL" : "\(sample.values[round % sample.values.count])::\(sample.type)"
            }
            return "INSERT INTO t VALUES (\(first + round), \(values.joined(separator: ", ")))"
        }.joined(separator: "; ")
    }

    @Test(
        "a value is told the same whether a snapshot reads it or a change brings it",
        arguments: [
            [:], ["interval.handling.mode": "numeric", "hstore.handling.mode": "json"],
            ["time.precision.mode": "microseconds", "hstore.handling.mode": "map"],
        ]
    )
    func sameEitherWay(values: [String: String]) async throws {
        let bench = try CaptureBench(
            sql: Self.preparation + "CREATE TABLE t (id int PRIMARY KEY, \(Self.columns()));"
                + Self.rows(from: 0)
        )
        #expect(await bench.captureAll(values) == nil)
        let read = try bench.events()
        try bench.sql(Self.rows(from: 0).replacingOccurrences(of: "VALUES (", with: "VALUES (10"))
        #expect(await bench.captureAll(values) == nil)
        let told = try bench.events().dropFirst(read.count)
        #expect(read.count > 5)
        #expect(told.count == read.count)
        for (first, second) in zip(read, told) {
            for (number, sample) in Self.samples.enumerated() {
                let name = "c\(number)"
                #expect(first.after?[name] == second.after?[name], "\(sample.type)")
                #expect(first.after?[name] != nil, "\(sample.type)")
            }
        }
        #expect(read.allSatisfy { $0.operation == "r" } && told.allSatisfy { $0.operation == "c" })
    }

    @Test("values are told exactly")
    func exact() async throws {
        let bench = try CaptureBench(
            sql: Self.preparation + """
                CREATE TABLE t (id int PRIMARY KEY, n numeric, m numeric(8,2), b bytea, j jsonb,
                                i interval, h hstore, a int[], t timestamptz, e mood)
                """
        )
        #expect(await bench.captureAll() == nil)
        try bench.sql(
            """
            INSERT INTO t VALUES (1, 12345678901234567890.10, 7.5, '\\x00ff', '{"x": 1.50}',
                                  '1 year 2 days 3.5 secs', 'a=>1', '{1,2}',
                                  '2026-11-21 01:02:03+02', 'happy')
            """
        )
        #expect(await bench.captureAll() == nil)
        let valueFound = try bench.records("t.public.t").last?.value
        let value = try #require(valueFound)
        let after = try #require(value.firstRange(of: #""after":"#).map { value[$0.upperBound...] })
        #expect(
            after.hasPrefix(
                #"{"id":1,"n":12345678901234567890.10,"m":7.50,"b":"AP8=","j":{"x": 1.50},"#
                    + #""i":"P1Y2DT3.5S","h":"\"a\"=>\"1\"","a":[1,2],"#
                    + #""t":"2026-11-20T23:02:03Z","e":"happy"}"#
            ),
            "\(after.prefix(300))"
        )
    }

    @Test("D9: text that is no UTF-8 is rejected, and its neighbours arrive")
    func invalidText() async throws {
        let server = try CaptureBench(sql: "").database.server
        let admin = try PostgresConnection(server.settings())
        let name = "ascii_" + UUID().uuidString.lowercased().filter { $0 != "-" }
        try admin.execute(
            "CREATE DATABASE \(name) ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        let bench = try CaptureBench()
        let connection = try PostgresConnection(server.settings(database: name))
        try connection.execute("CREATE TABLE t (id int PRIMARY KEY, x text)")
        let values = [
            "url": server.url(database: name), "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": "dead",
        ]
        try connection.execute("INSERT INTO t VALUES (1, 'a'), (2, E'\\xff'), (3, 'c')")
        #expect(await bench.captureAll(values) == nil)
        try connection.execute("INSERT INTO t VALUES (4, E'\\xfe'), (5, 'e')")
        #expect(await bench.captureAll(values) == nil)
        #expect(try bench.events().map { $0.int("id") } == [1, 3, 5])
        #expect(try bench.records("dead").count == 2)
        try await bench.until("the slot is free") { try bench.slotValue("active") == "f" }
        try admin.execute("SELECT pg_drop_replication_slot('\(bench.slot)')")
        try admin.execute("DROP DATABASE \(name) WITH (FORCE)")
    }
}
