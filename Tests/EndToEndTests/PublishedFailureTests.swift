import PostgresClient
import TestServices
import Testing

/// What users of other tools reported as lost or refused, from a database to a database.
@Suite("Published failures", .timeLimit(.minutes(10)))
struct PublishedFailureTests {
    /// Where changes are applied.
    enum Target: String, CaseIterable, CustomTestStringConvertible {
        case sqlite, postgres

        var testDescription: String { rawValue }
    }

    private static func pipeline(_ source: String, into sink: String) -> String {
        """
        pipeline: copy
        sources:
          shop:
            connector: postgres-cdc
            topic.prefix: shop
            provide.transaction.metadata: true
        \(source)
        sinks:
          copy:
            topics.regex: shop\\.(public\\..*|transaction)
            transaction.topic: shop.transaction
            table.name.format: ${table}
            transforms: [{type: unwrap}]
            insert.mode: upsert
            pk.mode: record_key
            delete.enabled: true
        \(sink)
        """
    }

    /// A source database with a slot that goes with its server, and a target.
    private final class Bench {
        let server: PostgresServer
        let source: PostgresDatabase
        let target: PostgresDatabase
        let directory: TemporaryDirectory

        init(_ kind: Target, _ statements: String) throws {
            server = try PostgresServer.start()
            source = try server.makeDatabase()
            target = try server.makeDatabase()
            directory = try TemporaryDirectory()
            try source.connect().execute(statements)
            let sink =
                switch kind {
                case .sqlite: "    connector: sqlite\n    path: copy.db\n    auto.create: true\n"
                case .postgres: "    connector: postgres\n    url: \(target.url)\n"
                }
            let text = PublishedFailureTests.pipeline("    url: \(source.url)", into: sink)
            try directory.write(text, to: "p.yaml")
        }

        func run() async throws {
            let result = try await directory.millrace("run", "--until-end", "p.yaml")
            #expect(result.exitCode == 0, "\(result.errors)")
        }

        func sqlite(_ statement: String) async throws -> String {
            try await Command.run(["sqlite3", "copy.db", statement], in: directory.path).output
        }
    }

    /// Published as airbytehq/airbyte#30518: the update wrote a placeholder in its place.
    @Test(
        "a large value that did not change survives an update of its row",
        arguments: Target.allCases
    )
    func unchangedLargeValue(kind: Target) async throws {
        let table = """
            CREATE TABLE notes (id int PRIMARY KEY, title text, body text);
            ALTER TABLE notes ALTER body SET STORAGE EXTERNAL;
            """
        let bench = try Bench(
            kind,
            table + "INSERT INTO notes SELECT i, 'new', repeat('x', 20000 + i) "
                + "FROM generate_series(1, 20) i"
        )
        try bench.target.connect().execute(table)
        try await bench.run()
        let connection = try bench.source.connect()
        try connection.execute("UPDATE notes SET title = 'changed' WHERE id % 2 = 0")
        try connection.execute("UPDATE notes SET body = NULL WHERE id = 4")
        try await bench.run()
        let question = """
            SELECT count(*), sum(CASE WHEN title = 'changed' THEN 1 ELSE 0 END),
                sum(CASE WHEN length(body) = 20000 + id THEN 1 ELSE 0 END) FROM notes
            """
        switch kind {
        case .sqlite: #expect(try await bench.sqlite(question) == "20|10|19\n")
        case .postgres:
            let answer = try bench.target.connect().execute(question)
            #expect((0..<3).map { answer.string(0, $0) } == ["20", "10", "19"])
        }
    }

    /// Published as confluentinc/kafka-connect-jdbc#1210 and #1625 and as debezium/debezium#7801:
    /// topics were written one after the other, whatever their rows need of each other.
    @Test("parents come before children, and unique values change places within a transaction")
    func constraintsBetweenRows() async throws {
        let tables = """
            CREATE TABLE z_parents (id int PRIMARY KEY, place int,
                UNIQUE (place) DEFERRABLE INITIALLY DEFERRED);
            CREATE TABLE a_children (id int PRIMARY KEY, parent int NOT NULL REFERENCES z_parents);
            """
        let bench = try Bench(.postgres, tables)
        try bench.target.connect().execute(tables)
        try await bench.run()
        let connection = try bench.source.connect()
        // The names are such that an order by topic would be the wrong one.
        for id in 1...200 {
            try connection.execute(
                """
                BEGIN;
                INSERT INTO z_parents VALUES (\(id), \(id));
                INSERT INTO a_children SELECT \(id) * 10 + i, \(id) FROM generate_series(0, 4) i;
                UPDATE z_parents p SET place = q.place FROM z_parents q
                    WHERE (p.id, q.id) IN ((\(id), \(id / 2)), (\(id / 2), \(id)));
                DELETE FROM a_children WHERE parent = \(id - 100);
                DELETE FROM z_parents WHERE id = \(id - 100) AND \(id) % 3 = 0;
                COMMIT
                """
            )
        }
        try await bench.run()
        for question in [
            "SELECT md5(string_agg(t::text, ',' ORDER BY id)), count(*) FROM z_parents t",
            "SELECT md5(string_agg(t::text, ',' ORDER BY id)), count(*) FROM a_children t",
        ] {
            let wanted = try connection.execute(question)
            let given = try bench.target.connect().execute(question)
            #expect(wanted.string(0, 0) == given.string(0, 0))
            #expect(wanted.string(0, 1) == given.string(0, 1))
        }
    }

    /// Published as airbytehq/airbyte#20873 and Trendyol/go-pq-cdc#151: all changes of a transaction
    /// were kept in memory until its commit.
    @Test("one transaction larger than the memory allowed is captured and applied whole (D7)")
    func hugeTransaction() async throws {
        let rows = 100_000
        let table = "CREATE TABLE big (id int PRIMARY KEY, body text)"
        let bench = try Bench(.postgres, table)
        try bench.target.connect().execute(table)
        try await bench.run()
        // About 190 MB in the log; no value is large enough to be kept beside its row.
        try bench.source.connect().execute(
            "INSERT INTO big SELECT i, repeat(md5(i::text), 60) FROM generate_series(1, \(rows)) i"
        )
        let result = try await bench.directory.bash(
            """
            exec python3 -c '
            import resource, subprocess, sys
            code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            sys.exit(code)' millrace run --until-end p.yaml
            """
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let kilobytes = try #require(Int(result.output.filter(\.isNumber)))
        #expect(kilobytes < 128 << 10)
        let question = "SELECT count(*), md5(string_agg(md5(body), ',' ORDER BY id)) FROM big"
        let wanted = try bench.source.connect().execute(question)
        let given = try bench.target.connect().execute(question)
        #expect(given.string(0, 0) == "\(rows)")
        #expect(given.string(0, 1) == wanted.string(0, 1))
    }
}
