import TestServices
import Testing

/// A database that is written all the time, captured and applied to two others, while everything
/// is disturbed that can be.
///
/// `scripts/soak` runs the same for longer.
@Suite("Replication under disturbance", .serialized)
struct ReplicationTests {
    private func run(_ script: String, kills: String) async throws {
        try await ChaosScript(name: script, arguments: [kills])
            .passes(in: TemporaryDirectory(), "work")
    }

    // D1, D2, D3, D5: kills, frozen processes, restarted servers, cut and slow connections.
    @Test("targets end up equal to the source, and topics tell it once", .timeLimit(.minutes(10)))
    func disturbed() async throws { try await run("replication.py", kills: "6") }

    // D2: whoever looks at a target at any moment sees whole transactions.
    @Test("captured transactions are applied whole", .timeLimit(.minutes(10)))
    func transactions() async throws { try await run("transactions.py", kills: "5") }
}
