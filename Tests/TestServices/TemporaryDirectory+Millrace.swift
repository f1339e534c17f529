import Foundation
import Testing

extension TemporaryDirectory {
    /// Runs `millrace` here to its end, without the variables that would change what it does.
    @discardableResult
    public func millrace(
        _ arguments: String...,
        input: String = "",
        environment: [String: String] = [:]
    ) async throws -> CommandResult {
        try await start(arguments, input: input, environment: environment).wait()
    }

    /// Starts `millrace` here.
    public func start(
        _ arguments: [String],
        input: String = "",
        environment: [String: String] = [:]
    ) throws -> Command {
        let variables = ["MILLRACE_DATA": "", "MILLRACE_LOG": "", "TERM": "dumb"]
        return try Command(
            [Products.millrace] + arguments,
            in: path,
            environment: variables.merging(environment) { _, new in new },
            input: input
        )
    }

    /// Runs lines of bash here, with `millrace` in the path.
    public func bash(_ script: String) async throws -> CommandResult {
        let folder = (Products.millrace as NSString).deletingLastPathComponent
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":" + folder
        return try await Command.run(
            ["bash", "-c", script],
            in: self.path,
            environment: ["PATH": path]
        )
    }

    /// The names in a directory, sorted, without hidden ones.
    public func names(in folder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(folder))
            .filter { !$0.hasPrefix(".") }.sorted()
    }
}

extension CommandResult {
    /// Standard output as one JSON object.
    public func json() throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(value as? [String: Any], "not an object: \(output)")
    }

    /// Standard output as one JSON object a line.
    public func jsonLines() throws -> [[String: Any]] {
        try output.split(separator: "\n").map { line in
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return try #require(value as? [String: Any], "not an object: \(line)")
        }
    }
}

/// Waits until something is true; gives up after two minutes.
public func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    // Attempts count as well as time: other tests may keep this one from running for long.
    let deadline = ContinuousClock.now + .seconds(120)
    var attempts = 0
    while ContinuousClock.now < deadline || attempts < 500 {
        if try await condition() { return true }
        attempts += 1
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
