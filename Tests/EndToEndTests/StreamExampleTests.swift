import TestServices
import Testing

/// What the examples of topics that connect to topics make.
@Suite("Streams of the examples", .timeLimit(.minutes(10)))
struct StreamExampleTests {
    private func run(_ file: String) async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory.withPipelines()
        let result = try await Command.run(
            [Products.millrace, "run", "--data-dir", directory.file("data"), file],
            in: directory.file("pipelines")
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        return directory
    }

    @Test("clicks are counted per user and minute, and two sinks have them all")
    func clicks() async throws {
        let directory = try await run("clicks.yaml")
        let counts = try await directory.bash(
            """
            sqlite3 pipelines/out/clicks-per-minute.db "SELECT substr(window_start, 12, 5), user, \
            clicks, pages, last_page FROM clicks_per_minute ORDER BY 1, 2"
            sqlite3 pipelines/out/clicks.db 'SELECT count(*) FROM clicks'
            cat pipelines/out/clicks/*.jsonl | wc -l
            """
        )
        #expect(
            counts.output == """
                10:00|ada|2|2|/shop
                10:00|bob|1|1|/shop
                10:00|cyd|1|1|/
                10:01|ada|1|1|/shop/7
                10:01|bob|2|2|/cart
                10:02|ada|2|2|/thanks
                10:02|cyd|1|1|/about
                10
                10

                """,
            "\(counts.errors)"
        )
    }

    @Test("paid orders are shipped once each")
    func shipping() async throws {
        let directory = try await run("orders-shipping.yaml")
        let lines = try await directory.bash("cat pipelines/out/shipments-*.jsonl | sort")
        let found = try lines.jsonLines()
        #expect(found.map { $0["order_id"] as? Int } == [1_001, 1_003, 1_005, 1_006])
        #expect(found.allSatisfy { $0["carrier"] as? String == "post" && $0["status"] == nil })
    }
}
