import Foundation
import TestServices
import Testing

@Suite("millrace groups", .timeLimit(.minutes(10)))
struct GroupsTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func millrace(_ arguments: String...) async throws -> CommandResult {
        try await directory.start(arguments).wait()
    }

    private func run(with broker: KafkaBroker? = nil) async throws {
        let line = broker.map { "broker: {bootstrap.servers: \"\($0.bootstrap)\"}\n" } ?? ""
        try directory.write(line + RunTests.pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n2,3\n3,4\n", to: "in/a.csv")
        let run = try await millrace("run", "p.yaml")
        #expect(run.exitCode == 0, "\(run.errors)")
    }

    /// The groups and their lags, as `groups list` shows them with these words behind it.
    private func lags(_ words: [String] = []) async throws -> [String: Int] {
        let result = try await directory.start(["groups", "--json"] + words).wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        let groups = try #require(try result.json()["groups"] as? [[String: Any]])
        return Dictionary(
            uniqueKeysWithValues: groups.map {
                ($0["group"] as? String ?? "", $0["lag"] as? Int ?? -1)
            }
        )
    }

    @Test("a sink's group is listed, described, moved, followed and deleted")
    func embedded() async throws {
        try await run()
        #expect(try await lags() == ["connect-files": 0])
        let described = try await millrace("groups", "describe", "connect-files", "--json").json()
        let offsets = try #require(described["offsets"] as? [[String: Any]])
        #expect(offsets.compactMap { $0["offset"] as? Int }.reduce(0, +) == 3)
        #expect((described["members"] as? [Any])?.isEmpty == true)
        let reset = try await millrace("groups", "reset", "connect-files")
        #expect(reset.exitCode == 0, "\(reset.errors)")
        #expect(try await lags() == ["connect-files": 3])
        let again = try await millrace("run", "p.yaml", "--json")
        #expect(again.output.contains("\"records\":3"), "the sink reads them again")
        #expect(try await lags() == ["connect-files": 0])
        let deleted = try await millrace("groups", "delete", "connect-files")
        #expect(deleted.output == "connect-files: deleted\n", "\(deleted.errors)")
        #expect(try await lags().isEmpty)
    }

    @Test("what cannot be done is said, and nothing is changed")
    func refused() async throws {
        try await run()
        let misspelt = try await millrace("groups", "reset", "connect-file")
        #expect(misspelt.exitCode == 2)
        #expect(misspelt.errors.contains("Did you mean `connect-files`?"), "\(misspelt.errors)")
        let topic = try await millrace("groups", "reset", "connect-files", "--topic", "none")
        #expect(topic.exitCode == 2)
        #expect(topic.errors.contains("no offsets of such a topic"), "\(topic.errors)")
        #expect(try await lags() == ["connect-files": 0])
    }

    @Test("groups of a cluster are listed, described and moved; doctor looks at it, fsck does not")
    func cluster() async throws {
        let broker = try KafkaBroker()
        let flag = ["--broker", broker.bootstrap]
        try await run(with: broker)
        #expect(try await lags(flag)["connect-files"] == 0)
        let reset = try await directory.start(["groups", "reset", "connect-files"] + flag).wait()
        #expect(reset.exitCode == 0, "\(reset.errors)")
        let lag = try #require(try await lags(flag)["connect-files"])
        #expect(lag >= 3, "commits have offsets as well")
        let words = ["groups", "describe", "connect-files", "--json"] + flag
        let described = try await directory.start(words).wait()
        #expect(try described.json()["state"] is String, "\(described.errors)")
        let doctor = try await millrace("doctor", "p.yaml", "--json")
        #expect(doctor.exitCode == 0, "\(doctor.output)")
        let checks = try #require(try doctor.json()["checks"] as? [[String: Any]])
        let outcomes = checks.map { "\($0["subject"] ?? "") \($0["outcome"] ?? "")" }
        for subject in ["librdkafka", "cluster", "replication", "transactions"] {
            #expect(outcomes.contains("\(subject) passed"), "\(checks)")
        }
        let fsck = try await directory.start(["fsck"] + flag).wait()
        #expect(fsck.exitCode == 2 && fsck.errors.contains("brokers"), "\(fsck.errors)")
    }

    @Test("validate --connect says what the cluster lacks, with its place in the file")
    func missing() async throws {
        let cluster = try KafkaMockHandle()
        let pipeline = """
            broker:
              bootstrap.servers: "\(cluster.bootstrap)"
              replication.factor: 99

            """
        try directory.write(pipeline + RunTests.pipeline, to: "p.yaml")
        try directory.write("id,amount\n1,1.10\n", to: "in/a.csv")
        let result = try await millrace("validate", "--connect", "p.yaml")
        #expect(result.exitCode == 2, "\(result.errors)")
        #expect(result.output.contains("p.yaml:3:"), "\(result.output)")
        #expect(result.output.contains("99 copies"), "\(result.output)")
    }
}
