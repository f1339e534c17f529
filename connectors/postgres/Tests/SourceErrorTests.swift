import ConnectorSDK
import ConnectorTesting
import PostgresClient
import TestServices
import Testing

@testable import PostgresConnector

@Suite("PostgreSQL source: errors", .timeLimit(.minutes(10)))
struct SourceErrorTests {
    private func failure(
        _ scratch: SourceScratch,
        _ values: [String: String]
    ) async -> ConnectorError? {
        do {
            _ = try await scratch.read(values)
            return nil
        } catch {
            return error as? ConnectorError
        }
    }

    struct Case: Sendable {
        var values: [String: String]
        var key: String
        var text: String
    }

    @Test(
        "what cannot be read is refused with the key, the table and a way out",
        arguments: [
            Case(
                values: ["mode": "timestamp", "timestamp.column.name": "changd"],
                key: "timestamp.column.name",
                text: "Did you mean changed?"
            ),
            Case(
                values: ["mode": "timestamp", "timestamp.column.name": "changed"],
                key: "timestamp.column.name",
                text: "may be null"
            ),
            Case(
                values: ["mode": "incrementing", "table.include.list": "public.plain"],
                key: "incrementing.column.name",
                text: "public.plain"
            ),
            Case(
                values: ["table.include.list": "orders"],
                key: "table.include.list",
                text: "with their schema"
            ),
            Case(
                values: ["mode": "query", "query": "SELEC 1", "topic": "t"],
                key: "query",
                text: "syntax error"
            ),
            Case(
                values: ["mode": "query", "query": "SELECT 1 AS a, 2 AS a", "topic": "t"],
                key: "query",
                text: "Two columns are named a"
            ),
        ]
    )
    func refused(_ example: Case) async throws {  // D9
        let scratch = try SourceScratch()
        try scratch.execute(
            "CREATE TABLE orders (id bigserial PRIMARY KEY, changed timestamptz);"
                + "CREATE TABLE plain (id int)"
        )
        let error = try #require(await failure(scratch, example.values))
        #expect(error.configurationKey == example.key)
        #expect("\(error.message) \(error.hint ?? "")".contains(example.text), "\(error)")
        #expect(error.kind == .configuration)
    }

    @Test("a missing privilege names the table, and no password is ever shown")
    func privilege() async throws {  // D8
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE secret (id int PRIMARY KEY)")
        let error = try #require(
            await failure(
                scratch,
                [
                    "user": PostgresServer.Role.password.name,
                    "password": PostgresServer.Role.password.password,
                ]
            )
        )
        #expect(error.message.contains("secret"), "\(error)")
        #expect(error.kind == .environment)
        #expect(!"\(error)".contains(PostgresServer.Role.password.password))
    }

    @Test("preflight names the table that may not be read, and the server that is not there")
    func preflight() async throws {
        let scratch = try SourceScratch()
        try scratch.execute("CREATE TABLE secret (id int PRIMARY KEY)")
        let role = PostgresServer.Role.password
        func outcomes(_ values: [String: String]) async throws -> [PreflightCheck] {
            try await PostgresSource.preflight(
                configuration: Configuration(
                    values.merging(["url": scratch.database.url]) { given, _ in given }
                ),
                context: scratch.context
            )
        }
        let allowed = try await outcomes([:])
        #expect(allowed.map(\.outcome) == [.passed, .passed])
        let refused = try await outcomes(["user": role.name, "password": role.password])
        let failed = try #require(refused.first { $0.outcome == .failed })
        #expect(failed.message.contains("public.secret"))
        let gone = try await outcomes(["url": "postgres://somebody:hunter2@127.0.0.1:1/db"])
        #expect(gone.map(\.outcome) == [.failed])
        #expect(!"\(gone)".contains("hunter2"))
    }

    @Test("a server that cannot be reached is tried again, and told without the password")
    func unreachable() async throws {
        let scratch = try SourceScratch()
        let url = "postgres://somebody:hunter2@127.0.0.1:1/db"
        let error = try #require(await failure(scratch, ["url": url]))
        #expect(error.disposition == .retry(after: nil))
        #expect(error.kind == .environment)
        #expect(!"\(error)".contains("hunter2"))
        let broken = try #require(
            await failure(scratch, ["url": "postgres://u:p@ss/w:hunter2@host:x/db"])
        )
        #expect(broken.configurationKey == "url")
        #expect(!"\(broken)".contains("hunter2"))
    }

    @Test("a connection that breaks in the middle is an error to try again, and nothing is lost")
    func broken() async throws {
        let scratch = try SourceScratch()
        try scratch.execute(
            "CREATE TABLE t (id int PRIMARY KEY, v text);"
                + "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i"
        )
        let source = try scratch.source()
        let outlet = RecordingOutlet(for: source)
        outlet.faults = [
            2: .loseAnswer(ConnectorError(.init("test.busy"), .retry(after: nil), "Busy."))
        ]
        var first: ConnectorError?
        do throws(ConnectorError) {
            try await source.run(from: [:], into: outlet)
        } catch {
            first = error
        }
        #expect(first?.disposition == .retry(after: nil))
        let rest = try await scratch.read(from: outlet.positions)
        #expect(outlet.integers() + rest.integers() == Array(1...20_000))
    }
}
