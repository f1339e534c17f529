import Foundation
import TestServices
import Testing

@Suite("millrace init", .timeLimit(.minutes(10)))
struct InitTests {
    @Test("every template is a valid pipeline file")
    func templates() async throws {
        let directory = try TemporaryDirectory()
        let list = try await directory.millrace("init", "--json").json()
        let templates = try #require(list["templates"] as? [[String: Any]])
        let names = templates.compactMap { $0["name"] as? String }
        #expect(Set(names).isSuperset(of: ["pg-cdc", "sqlite-cdc", "postgres", "csv-to-postgres"]))
        for template in templates {
            let name = try #require(template["name"] as? String)
            #expect(try await directory.millrace("init", name).exitCode == 0)
            let result = try await directory.millrace("validate", "\(name).yaml")
            #expect(result.exitCode == 0, "\(result.output)")
        }
    }

    @Test("a file that exists is not replaced, unless asked")
    func existing() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("mine", to: "logs.yaml")
        let refused = try await directory.millrace("init", "logs")
        #expect(refused.exitCode == 2)
        #expect(refused.errors.contains("--force"))
        #expect(try directory.read("logs.yaml") == "mine")
        #expect(try await directory.millrace("init", "logs", "--force").exitCode == 0)
        #expect(try directory.read("logs.yaml") != "mine")
    }

    @Test("a misspelt template gets a suggestion")
    func misspelt() async throws {
        let result = try await TemporaryDirectory().millrace("init", "csv-to-sqllite")
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("Did you mean `csv-to-sqlite`?"))
    }
}
