import ConnectorSDK
import ConnectorTesting
import Foundation
import PostgresClient
import TestServices
import Testing

@testable import PostgresConnector

@Suite("PostgreSQL sink: errors", .timeLimit(.minutes(10)))
struct SinkErrorTests {
    private let partition = TopicPartition("orders", 0)

    @Test(
        "a broken constraint rejects the record and names table and column, not the value",
        arguments: [
            ("v int NOT NULL", Value.null, "column v"),
            ("v int CONSTRAINT small CHECK (v < 10)", .int(4_711), "constraint small"),
            ("v int UNIQUE", .int(1), "orders_v_key"),
            ("v int UNIQUE DEFERRABLE INITIALLY DEFERRED", .int(1), "orders_v_key"),
            ("v int REFERENCES orders (id)", .int(4_711), "orders_v_fkey"),
            (
                "v int REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED", .int(4_711),
                "orders_v_fkey"
            ),
            ("v text", .string("4711\u{0}"), "orders"), ("v inet", .string("4711x"), "orders"),
            ("v jsonb", .json("{\"4711\": \"\\u0000\"}"), "orders"),
            ("v int[]", .json("[4711, \"x\"]"), "orders"),
            ("v numeric(5,2)", .decimal("4711.6"), "orders"),
        ]
    )
    func constraints(_ column: String, _ value: Value, _ words: String) async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (id int PRIMARY KEY, \(column))")
        if column.hasPrefix("v int ") {
            try scratch.execute("INSERT INTO orders VALUES (1, 1)")
        }
        let sink = try scratch.sink()
        _ = try await sink.open([partition])
        try await sink.write(makeBatch([Row(["id": .int(3)])].filter { _ in value != .null }))
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.write(makeBatch([Row(["id": .int(2), "v": value])], from: 1))
        }
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        // D8
        #expect(error?.description.contains("4711") == false)
        try await sink.write(
            makeBatch([Row(["id": .int(5), "v": .null])].filter { _ in value != .null })
        )
        try await sink.commit([partition: 3])
        await sink.close()
        #expect(
            try scratch.text("SELECT count(*) FROM orders WHERE id IN (3, 5)")
                == (value == .null ? "0" : "2")
        )
        #expect(try scratch.text("SELECT count(*) FROM orders WHERE id = 2") == "0")
    }

    @Test(
        "a trigger that needs what is not there stops the task at once, with what it needs",
        arguments: [
            ("INSERT INTO gone VALUES (1)", "insert"), ("INSERT INTO gone VALUES (1)", "upsert"),
            ("PERFORM count(gone) FROM orders", "insert"), ("NEW.gone = 1", "insert"),
        ]
    )
    func brokenTrigger(statement: String, mode: String) async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (id int PRIMARY KEY, v int)")
        try scratch.execute(
            """
            CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN \(statement); RETURN NEW; END $$;
            CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION broken()
            """
        )
        // Few rows and many are sent in different ways.
        for count in [1, 100] as [Int64] {
            let sink = try scratch.sink(
                mode == "insert"
                    ? [:] : ["insert.mode": mode, "pk.mode": "record_value", "pk.fields": "id"]
            )
            _ = try await sink.open([partition])
            let rows = (1...count).map { Row(["id": .int($0), "v": .int(4_711)]) }
            let error = await #expect(throws: ConnectorError.self) {
                try await sink.write(makeBatch(rows))
            }
            #expect(error?.disposition == .failTask, "\(String(describing: error))")
            #expect(error?.message.contains("gone") == true, "\(String(describing: error))")
            #expect(error?.hint?.contains("trigger") == true)
            #expect(error?.description.contains("4711") == false)  // D8
            await sink.close()
        }
    }

    @Test("refused together, batches are written once more and only the one at fault is rejected")
    func together() async throws {
        for column in ["int CHECK (v <> 3)", "int UNIQUE DEFERRABLE INITIALLY DEFERRED"] {
            let scratch = try SinkScratch(
                "CREATE TABLE orders (id int PRIMARY KEY, v \(column));"
                    + "INSERT INTO orders VALUES (0, 3)"
                    .replacing("(0, 3)", with: column.contains("CHECK") ? "(0, 0)" : "(0, 3)")
            )
            let batches = (1...5).map { number in
                makeBatch(
                    [Row(["id": .int(Int64(number)), "v": .int(Int64(number))])],
                    from: Int64(number)
                )
            }
            let sink = try scratch.sink(careful: false)
            _ = try await sink.open([partition])
            let error = await #expect(throws: ConnectorError.self) {
                for batch in batches { try await sink.write(batch) }
                try await sink.commit([partition: 6])
            }
            #expect(error?.code == .refusedTogether)
            await sink.close()
            #expect(try scratch.text("SELECT count(*) FROM orders") == "1")
            // As the engine does then.
            let careful = try scratch.sink()
            #expect(try await careful.open([partition])?[partition] == nil)
            var rejected: [Int64] = []
            for batch in batches {
                do {
                    try await careful.write(batch)
                } catch {
                    #expect(error.disposition == .rejectRecord)
                    rejected.append(batch.metadata(0).pointee.offset)
                }
            }
            try await careful.commit([partition: 6])
            await careful.close()
            #expect(rejected == [3])
            #expect(
                try scratch.text("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders")
                    == "0,1,2,4,5"
            )
        }
    }

    @Test(
        "a value that its column cannot have is rejected before anything is sent",
        arguments: [
            ("smallint", Value.int(70_000), "out_of_range"), ("int", .decimal("1.5"), "inexact"),
            ("numeric(5,2)", .decimal("1.234"), "inexact"),
            ("real", .double(0.123456789), "inexact"),
            ("bytea", .int(1), "type_mismatch"), ("boolean", .int(1), "type_mismatch"),
            ("date", .bool(true), "type_mismatch"),
            ("timestamp(0)", .string("2026-11-04T01:02:03.5"), "inexact"),
            ("time", .string("01:02:03.1234567"), "inexact"),
        ]
    )
    func values(_ type: String, _ value: Value, _ reason: String) async throws {
        for careful in [true, false] {
            let scratch = try SinkScratch("CREATE TABLE orders (v \(type))")
            let sink = try scratch.sink(careful: careful)
            _ = try await sink.open([partition])
            try await sink.write(makeBatch([Row(["v": .null])]))
            let error = await #expect(throws: ConnectorError.self) {
                try await sink.write(makeBatch([Row(["v": .null]), Row(["v": value])], from: 1))
                try await sink.commit([partition: 2])
            }
            #expect(error?.disposition == .rejectRecord)
            #expect(error?.code.rawValue == "postgres." + reason)
            #expect(error?.message.contains("orders.v") == true)
            try await sink.commit([partition: 3])
            await sink.close()
            #expect(try scratch.text("SELECT count(*) FROM orders") == "1")
        }
    }

    @Test("a missing privilege stops the task, names the table, and shows no password")
    func privilege() async throws {
        let role = PostgresServer.Role.password
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE progress (connector text,
                topic text, partition int, "offset" bigint,
                PRIMARY KEY (connector, topic, partition));
            """
        )
        try scratch.execute(
            """
            GRANT USAGE ON SCHEMA \(scratch.schema) TO \(role.name);
            GRANT ALL ON progress TO \(role.name);
            """
        )
        let values = [
            "user": role.name, "password": role.password, "offsets.table.name": "progress",
            "url": "postgres://127.0.0.1:\(scratch.database.server.port)/\(scratch.database.name)"
                + "?options=-csearch_path%3D\(scratch.schema)",
        ]
        for (more, words) in [
            ([:], "orders"), (["table.name.format": "unheard_of"], "unheard_of"),
            (["offsets.table.name": "elsewhere"], "elsewhere"),
        ] as [([String: String], String)] {
            let error = await #expect(throws: ConnectorError.self) {
                try await scratch.sink(values.merging(more) { $1 }).deliver([Row(["id": .int(1)])])
            }
            #expect(error?.disposition == .failTask)
            #expect(error?.kind == .environment)
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
            #expect(error?.hint?.contains("Grant") == true)
            // D8
            #expect(!"\(String(reflecting: error))".contains(role.password))
        }
        let checks = try await PostgresSink.preflight(
            configuration: Configuration(
                values.merging(["offsets.table.name": "elsewhere"]) { $1 }
            ),
            context: scratch.context()
        )
        let failed = try #require(checks.first { $0.outcome == .failed })
        #expect(failed.message.contains("elsewhere"))
    }

    @Test("preflight says what is missing, and changes nothing")
    func preflight() async throws {
        let scratch = try SinkScratch()
        func outcomes(_ values: [String: String]) async throws -> [PreflightCheck] {
            try await PostgresSink.preflight(
                configuration: Configuration(
                    values.merging(["url": scratch.url]) { given, _ in given }
                ),
                context: scratch.context()
            )
        }
        #expect(try await outcomes([:]).map(\.outcome) == [.passed, .passed, .passed])
        #expect(try scratch.text("SELECT to_regclass('__millrace_offsets')") == "")
        let missing = try await outcomes(["auto.create": "false", "table.name.format": "absent"])
        #expect(
            missing.filter { $0.outcome == .failed }.map(\.configurationKey) == [
                "table.name.format"
            ]
        )
        let readOnly = try await outcomes([
            "url": scratch.database.url + "?options=-cdefault_transaction_read_only%3Don"
        ])
        #expect(readOnly.first { $0.outcome == .failed }?.configurationKey == "url")
        let gone = try await outcomes(["url": "postgres://somebody:hunter2@127.0.0.1:1/db"])
        #expect(gone.map(\.outcome) == [.failed])
        #expect(!"\(gone)".contains("hunter2"))
    }

    @Test("of two instances that write one partition only the first gets through")
    func fenced() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (a int)")
        let first = try scratch.sink()
        let second = try scratch.sink(["lock.timeout.ms": "50"])
        _ = try await first.open([partition])
        _ = try await second.open([partition])
        try await first.write(makeBatch([Row(["a": .int(1)])]))
        // While the first has its transaction open the second waits, and tries again.
        let busy = await #expect(throws: ConnectorError.self) {
            try await second.write(makeBatch([Row(["a": .int(1)])]))
        }
        #expect(busy?.code.rawValue == "postgres.busy")
        #expect(busy?.disposition == .retry(after: nil))
        await second.close()
        let third = try scratch.sink()
        _ = try await third.open([partition])
        try await first.commit([partition: 1])
        // D2
        let error = await #expect(throws: ConnectorError.self) {
            try await third.write(makeBatch([Row(["a": .int(1)])]))
        }
        #expect(error?.code.rawValue == "postgres.fenced")
        #expect(error?.disposition == .retry(after: nil))
        await third.close()
        await first.close()
        #expect(try scratch.rows("SELECT a FROM orders") == ["(1)"])
    }

    @Test("a connection that is ended in the middle of a batch is tried again, nothing doubled")
    func terminated() async throws {
        let scratch = try SinkScratch("CREATE TABLE orders (a int)")
        let sink = try scratch.sink(careful: false)
        _ = try await sink.open([partition])
        try await sink.write(makeBatch([Row(["a": .int(1)])]))
        try await sink.commit([partition: 1])
        try await sink.write(makeBatch([Row(["a": .int(2)])], from: 1))
        try scratch.execute(
            """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE application_name = 'millrace' AND pid IN
                (SELECT pid FROM pg_locks WHERE relation = '__millrace_offsets'::regclass)
            """
        )
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.write(makeBatch([Row(["a": .int(3)])], from: 2))
            try await sink.commit([partition: 3])
        }
        #expect(error?.disposition == .retry(after: nil))
        #expect(error?.kind == .environment)
        await sink.close()
        let again = try scratch.sink()
        #expect(try await again.open([partition])?[partition] == 1)
        try await again.write(makeBatch([Row(["a": .int(2)]), Row(["a": .int(3)])], from: 1))
        try await again.commit([partition: 3])
        await again.close()
        #expect(try scratch.rows("SELECT a FROM orders ORDER BY 1") == ["(1)", "(2)", "(3)"])
    }

    @Test("a connection that is ended in COMMIT is settled by what the table of offsets says")
    func terminatedInCommit() async throws {
        let scratch = try SinkScratch(
            """
            CREATE TABLE orders (a int);
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.a = 2) EXECUTE FUNCTION die();
            """
        )
        let sink = try scratch.sink(careful: false)
        _ = try await sink.open([partition])
        try await sink.write(makeBatch([Row(["a": .int(1)])]))
        try await sink.commit([partition: 1])
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.write(makeBatch([Row(["a": .int(2)])], from: 1))
            try await sink.commit([partition: 2])
        }
        #expect(error?.disposition == .retry(after: nil))
        await sink.close()
        let again = try scratch.sink()
        #expect(try await again.open([partition])?[partition] == 1)
        await again.close()
        #expect(try scratch.rows("SELECT a FROM orders") == ["(1)"])
    }

    @Test("a COMMIT that succeeded although its answer never came is not repeated")
    func lostAnswer() async throws {
        // The server waits for a standby that does not exist, after it has committed.
        let server = try PostgresServer.start(
            .init(settings: ["synchronous_standby_names": "nobody", "synchronous_commit": "local"])
        )
        let scratch = try SinkScratch(on: server)
        let database = scratch.database
        try await scratch.sink(["url": scratch.database.url]).deliver([Row(["a": .int(1)])])
        let waiting = ["url": scratch.database.url + "?options=-csynchronous_commit%3Don"]
        let sink = try scratch.sink(waiting, careful: false)
        #expect(try await sink.open([partition])?[partition] == 1)
        try await sink.write(makeBatch([Row(["a": .int(2)])], from: 1))
        let killer = Thread {
            guard let connection = try? database.connect() else { return }
            let deadline = ContinuousClock.now + .seconds(300)
            while ContinuousClock.now < deadline {
                let found = try? connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        + "WHERE wait_event = 'SyncRep'"
                )
                if let found, found.rowCount > 0 { return }
                usleep(2_000)
            }
        }
        killer.start()
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.commit([partition: 2])
        }
        #expect(error?.disposition == .retry(after: nil))
        await sink.close()
        let again = try scratch.sink(["url": scratch.database.url])
        // D2
        #expect(try await again.open([partition])?[partition] == 2)
        await again.close()
        #expect(try scratch.rows("SELECT a FROM public.orders ORDER BY 1") == ["(1)", "(2)"])
    }
}
