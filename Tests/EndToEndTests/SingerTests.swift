import Foundation
import PostgresClient
import TestServices
import Testing

/// Taps and targets from PyPI that nobody here wrote; scripts/setup installs them.
@Suite("Singer taps and targets", .timeLimit(.minutes(15)))
struct SingerTests {
    static func program(_ package: String, _ name: String) -> String {
        "\(Products.taps)/\(package)/bin/\(name)"
    }

    private func tables(_ directory: TemporaryDirectory, _ query: String) async throws -> String {
        let result = try await directory.bash("sqlite3 out.db \"\(query)\"")
        #expect(result.errors == "")
        return result.output
    }

    @Test("tap-jsonl gives typed records, and goes on from its own state")
    func jsonLines() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            {"id":1,"name":"Åsa","at":"2026-01-01T10:00:00+02:00","n":1.10}
            {"id":2,"name":null,"tags":["a","b"],"n":12345678901234567.89}

            """,
            to: "people.jsonl"
        )
        try directory.write(
            """
            pipeline: p
            sources:
              people:
                connector: singer
                command: [\(Self.program("tap-jsonl", "tap-jsonl"))]
                config: {path: people.jsonl, stream_name: people, primary_keys: '["id"]'}
                topic.prefix: tap.
            sinks:
              db:
                connector: sqlite
                topics: [tap.people]
                path: out.db
                table.name.format: people
                insert.mode: upsert
                pk.mode: record_key
            """,
            to: "p.yaml"
        )
        let first = try await directory.millrace("run", "p.yaml", "--log-level", "debug")
        #expect(first.exitCode == 0, "\(first.errors)")
        let rows = try await tables(directory, "SELECT id, name, at, tags FROM people ORDER BY id")
        #expect(rows == "1|Åsa|2026-01-01T10:00:00.000000+02:00|\n2|||[\"a\",\"b\"]\n")
        // Levels and metrics are taken over, not only lines.
        #expect(first.errors.contains(" warning stderr"))
        #expect(first.errors.contains(" debug   metric"))
        let position = try await directory.millrace("offsets", "show", "people")
        #expect(position.output.contains("\"bookmarks\""))
        let second = try await directory.millrace("run", "p.yaml")
        #expect(second.exitCode == 0, "\(second.errors)")
        #expect(!second.errors.contains("with bookmark value: None"), "\(second.errors)")
    }

    @Test("tap-csv-folder is run as it is; a misspelt stream is refused")
    func csvFolder() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("id,amount\n1,1.50\n2,2\n", to: "in/orders.csv")
        let pipeline = """
            pipeline: p
            sources:
              tap:
                connector: singer
                command: [\(Self.program("tap-csv-folder", "tap-csv-folder"))]
                config: {filesystem: local, path: in, read_mode: merge, stream_name: orders}

            """
        try directory.write(pipeline, to: "p.yaml")
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        let records = try await directory.millrace("topics", "read", "orders", "--json").jsonLines()
        let values = records.compactMap { $0["value"] as? [String: Any] }
        #expect(values.compactMap { $0["amount"] as? String } == ["1.50", "2"])
        let keys = records.compactMap { $0["key"] as? [String: Any] }
        #expect(keys.allSatisfy { Set($0.keys) == ["_sdc_path", "_sdc_line_number"] })
        #expect(keys.count == 2)
        try directory.write(pipeline + "    streams: [ordres]\n", to: "p.yaml")
        let refused = try await directory.millrace("run", "p.yaml")
        #expect(refused.exitCode == 2)
        #expect(refused.errors.contains("Did you mean `orders`?"))
    }

    @Test("tap-postgres reads the tables that are chosen, and no secret shows (D8)")
    func postgres() async throws {
        let database = try PostgresServer.shared().makeDatabase()
        let connection = try database.connect()
        try connection.execute(
            """
            CREATE TABLE orders (id int PRIMARY KEY, amount numeric(20,4), at timestamptz, paid bool);
            INSERT INTO orders VALUES (1, 12345678901234.5600, '2026-01-01T00:00:00Z', true),
                (2, NULL, NULL, NULL);
            CREATE TABLE other (id int)
            """
        )
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            pipeline: p
            sources:
              tap:
                connector: singer
                command: [\(Self.program("meltanolabs-tap-postgres", "tap-postgres"))]
                config.sqlalchemy_url: ${env:SOURCE_URL}
                errors.retry.timeout: 0
                streams: [public-orders]
                topic: ${stream}
            """.replacing("topic: ${stream}", with: "topic: pg-${stream}"),
            to: "p.yaml"
        )
        // The server asks for no password, but the tap does.
        let url = database.url
            .replacing("postgres://postgres@", with: "postgresql://postgres:geheim-1234@")
        let run = try await directory.millrace(
            "run",
            "p.yaml",
            "--log-level",
            "debug",
            environment: ["SOURCE_URL": url]
        )
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(!run.errors.contains("geheim"))
        let topics = try await directory.millrace("topics", "list", "--json")
        #expect(topics.output.contains("pg-public-orders"))
        #expect(!topics.output.contains("other"))
        let records = try await directory.millrace(
            "topics",
            "read",
            "pg-public-orders"
        )
        #expect(records.output.contains("12345678901234.56"))
        #expect(records.output.contains("\"at\":\"2026-01-01T00:00:00Z\""))
    }

    private static let made = """
        pipeline: p
        sources:
          made:
            connector: generate
            topic: made
            count: 3000
            key.fields: [id]
            columns: [id, name]
            fields: {id: sequence, name: name, price: decimal 0.10..9.99, at: timestamp}
        sinks:
          target:
            connector: singer
            topics: [made]
            command: [PROGRAM]
            config: CONFIG

        """

    @Test("target-jsonl is given every record, and its answer moves the offsets")
    func targetJSONLines() async throws {
        let directory = try TemporaryDirectory()
        let text = Self.made
            .replacing("PROGRAM", with: Self.program("target-jsonl", "target-jsonl"))
            .replacing("CONFIG", with: "{destination_path: out, do_timestamp_file: false}")
        try directory.write(text, to: "p.yaml")
        for count in [3_000, 5_000] {
            try directory.write(
                text.replacing("count: 3000", with: "count: \(count)"),
                to: "p.yaml"
            )
            let run = try await directory.millrace("run", "p.yaml")
            #expect(run.exitCode == 0, "\(run.errors)")
            let lines = try directory.read("out/made.jsonl").split(separator: "\n")
            let ids = lines.compactMap { line -> Int? in
                let value = try? JSONSerialization.jsonObject(with: Data(line.utf8))
                return (value as? [String: Any])?["id"] as? Int
            }
            // Nothing is given twice, for nothing went wrong.
            #expect(ids == Array(1...count))
        }
    }

    @Test("target-csv is given every record")
    func targetCSV() async throws {
        let directory = try TemporaryDirectory()
        let config = "{destination_path: out, file_naming_scheme: '{stream_name}.csv'}"
        try directory.write(
            Self.made.replacing(
                "PROGRAM",
                with: Self.program("meltanolabs-target-csv", "target-csv")
            ).replacing("CONFIG", with: config)
                // All in one commit, since a run of this target replaces its file.
                .replacing(
                    "topics: [made]",
                    with: "topics: [made]\n    offset.flush.interval.ms: 60s"
                ),
            to: "p.yaml"
        )
        // What is there when the sink starts is one commit.
        let pipeline = try directory.read("p.yaml")
        let source = String(
            pipeline.prefix(upTo: try #require(pipeline.firstRange(of: "sinks:")).lowerBound)
        )
        try directory.write(source, to: "source.yaml")
        #expect(try await directory.millrace("run", "source.yaml").exitCode == 0)
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
        let lines = try directory.read("out/made.csv").split(whereSeparator: \.isNewline)
        #expect(lines.count == 3_001)
        #expect(lines.first?.hasPrefix("id,name,") == true)
    }

    @Test("a target that fails keeps its records in the topic, and says why")
    func targetFails() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("not a directory", to: "file")
        let program = Self.program("target-jsonl", "target-jsonl")
        try directory.write(
            Self.made.replacing("PROGRAM", with: program)
                .replacing(
                    "CONFIG",
                    with: "{destination_path: file/x}\n    errors.retry.timeout: 0"
                ),
            to: "p.yaml"
        )
        let run = try await directory.millrace("run", "p.yaml")
        #expect(run.exitCode == 1)
        #expect(run.errors.contains("ended with exit code 1"))
        #expect(run.errors.contains("NotADirectoryError"))
        let offsets = try await directory.millrace("offsets", "show", "target", "--json")
        #expect(!offsets.output.contains("\"offset\":3000"))
    }

    @Test("a tap that is killed in the middle with its run ends with exact counts in a table (D2)")
    func kills() async throws {
        let directory = try TemporaryDirectory()
        let lines = (1...20_000).map { "{\"id\":\($0),\"square\":\($0 * $0)}" }
        try directory.write(lines.joined(separator: "\n") + "\n", to: "in.jsonl")
        try directory.write(
            """
            pipeline: p
            sources:
              numbers:
                connector: singer
                command: [\(Self.program("tap-jsonl", "tap-jsonl"))]
                config:
                  path: in.jsonl
                  stream_name: numbers
                  primary_keys: '["id"]'
                  emit_state_every: 500
            sinks:
              db:
                connector: sqlite
                topics: [numbers]
                path: out.db
                insert.mode: upsert
                pk.mode: record_key
            """,
            to: "p.yaml"
        )
        for round in 0..<5 {
            let run = try directory.start(["run", "p.yaml"])
            try await directory.waitForGrowth(of: "numbers", by: 1 + round * 30_000, in: run)
            run.signal(9)
            _ = try await run.wait()
        }
        let last = try await directory.millrace("run", "p.yaml")
        #expect(last.exitCode == 0, "\(last.errors)")
        let sums = try await tables(
            directory,
            "SELECT count(*), count(DISTINCT id), sum(square) FROM numbers"
        )
        #expect(sums == "20000|20000|2666866670000\n")
    }
}
