import TestServices
import Testing

/// A script of this directory: it runs the worker, breaks what it names, and compares what arrived.
struct ChaosScript {
    /// The name of its file.
    var name: String
    /// What it is given behind the worker's path and its directory.
    var arguments: [String] = []
    var environment: [String: String] = [:]

    /// Expects that the script finds nothing wrong; `folder` is a directory that it makes itself.
    func passes(
        in directory: TemporaryDirectory,
        _ folder: String? = nil,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let place = folder.map { directory.file($0) } ?? directory.path
        let script = Products.root + "/Tests/ChaosTests/" + name
        let result = try await Command.run(
            [Products.python, script, Products.millrace, place] + arguments,
            in: directory.path,
            environment: environment
        )
        #expect(
            result.exitCode == 0,
            "\(result.output)\(result.errors)",
            sourceLocation: location
        )
    }
}
