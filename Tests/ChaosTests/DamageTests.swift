import TestServices
import Testing

@Suite("Damaged segments")
struct DamageTests {
    // D4, D6, D10: what cannot be read is said, and nothing wrong is ever delivered.
    @Test("damage is loud, and what was delivered is a beginning", .timeLimit(.minutes(10)))
    func damagedSegments() async throws {
        try await ChaosScript(name: "damage.py", arguments: ["15"])
            .passes(in: TemporaryDirectory())
    }
}
