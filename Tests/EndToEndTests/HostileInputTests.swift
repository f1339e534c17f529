import TestServices
import Testing

/// Input that is made to hurt: the answer is an error or a dead letter, within bounded memory.
@Suite("Hostile input", .serialized)
struct HostileInputTests {
    // D7 and D9.
    @Test(
        "gets an answer within bounded memory",
        .timeLimit(.minutes(10)),
        arguments: [
            "long_line", "long_json_line", "long_csv_line", "zip_bomb", "billion_laughs",
            "external_entity", "deep_json", "far_index", "cyclic_directories",
            "vanishing_directory",
        ]
    )
    func answers(_ name: String) async throws {
        let directory = try TemporaryDirectory()
        let script = Products.root + "/Tests/EndToEndTests/hostile.py"
        let result = try await Command.run(
            [Products.python, script, Products.optimised, name, directory.path],
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }
}
