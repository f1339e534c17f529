import TestServices
import Testing

@Suite("Damaged segments")
struct DamageTests {
    // D4, D6, D10: what cannot be read is said, and nothing wrong is ever delivered.
    @Test("damage is loud, and what was delivered is a beginning", .timeLimit(.minutes(10)))
    func damagedSegments() async throws {
        let directory = try TemporaryDirectory()
        let result = try await Command.run(
            [
                Products.python, Products.root + "/Tests/ChaosTests/damage.py", Products.millrace,
                directory.path, "15",
            ],
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }
}
