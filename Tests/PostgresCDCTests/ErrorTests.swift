import ConnectorSDK
import PostgresCDCConnector
import PostgresClient
import TestServices
import Testing

/// What stands in the way is said clearly, with the key or table and a way out.
@Suite("What keeps a capture from running", .captureTurn, .timeLimit(.minutes(10)))
struct ErrorTests {
    private static let table = "CREATE TABLE t (id int PRIMARY KEY, x text)"
    private static let password = PostgresServer.Role.password.password

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var sql = ErrorTests.table
        var values: [String: String] = [:]
        /// Whether the role of the tests that must give a password is used.
        var isRole = false
        var code: String
        var key: String?
        var text: String
        var kind = ConnectorError.Kind.environment
    }

    static let cases = [
        Case(
            testDescription: "no right to replicate",
            sql: table + "; GRANT SELECT ON t TO password_user; CREATE PUBLICATION p FOR TABLE t",
            isRole: true,
            code: "postgres_cdc.privilege",
            key: "user",
            text: "REPLICATION"
        ),
        Case(
            testDescription: "no right to publish",
            sql: table + "; GRANT SELECT ON t TO password_user",
            isRole: true,
            code: "postgres.privilege",
            text: "create the publication `p`"
        ),
        Case(
            testDescription: "no primary key",
            sql: "CREATE TABLE t (id int)",
            code: "postgres_cdc.no_replica_identity",
            key: "table.include.list",
            text: "`public.t`",
            kind: .configuration
        ),
        Case(
            testDescription: "no publication",
            values: ["publication.autocreate.mode": "disabled"],
            code: "postgres_cdc.publication_missing",
            key: "publication.name",
            text: "`p`"
        ),
        Case(
            testDescription: "no table",
            values: ["table.include.list": "public\\.nowhere"],
            code: "postgres_cdc.no_tables",
            key: "table.include.list",
            text: "No table of the database",
            kind: .configuration
        ),
        Case(
            testDescription: "no table of signals",
            values: ["signal.data.collection": "public.nowhere"],
            code: "postgres_cdc.signal_table",
            key: "signal.data.collection",
            text: "CREATE TABLE public.nowhere",
            kind: .configuration
        ),
        Case(
            testDescription: "no such database",
            values: ["dbname": "nowhere"],
            code: "postgres.connect",
            key: "url",
            text: "nowhere"
        ),
        Case(
            testDescription: "a wrong password",
            values: ["user": "password_user", "password": "hunter2"],
            code: "postgres.connect",
            key: "url",
            text: "password"
        ),
    ]

    @Test("is told with its key and a hint, and no password", arguments: cases)
    func refused(_ example: Case) async throws {  // D8, D9
        let bench = try CaptureBench(sql: example.sql)
        var values = example.values
        if example.isRole {
            values["user"] = PostgresServer.Role.password.name
            values["password"] = Self.password
        }
        values["errors.retry.timeout"] = "0"
        let capture = bench.capture(values, untilEnd: true)
        let errorEnding = await capture.end()
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == example.code, "\(error)")
        #expect(error.kind == example.kind || example.code == "postgres.connect")
        #expect(error.kind != .runtime, "the exit code would be 1")
        #expect(error.configurationKey == example.key)
        #expect("\(error.message) \(error.hint ?? "")".contains(example.text), "\(error)")
        #expect(error.hint != nil)
        for secret in [Self.password, "hunter2"] {
            #expect(!"\(error) \(error.debugDescription) \(capture.log)".contains(secret))
        }
        #expect(try bench.slotValue("slot_name") == nil, "a slot was left behind")
    }

    @Test("wal_level is looked at first")
    func walLevel() async throws {
        let server = try PostgresServer.start(
            .init(settings: ["wal_level": "replica", "max_replication_slots": "1"])
        )
        let bench = try CaptureBench(server, sql: Self.table)
        let errorEnding = await bench.captureAll()
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.wal_level")
        #expect(error.message.contains("`replica`"))
        #expect(error.hint?.contains("ALTER SYSTEM SET wal_level = logical") == true)
        #expect(error.kind == .environment)
        try server.stop()
        let goneEnding = await bench.captureAll(["errors.retry.timeout": "0"])
        let gone = try #require(goneEnding)
        #expect(gone.kind == .environment)
        #expect(gone.message.contains("127.0.0.1"), "\(gone)")
    }

    @Test("a slot that another connector uses is said with its user, after some patience")
    func inUse() async throws {
        let bench = try CaptureBench(sql: Self.table)
        let first = bench.capture()
        try await bench.until("it streams") { try bench.slotValue("active") == "t" }
        let other = try CaptureBench(sql: "")
        let values = [
            "url": bench.database.url, "slot.name": bench.slot, "slot.max.retries": "1",
            "slot.retry.delay.ms": "50",
        ]
        let errorEnding = await other.captureAll(values)
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.slot_in_use")
        #expect(error.configurationKey == "slot.name")
        let processFound = try bench.slotValue("active_pid")
        let process = try #require(processFound)
        #expect(error.message.contains(process), "\(error)")
        #expect(await first.stop() == nil)
    }

    @Test("no room for a slot says what to raise")
    func noRoom() async throws {
        let server = try PostgresServer.start(.init(settings: ["max_replication_slots": "1"]))
        let bench = try CaptureBench(server, sql: Self.table)
        try bench.sql("SELECT pg_create_physical_replication_slot('taken')")
        let errorEnding = await bench.captureAll()
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.no_free_slot")
        #expect(error.hint?.contains("max_replication_slots") == true)
    }

    @Test("a publication that is dropped while it is read stops the capture, with a way out")
    func publicationDropped() async throws {
        let bench = try CaptureBench(sql: Self.table)
        let capture = bench.capture(["errors.retry.timeout": "0"])
        try await bench.until("it streams") { try bench.slotValue("active") == "t" }
        try bench.sql("DROP PUBLICATION p; INSERT INTO t VALUES (1, '')")
        let errorEnding = await capture.end()
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.publication_missing")
        #expect(error.configurationKey == "publication.name")
        #expect(error.hint != nil)
    }

    @Test("a table that is not readable is named before anything is made")
    func unreadable() async throws {
        let bench = try CaptureBench(sql: Self.table + "; CREATE PUBLICATION p FOR TABLE t")
        // Roles are the whole server's.
        let role = "r" + bench.slot
        try bench.sql("CREATE ROLE \(role) LOGIN REPLICATION")
        defer { _ = try? bench.sql("DROP ROLE \(role)") }
        let ending = await bench.captureAll(["user": role])
        let error = try #require(ending)
        #expect(error.code.rawValue == "postgres_cdc.privilege")
        #expect(error.message.contains("`public.t`"), "\(error)")
        #expect(error.hint?.contains("GRANT SELECT") == true)
        #expect(try bench.slotValue("slot_name") == nil, "a slot was left behind")
    }

    @Test("preflight finds the same, and makes nothing")
    func preflight() async throws {
        let bench = try CaptureBench(sql: Self.table)
        func checks(_ values: [String: String] = [:]) async throws -> [PreflightCheck] {
            try await PostgresCDCSource.preflight(
                configuration: Configuration(
                    [
                        "url": bench.database.url, "topic.prefix": "t", "slot.name": bench.slot,
                        "publication.name": "p",
                    ].merging(values) { $1 }
                ),
                context: bench.context
            )
        }
        let good = try await checks()
        #expect(good.allSatisfy { $0.outcome == .passed }, "\(good)")
        #expect(good.count >= 5)
        #expect(try bench.slotValue("slot_name") == nil)
        #expect(try bench.value("SELECT count(*) FROM pg_publication") == "0")
        let role = ["user": "password_user", "password": Self.password]
        let refused = try await checks(role).filter { $0.outcome == .failed }
        #expect(refused.contains { $0.message.contains("public.t") }, "\(refused)")
        let replication = try await checks(role).first { $0.subject == "replication" }
        #expect(replication?.outcome == .warning)
        let none = try await checks(["table.include.list": "nowhere"])
        #expect(none.last?.outcome == .failed)
        let missing = try await checks(["publication.autocreate.mode": "disabled"])
        #expect(missing.contains { $0.outcome == .failed && $0.subject == "publication" })
        let gone = try await checks(["url": "postgres://somebody:hunter2@127.0.0.1:1/db"])
        #expect(gone.map(\.outcome) == [.failed])
        #expect(!"\(gone)".contains("hunter2"))
    }
}
