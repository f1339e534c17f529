import PostgresClient
import TestServices
import Testing

/// Tables of PostgreSQL on their way through a topic into other databases. (D6)
@Suite("PostgreSQL round trips", .timeLimit(.minutes(10)))
struct PostgresRoundTripTests {
    private static func run(
        _ pipeline: String,
        in directory: TemporaryDirectory,
        from source: PostgresDatabase,
        to target: PostgresDatabase? = nil
    ) async throws {
        let file = try directory.write(pipeline, to: "pipeline.yaml")
        let result = try await Command.run(
            [Products.millrace, "run", file, "--data-dir", directory.path + "/data"],
            in: directory.path,
            environment: ["SOURCE": source.url, "TARGET": target?.url ?? ""]
        )
        #expect(
            result.exitCode == 0,
            "\(result.output.suffix(2_000))\(result.errors.suffix(4_000))"
        )
    }

    /// Columns whose values are made up row by row.
    private static let generated = [
        (
            "generated_text text",
            "(SELECT string_agg(chr((hashint8(i * 31 + n) & 1023) + CASE WHEN n % 7 = 0 "
                + "THEN 128512 ELSE 32 END), '') FROM generate_series(1, i % 40) n)"
        ),
        (
            "generated_numeric numeric",
            "(CASE WHEN i % 2 = 0 THEN '-' ELSE '' END || lpad('', i % 90 + 1, md5_digits) || '.' "
                + "|| right(md5_digits, i % 30 + 1))::numeric"
        ),
        ("generated_float float8", "sin(i) * 10::float8 ^ (i % 600 - 300)"),
        ("generated_real real", "(cos(i) * 10::float8 ^ (i % 70 - 35))::real"),
        (
            "generated_time timestamptz",
            "'0001-01-01Z'::timestamptz + i * interval '97 days 1.000003 s'"
        ),
        ("generated_bc date", "'4700-01-01 BC'::date + i * 211"),
        ("generated_interval interval", "make_interval(i % 50 - 25, i % 13, 0, i, 0, 0, i / 7.0)"),
        (
            "generated_arrays int[]",
            "CASE i % 3 WHEN 0 THEN '{}' ELSE ARRAY[[i, NULL], [-i, 7]] END"
        ),
        ("generated_range tstzrange", "tstzrange(to_timestamp(i), to_timestamp(i * 2), '(]')"),
        ("generated_json jsonb", "jsonb_build_object('i', i, 'a', ARRAY[i / 3.0, NULL])"),
        ("generated_bytes bytea", "sha256(int8send(i))"),
    ]

    /// Makes a table with a column of every type, and rows in which each value meets others.
    private static func makeEverything(_ rows: Int, in database: PostgresDatabase) throws {
        let connection = try database.connect()
        try connection.execute(TypeSample.preparation)
        let columns = TypeSample.all.enumerated().map { "c\($0) \($1.type)" }
        let values = TypeSample.all.enumerated().map { number, sample in
            let choices = sample.values.enumerated().map { choice, value in
                "WHEN \(choice) THEN CASE WHEN i < 100 OR length((\(value))::\(sample.type)::text) "
                    + "< 1000 THEN (\(value))::\(sample.type) END"
            }
            let count = sample.values.count + 1
            let place = "(i * \(2 * number + 1) + i / \(count)) % \(count)"
            return "CASE \(place) \(choices.joined(separator: " ")) END"
        }
        let all = columns + generated.map(\.0)
        let expressions = (values + generated.map(\.1)).joined(separator: ", ")
        try connection.execute(
            """
            CREATE TABLE everything (id int PRIMARY KEY, \(all.joined(separator: ", ")));
            INSERT INTO everything SELECT i, \(expressions)
            FROM generate_series(1, \(rows)) i,
                LATERAL (SELECT translate(md5(i::text), 'abcdef', '123456') AS md5_digits) m;
            """
        )
    }

    /// What each column of `everything` holds, as one checksum.
    private static func checksums(_ database: PostgresDatabase) throws -> [String: String] {
        let connection = try database.connect()
        let names = try connection.query(
            "SELECT attname FROM pg_attribute "
                + "WHERE attrelid = 'everything'::regclass AND attnum > 0"
        )
        let columns = (0..<names.rowCount).compactMap { names.string($0, 0) }
        let terms = columns.map {
            "md5(string_agg(coalesce(\($0)::text, '<null>'), chr(1) ORDER BY id))"
        }
        let result = try connection.query("SELECT \(terms.joined(separator: ", ")) FROM everything")
        var found: [String: String] = [:]
        for (column, name) in columns.enumerated() { found[name] = result.string(0, column) }
        return found
    }

    /// Published as confluentinc/kafka-connect-jdbc#480, for one: numerics without a precision,
    /// infinite and early times, intervals and arrays came back as others or not at all.
    @Test("ten thousand rows of every built-in type are the same rows behind a topic")
    func everything() async throws {
        let directory = try TemporaryDirectory()
        let server = try PostgresServer.shared()
        let (source, target) = (try server.makeDatabase(), try server.makeDatabase())
        try Self.makeEverything(10_000, in: source)
        try target.connect().execute(TypeSample.preparation)
        try await Self.run(
            """
            pipeline: everything
            sources:
              there:
                connector: postgres
                url: ${env:SOURCE}
                table.include.list: public.everything
                topic: everything
                poll.interval.ms: 0
            sinks:
              here:
                connector: postgres
                url: ${env:TARGET}
                topics: [everything]
                pk.mode: record_key
            """,
            in: directory,
            from: source,
            to: target
        )
        let (given, taken) = (try Self.checksums(source), try Self.checksums(target))
        #expect(given.count == TypeSample.all.count + Self.generated.count + 1)
        for (name, checksum) in given where taken[name] != checksum {
            let type =
                name.dropFirst().first?.isNumber == true
                ? TypeSample.all[Int(name.dropFirst()) ?? 0].type : name
            Issue.record("the column \(name) of type \(type) differs")
        }
        let types =
            "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attname) "
            + "FROM pg_attribute WHERE attrelid = 'everything'::regclass AND attnum > 0"
        #expect(
            try target.connect().query(types).string(0, 0)
                == source.connect().query(types).string(0, 0)
        )
    }

    /// What the table in the connector's README says: a value, and how SQLite has it.
    static let mapping: [(type: String, value: String, stored: String)] = [
        ("boolean", "true", "1"), ("bigint", "-9223372036854775808", "-9223372036854775808"),
        ("double precision", "0.1", "0.1"), ("double precision", "'NaN'", "'NaN'"),
        ("double precision", "'Infinity'", "Inf"), ("numeric(10,2)", "1.10", "1.1"),
        ("numeric", "12345678901234567890.10", "'12345678901234567890.10'"),
        ("numeric", "'NaN'", "'NaN'"), ("money", "'12.5'", "12.5"),
        ("text", "'Zoë 𝄞'", "'Zoë 𝄞'"),
        ("bytea", "'\\x00ff'", "X'00FF'"), ("date", "'2026-11-04'", "'2026-11-04'"),
        ("date", "'infinity'", "'infinity'"),
        ("time", "'01:02:03.5'", "'01:02:03.500000'"),
        ("timestamptz", "'2026-11-04 01:25:34+02'", "'2026-11-03T23:25:34.000000Z'"),
        ("timestamp", "'2026-11-04 01:25:34.5'", "'2026-11-04T01:25:34.500000'"),
        ("interval", "'1 day 02:03:04'", "'1 day 02:03:04'"),
        (
            "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"
        ),
        ("jsonb", "'{\"a\": [1, null]}'", "'{\"a\": [1, null]}'"),
        ("integer[]", "'{{1,2},{3,NULL}}'", "'[[1,2],[3,null]]'"), ("text[]", "'{}'", "'[]'"),
        ("inet", "'10.0.0.0/8'", "'10.0.0.0/8'"), ("int4range", "'[1,5)'", "'[1,5)'"),
        ("bit(3)", "B'101'", "'101'"), ("hstore", "'a=>1'", "'\"a\"=>\"1\"'"),
        ("mood", "'very happy'", "'very happy'"), ("price", "12.50", "12.5"),
    ]

    @Test("a table arrives in SQLite as the connector's page says")
    func toSQLite() async throws {
        let directory = try TemporaryDirectory()
        let source = try PostgresServer.shared().makeDatabase()
        let columns = Self.mapping.enumerated().map { "c\($0) \($1.type)" }.joined(separator: ", ")
        let values = Self.mapping.map(\.value).joined(separator: ", ")
        try source.connect().execute(
            """
            \(TypeSample.preparation)
            CREATE TABLE mapped (id int PRIMARY KEY, \(columns));
            INSERT INTO mapped VALUES (1, \(values)); INSERT INTO mapped VALUES (2);
            """
        )
        try await Self.run(
            """
            pipeline: mapped
            sources:
              there: {connector: postgres, url: "${env:SOURCE}", topic: mapped, poll.interval.ms: 0}
            sinks:
              here: {connector: sqlite, path: here.db, topics: [mapped], pk.mode: record_key}
            """,
            in: directory,
            from: source
        )
        let list = Self.mapping.indices.map { "quote(c\($0))" }.joined(separator: ", ")
        let result = try await Command.run(
            [
                "sqlite3", "-newline", "\u{2}", "-separator", "\u{1}", "here.db",
                "SELECT \(list) FROM mapped ORDER BY id",
            ],
            in: directory.path
        )
        let rows = result.output.split(separator: "\u{2}").map {
            $0.split(separator: "\u{1}", omittingEmptySubsequences: false)
        }
        try #require(rows.count == 2 && rows[0].count == Self.mapping.count, "\(result.output)")
        for (index, expected) in Self.mapping.enumerated() {
            let stored = rows[0][index] == "9.0e+999" ? "Inf" : rows[0][index]
            #expect(stored == expected.stored, "\(expected.type) \(expected.value)")
        }
        #expect(rows[1].allSatisfy { $0 == "NULL" })
    }
}
