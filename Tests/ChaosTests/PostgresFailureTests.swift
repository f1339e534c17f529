import PostgresClient
import TestServices
import Testing

/// A server that goes away while it is written to.
@Suite("PostgreSQL goes away", .timeLimit(.minutes(10)))
struct PostgresFailureTests {
    private static let records = 30_000

    private static let pipeline = """
        pipeline: load
        topics:
          orders: {partitions: 4}
        sources:
          inbox: {connector: json, include: orders.jsonl, topic: orders, key.fields: [id]}
        sinks:
          shop:
            connector: postgres
            url: ${env:TARGET}
            topics: [orders]
            tasks.max: 2
            transaction.records: 200
            offset.flush.interval.ms: 10
        """

    /// Asks until the answer is at least `count`; connections break meanwhile.
    private static func wait(for count: Int64, in database: PostgresDatabase) async throws {
        let deadline = ContinuousClock.now + .seconds(400)
        while ContinuousClock.now < deadline {
            let connection = try? database.connect()
            let found = try? connection?.execute("SELECT count(*) FROM orders")
            if let rows = found?.int(0, 0), rows >= count { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("the rows did not come")
    }

    // D2
    @Test("restarts, crashes and ended connections neither lose nor double a row")
    func failures() async throws {
        let directory = try TemporaryDirectory()
        let server = try PostgresServer.start()
        let database = try server.makeDatabase()
        try database.connect().execute("CREATE TABLE orders (id bigint, text text)")
        let lines = (1...Self.records).map { "{\"id\":\($0),\"text\":\"order \($0)\"}\n" }
        _ = try directory.write(lines.joined(), to: "orders.jsonl")
        _ = try directory.write(Self.pipeline, to: "load.yaml")
        async let running = Command.run(
            [
                Products.millrace, "run", "--data-dir", directory.file("data"), "load.yaml",
            ],
            in: directory.path,
            environment: ["TARGET": database.url]
        )
        let step = Int64(Self.records / 10)
        for number in 1...5 {
            try await Self.wait(for: step * Int64(number), in: database)
            switch number {
            case 1: try server.restart(.immediate)
            case 3:
                try server.kill()
                try server.start()
            default:
                _ = try? server.connectAsSuperuser().execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        + "WHERE application_name = 'millrace'"
                )
            }
        }
        let result = try await running
        #expect(result.exitCode == 0, "\(result.errors.suffix(3_000))")
        let rows = try database.connect().execute(
            "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM orders"
        )
        let total = Int64(Self.records)
        #expect((0..<4).map { rows.int(0, $0) } == [total, total, 1, total])
    }
}

extension PostgresServer {
    fileprivate func connectAsSuperuser() throws -> PostgresConnection {
        try PostgresConnection(settings())
    }
}
