import Foundation
import PostgresClient
import TestServices
import Testing
import TopicLog

/// The real process, as people run it.
@Suite("A capture as a process", .captureTurn, .timeLimit(.minutes(10)))
struct ProcessTests {
    private static let table =
        "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, 'one')"

    private func pipeline(
        _ bench: CaptureBench,
        url: String? = nil,
        _ more: [String: String] = [:]
    ) throws {
        let lines = more.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)\n" }
        try bench.directory.write(
            """
            pipeline: capture
            sources:
              db:
                connector: postgres-cdc
                url: \(url ?? bench.database.url)
                topic.prefix: t
                slot.name: \(bench.slot)
                publication.name: p
                errors.retry.timeout: 0
            \(lines.joined())
            """,
            to: "p.yaml"
        )
    }

    private func millrace(
        _ bench: CaptureBench,
        _ arguments: String...
    ) async throws -> CommandResult {
        try await Command.run(
            [Products.millrace] + arguments + ["--data-dir", "data2"],
            in: bench.directory.path
        )
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var sql = ProcessTests.table
        var values: [String: String] = [:]
        var exitCode: Int32
        var words: [String]
    }

    @Test(
        "what stands in the way ends it with 2 or 3, the key or table, and a hint",
        arguments: [
            Case(
                testDescription: "a table without a primary key",
                sql: "CREATE TABLE t (id int)",
                exitCode: 2,
                words: ["`public.t`", "table.include.list", "REPLICA IDENTITY FULL"]
            ),
            Case(
                testDescription: "no publication",
                values: ["publication.autocreate.mode": "disabled"],
                exitCode: 3,
                words: ["`p`", "publication.name", "CREATE PUBLICATION"]
            ),
            Case(
                testDescription: "a slot of another plugin",
                sql: table,
                values: ["slot.name": "cdc_other_plugin"],
                exitCode: 2,
                words: ["cdc_other_plugin", "slot.name", "test_decoding"]
            ),
            Case(
                testDescription: "no server",
                values: ["url": "postgres://somebody:hunter2@127.0.0.1:1/db"],
                exitCode: 3,
                words: ["127.0.0.1", "Is the server running"]
            ),
        ]
    )
    func exitCodes(_ example: Case) async throws {  // D8, D9
        let bench = try CaptureBench(sql: example.sql)
        if example.values["slot.name"] != nil {
            try bench.sql(
                "SELECT pg_create_logical_replication_slot('cdc_other_plugin', 'test_decoding')"
            )
        }
        defer {
            _ = try? bench.sql(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                    + "WHERE slot_name = 'cdc_other_plugin' AND database = current_database()"
            )
        }
        var values = example.values
        let url = values.removeValue(forKey: "url")
        if let slot = values.removeValue(forKey: "slot.name") {
            try pipeline(bench, url: url, values)
            let text = try bench.directory.read("p.yaml")
            let changed = text.replacingOccurrences(of: bench.slot, with: slot)
            try bench.directory.write(changed, to: "p.yaml")
        } else {
            try pipeline(bench, url: url, values)
        }
        let result = try await millrace(bench, "run", "--until-end", "p.yaml")
        #expect(result.exitCode == example.exitCode, "\(result.errors)")
        for word in example.words {
            #expect("\(result.output)\(result.errors)".contains(word), "\(result.errors)")
        }
        #expect(!"\(result.output)\(result.errors)".contains("hunter2"))
    }

    @Test("D8: the password is in no output, no position, and no file of the data directory")
    func secrets() async throws {
        let role = PostgresServer.Role.password
        let bench = try CaptureBench(
            sql: Self.table + "; CREATE PUBLICATION p FOR TABLE t;"
                + "GRANT SELECT ON t TO password_user"
        )
        let encoded = try #require(
            role.password.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        )
        let place = "127.0.0.1:\(bench.database.server.port)/\(bench.database.name)"
        // Fails with a message of the server, and with the URL in the configuration.
        try pipeline(bench, url: "postgres://\(role.name):\(encoded)@\(place)")
        let refused = try await millrace(bench, "run", "--until-end", "p.yaml")
        #expect(refused.exitCode == 3, "\(refused.errors)")
        try pipeline(
            bench,
            url: "postgres://\(role.name):\(encoded)@\(place)",
            ["snapshot.mode": "initial_only"]
        )
        let read = try await millrace(bench, "run", "--until-end", "--log-level", "debug", "p.yaml")
        #expect(read.exitCode == 0, "\(read.errors)")
        let offsets = try await millrace(bench, "offsets", "show", "db", "--json")
        #expect(offsets.output.contains("public.t"), "\(offsets.output)")
        let doctor = try await millrace(bench, "doctor", "p.yaml")
        for result in [refused, read, offsets, doctor] {
            let text = "\(result.output)\(result.errors)"
            #expect(!text.contains(role.password) && !text.contains(encoded), "\(text)")
        }
        let folder = bench.directory.file("data2")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder)
        #expect(files.contains("state.db"))
        for file in files {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
                continue
            }
            for secret in [role.password, encoded] {
                #expect(data.firstRange(of: Data(secret.utf8)) == nil, "\(file)")
            }
        }
    }

    @Test("millrace signal has a running capture read a table again, or log something")
    func signal() async throws {
        let bench = try CaptureBench(
            sql: Self.table + "; INSERT INTO t SELECT g, 'x' FROM generate_series(2, 500) g"
        )
        try pipeline(bench)
        func ask(_ words: String...) async throws -> Int32 {
            try await Command.run(
                [Products.millrace, "signal", "db"] + words + ["--data-dir", "data2"],
                in: bench.directory.path
            ).exitCode
        }
        #expect(try await ask("log", "--message", "too early") != 0)
        let running = try Command(
            [Products.millrace, "run", "--data-dir", "data2", "p.yaml"],
            in: bench.directory.path
        )
        try await bench.until("it takes signals") {
            try await ask("log", "--message", "remember the milk") == 0
        }
        let filter = ["--table", "public\\.t", "--filter", "id > 490"]
        #expect(try await ask("execute-snapshot", filter[0], filter[1], filter[2], filter[3]) == 0)
        #expect(try await ask("execute-snapshot") == 2, "which tables was not said")
        try await bench.until("it has logged that") {
            running.errorsSoFar.contains("remember the milk")
        }
        let topics = try StoredTopics(bench.directory.file("data2"), .readOnly)
        try await bench.until("they were read again") { try topics.count("public.t") == 510 }
        running.signal(SIGTERM)
        let result = try await running.wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        let again = try topics.events("public.t").suffix(10)
        #expect(again.compactMap { $0.int("id") } == Array(491...500))
        #expect(again.allSatisfy { $0.source["snapshot"]?.string == "incremental" })
    }
}
