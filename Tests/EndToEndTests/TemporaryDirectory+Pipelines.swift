import Foundation
import TestServices

extension TemporaryDirectory {
    /// A directory with a copy of the example pipelines and their input.
    static func withPipelines() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: Products.root + "/pipelines",
            toPath: directory.file("pipelines")
        )
        return directory
    }

    /// Runs an example pipeline to its end, with a database of its own.
    func run(_ file: String, on database: PostgresDatabase) async throws -> CommandResult {
        try await Command.run(
            [Products.millrace, "run", "--until-end", "--data-dir", self.file("data"), file],
            in: self.file("pipelines"),
            environment: ["DATABASE_URL": database.url]
        )
    }
}
