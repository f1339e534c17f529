import Foundation
import TestServices
import Testing

/// A directory with a pipeline file, and what is in its topics.
struct Mirror {
    /// A record of a topic here, as `topics read --json` prints it.
    struct Record {
        let partition: Int
        let timestamp: Int
        let key: String
        let value: String
        let headers: String

        init(_ line: [String: Any]) {
            partition = line["partition"] as? Int ?? -1
            timestamp = line["timestamp"] as? Int ?? -1
            key = "\(line["key"] ?? "")"
            value = "\(line["value"] ?? "")"
            headers = "\(line["headers"] ?? "")"
        }
    }

    let directory: TemporaryDirectory

    init(_ pipeline: String) throws {
        directory = try TemporaryDirectory()
        try directory.write(pipeline, to: "p.yaml")
    }

    /// A name that no other test uses in the shared cluster.
    static func name(_ text: String) -> String { "\(text)-\(UInt32.random(in: 0 ... .max))" }

    @discardableResult
    func run(
        _ arguments: String...,
        expecting code: Int32 = 0,
        environment: [String: String] = [:],
        location: SourceLocation = #_sourceLocation
    ) async throws -> CommandResult {
        let command = try directory.start(
            ["run", "p.yaml"] + arguments,
            environment: environment
        )
        let result = try await command.wait()
        #expect(result.exitCode == code, "\(result.errors)", sourceLocation: location)
        return result
    }

    func records(
        of topic: String,
        location: SourceLocation = #_sourceLocation
    ) async throws -> [Record] {
        let result = try await directory.millrace("topics", "read", topic, "--json")
        #expect(result.exitCode == 0, "\(result.errors)", sourceLocation: location)
        return try result.jsonLines().map { Record($0) }
    }

    /// Waits until what a command has logged is as it should be.
    func wait(until command: Command, _ condition: (String) -> Bool) async throws {
        for _ in 0..<1_200 where !condition(command.errorsSoFar) {
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(condition(command.errorsSoFar), "\(command.errorsSoFar)")
    }

    /// Waits until a topic here has so many records.
    func wait(for count: Int, in topic: String, while command: Command) async throws {
        for _ in 0..<600 {
            // It may not exist yet.
            let read = try await directory.millrace("topics", "read", topic)
            if read.output.split(separator: "\n").count >= count { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("only \(try await records(of: topic).count): \(command.errorsSoFar)")
    }
}
