import TestServices
import Testing

/// Real kills of the real process.
///
/// `scripts/soak` runs the same for longer.
@Suite("Killed at any moment")
struct KillTests {
    // D1, D2, D3, D5 and D6 at once: what a kill could break is compared at three destinations.
    @Test("loses, doubles and reorders nothing in a hundred kills", .timeLimit(.minutes(10)))
    func hundredKills() async throws {
        let directory = try TemporaryDirectory()
        let result = try await Command.run(
            [
                Products.python, Products.root + "/Tests/ChaosTests/kill.py", Products.millrace,
                directory.path, "100",
            ],
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }

    // D1, D2, D3 and D5, with a database that another process goes on writing.
    @Test("captures every change once and in order in a dozen kills", .timeLimit(.minutes(10)))
    func capture() async throws {
        let directory = try TemporaryDirectory()
        let result = try await Command.run(
            [
                Products.python, Products.root + "/Tests/ChaosTests/capture.py", Products.millrace,
                directory.path, "12",
            ],
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }

    // D2, D3 and D5 from topic to topic, with what transforms remember.
    @Test("sums of windows are exact in forty kills", .timeLimit(.minutes(10)))
    func streams() async throws {
        let directory = try TemporaryDirectory()
        let result = try await Command.run(
            [
                Products.python, Products.root + "/Tests/ChaosTests/streams.py", Products.millrace,
                directory.path, "40",
            ],
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }

    // D1, D2, D3, D5 and D6 once more, with the offsets in PostgreSQL and two tasks.
    @Test("each record is in PostgreSQL once, in the order of its key", .timeLimit(.minutes(10)))
    func postgres() async throws {
        let directory = try TemporaryDirectory()
        let database = try PostgresServer.shared().makeDatabase()
        let result = try await Command.run(
            [
                Products.python, Products.root + "/Tests/ChaosTests/kill.py", Products.millrace,
                directory.path, "12",
            ],
            in: directory.path,
            environment: ["CHAOS_POSTGRES_URL": database.url]
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }
}
