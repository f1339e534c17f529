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
        try await ChaosScript(name: "kill.py", arguments: ["100"]).passes(in: TemporaryDirectory())
    }

    // D1, D2, D3 and D5, with a database that another process goes on writing.
    @Test("captures every change once and in order in a dozen kills", .timeLimit(.minutes(10)))
    func capture() async throws {
        try await ChaosScript(name: "capture.py", arguments: ["12"])
            .passes(in: TemporaryDirectory())
    }

    // D2, D3 and D5 from topic to topic, with what transforms remember.
    @Test("sums of windows are exact in forty kills", .timeLimit(.minutes(10)))
    func streams() async throws {
        try await ChaosScript(name: "streams.py", arguments: ["40"])
            .passes(in: TemporaryDirectory())
    }

    // D1, D2, D3, D5 and D6 once more, with the offsets in PostgreSQL and two tasks.
    @Test("each record is in PostgreSQL once, in the order of its key", .timeLimit(.minutes(10)))
    func postgres() async throws {
        let database = try PostgresServer.shared().makeDatabase()
        let environment = ["CHAOS_POSTGRES_URL": database.url]
        try await ChaosScript(name: "kill.py", arguments: ["12"], environment: environment)
            .passes(in: TemporaryDirectory())
    }

    // D2, D3, D5 and D6 with the topics on a cluster.
    @Test("each line is on a cluster and in SQLite once in a dozen kills", .timeLimit(.minutes(10)))
    func kafka() async throws {
        let broker = try KafkaBroker()
        try await ChaosScript(name: "cluster.py", arguments: [broker.bootstrap, "12"])
            .passes(in: TemporaryDirectory())
    }

    // D7: what cannot be written is not read; and D2, D3 and D6 afterwards.
    @Test(
        "brokers that are away for more than a minute cost neither memory nor records",
        .timeLimit(.minutes(10))
    )
    func outage() async throws {
        let broker = try KafkaBroker(failing: [])
        try await ChaosScript(
            name: "cluster_outage.py",
            arguments: [broker.bootstrap, String(broker.controlPort)]
        ).passes(in: TemporaryDirectory())
    }

    // D2 and D3 with several processes, each of which may be gone or come back as a zombie.
    @Test("workers take over from each other and write each row once", .timeLimit(.minutes(10)))
    func workers() async throws {
        let broker = try KafkaBroker()
        try await ChaosScript(name: "workers.py", arguments: [broker.bootstrap])
            .passes(in: TemporaryDirectory())
    }
}
