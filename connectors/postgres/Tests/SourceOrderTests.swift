import ConnectorSDK
import ConnectorTesting
import PostgresClient
import TestServices
import Testing

@testable import PostgresConnector

@Suite("PostgreSQL source: the order of rows", .timeLimit(.minutes(10)))
struct SourceOrderTests {
    struct Key: CustomTestStringConvertible, Sendable {
        var testDescription: String { columns }
        var columns: String
        /// Values of the row `g`, each key once.
        var values: String
    }

    @Test(
        "a table that is read with a stop behind each batch has each row once, whatever its key is",
        arguments: [
            Key(columns: "k smallint PRIMARY KEY", values: "g - 25"),
            Key(columns: "k int PRIMARY KEY", values: "(g - 25) * 80000000"),
            Key(columns: "k bigint PRIMARY KEY", values: "(g - 25) * 300000000000000000"),
            Key(columns: "k oid PRIMARY KEY", values: "(4294967295 - g)::oid"),
            Key(columns: "k text PRIMARY KEY", values: "repeat('\\ '' \" å', g)"),
            Key(columns: "k varchar(9) PRIMARY KEY", values: "chr(200 + g)"),
            Key(columns: "k char(5) PRIMARY KEY", values: "to_hex(g)"),
            Key(columns: "k uuid PRIMARY KEY", values: "md5(g::text)::uuid"),
            Key(columns: "k inet PRIMARY KEY", values: "'10.0.0.0'::inet + g"),
            Key(columns: "k bytea PRIMARY KEY", values: "decode(md5(g::text), 'hex')"),
            Key(
                columns: "k numeric PRIMARY KEY",
                values: "CASE g WHEN 1 THEN 'NaN' ELSE g / 7.0 END"
            ),
            Key(
                columns: "k float8 PRIMARY KEY",
                values: "(ARRAY['NaN', 'Infinity', '-Infinity', '-0'])[g]::float8"
            ),
            Key(columns: "k real PRIMARY KEY", values: "g / 3.0"),
            Key(
                columns: "k date PRIMARY KEY",
                values: "CASE g WHEN 1 THEN 'infinity' ELSE '2026-01-01'::date - g * 20000 END"
            ),
            Key(
                columns: "k timestamptz PRIMARY KEY",
                values: "CASE g WHEN 1 THEN '-infinity' "
                    + "ELSE '2026-01-01'::timestamptz - g * 50 * '1 year'::interval END"
            ),
            Key(columns: "a text, b bigint, PRIMARY KEY (a, b)", values: "chr(97 + g % 3), g"),
            Key(columns: "a int, b timestamp, PRIMARY KEY (b, a)", values: "g, '2026-01-01'"),
        ]
    )
    func keys(_ key: Key) async throws {
        let scratch = try SourceScratch()
        let rows = key.values.contains("ARRAY") ? 4 : 50
        try scratch.execute(
            """
            CREATE TABLE t (\(key.columns), n int NOT NULL);
            INSERT INTO t SELECT \(key.values), g FROM generate_series(1, \(rows)) g
            """
        )
        let order =
            key.columns.hasPrefix("k") ? "k" : key.columns.contains("(b, a)") ? "b, a" : "a, b"
        let wanted = try scratch.database.connect().execute("SELECT n FROM t ORDER BY \(order)")
        var seen: [Int64] = []
        var positions: [String: String] = [:]
        for _ in 0...rows where positions["public.t"]?.contains("done") != true {
            let outlet = try await scratch.read(
                ["table.include.list": "public.t", "batch.max.rows": rows == 4 ? "1" : "7"],
                from: positions
            ) { $0.stopAfterSends = 1 }
            seen += outlet.integers("n")
            positions = outlet.positions
        }
        #expect(seen == (0..<wanted.rowCount).map { wanted.int($0, 0) ?? 0 })
        #expect(seen.count == rows)
    }

    @Test("a position that was stored as text before is gone on from")
    func storedText() async throws {
        let scratch = try SourceScratch()
        try scratch.execute(
            "CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)"
        )
        let position = #"{"mode":"bulk","by":["id"],"after":["6"]}"#
        let outlet = try await scratch.read(from: ["public.t": position])
        #expect(outlet.integers() == [7, 8, 9])
    }
}
