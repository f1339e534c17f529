import TestServices
import Testing

@Suite("millrace plugins", .timeLimit(.minutes(10)))
struct PluginsTests {
    @Test("every plug-in that is listed can be described")
    func describe() async throws {
        let directory = try TemporaryDirectory()
        let list = try await directory.millrace("plugins", "list", "--json").json()
        let plugins = try #require(list["plugins"] as? [[String: Any]])
        #expect(!plugins.isEmpty)
        for name in Set(plugins.compactMap { $0["name"] as? String }) {
            let described = try await directory.millrace("plugins", "describe", name, "--json")
                .json()
            let found = try #require(described["plugins"] as? [[String: Any]])
            #expect(found.allSatisfy { $0["name"] as? String == name })
            let keys = found.flatMap { $0["keys"] as? [[String: Any]] ?? [] }
            #expect(keys.allSatisfy { ($0["help"] as? String)?.isEmpty == false }, "\(name)")
        }
    }

    @Test("a misspelt plug-in gets a suggestion")
    func misspelt() async throws {
        let result = try await TemporaryDirectory().millrace("plugins", "describe", "cvs")
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("Did you mean `csv`?"))
    }

    @Test("docs/ says what the declarations say; scripts/reference writes it anew")
    func reference() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "reference/.keep")
        let written = try await directory.millrace("plugins", "reference", "--output", "reference")
        #expect(written.exitCode == 0, "\(written.errors)")
        let docs = Products.root + "/docs"
        let difference = try await directory.bash(
            """
            diff -r -x .keep reference \(docs)/reference
            millrace plugins schema | diff - \(docs)/pipeline.schema.json
            """
        )
        #expect(difference.output == "", "run scripts/reference")
    }
}
