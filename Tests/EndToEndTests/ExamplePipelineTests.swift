import Foundation
import TestServices
import Testing

/// The pipeline files in `pipelines/` are documentation, so each one is run.
@Suite("Example pipelines")
struct ExamplePipelineTests {
    static let files = SourceTree.pipelines

    @Test("run as they are", arguments: files)
    func runs(_ file: String) async throws {
        let directory = try TemporaryDirectory()
        let copy = directory.file("pipelines")
        try FileManager.default.copyItem(atPath: Products.root + "/pipelines", toPath: copy)
        try? FileManager.default.removeItem(atPath: copy + "/out")
        let result = try await Command.run(
            [
                Products.millrace, "run", "--until-end", "--json", "--data-dir",
                directory.file("data"), file,
            ],
            in: copy,
            environment: ["PATH": Products.pathWithTaps]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        let summary = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let pipelines = (summary as? [String: Any])?["pipelines"] as? [[String: Any]] ?? []
        let connectors = pipelines.flatMap { $0["connectors"] as? [[String: Any]] ?? [] }
        #expect(!connectors.isEmpty)
        for connector in connectors {
            let name = connector["name"] as? String ?? ""
            #expect(connector["state"] as? String == "done", "\(name): \(connector)")
            #expect((connector["records"] as? Int ?? 0) > 0, "\(name) moved nothing")
            #expect(connector["rejected"] as? Int == 0, "\(name) rejected records")
        }
    }
}

/// Where the examples are.
enum SourceTree {
    /// Those that need a server, or a database of an application's, or somebody who sends, are run by
    /// tests of their own.
    private static func needsOthers(_ name: String) -> Bool {
        let text = try? String(
            contentsOfFile: Products.root + "/pipelines/" + name,
            encoding: .utf8
        )
        let signs = ["DATABASE_URL", "env:KAFKA", "#   sqlite3 out/", "    listen: "]
        return text.map { text in signs.contains { text.contains($0) } } ?? false
    }

    static let pipelines: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: Products.root + "/pipelines"
        )
        return (names ?? []).filter { $0.hasSuffix(".yaml") && !needsOthers($0) }.sorted()
    }()
}
