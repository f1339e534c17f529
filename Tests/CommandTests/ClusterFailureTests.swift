import TestServices
import Testing

/// What a pipeline says when its cluster is not as it must be.
@Suite("A cluster that refuses", .timeLimit(.minutes(10)))
struct ClusterFailureTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ broker: KafkaBroker, _ keys: String...) async throws -> CommandResult {
        let lines = (1...500).map { "\($0)\n" }.joined()
        try directory.write(lines, to: "in.txt")
        try directory.write(
            """
            pipeline: p
            broker:
              bootstrap.servers: \(broker.bootstrap)
              replication.factor: 1
            \(keys.map { "  \($0)" }.joined(separator: "\n"))
            sources:
              lines: {connector: file, include: in.txt, format: lines, topic: lines}
            sinks:
              files: {connector: file, topics: [lines], path: out.txt}
            """,
            to: "p.yaml"
        )
        return try await directory.start(["run", "p.yaml"]).wait()
    }

    private func expectEachLineOnce() async throws {
        let check = try await directory.bash("sort -n out.txt | cmp - in.txt")
        #expect(check.exitCode == 0, "\(check.output)\(check.errors)")
    }

    @Test("without transactions it names the key that does without, and then goes on plainly")
    func transactions() async throws {
        // InitProducerId, and what goes into transactions
        let broker = try KafkaBroker(failing: ["--without", "22,24,25,26,28"])
        let first = try await run(broker)
        #expect(first.exitCode == 2, "\(first.errors)")
        #expect(first.errors.contains("With `transactions: false` under `broker:`"))
        // Such a broker knows no idempotent producers either.
        let second = try await run(broker, "transactions: false")
        #expect(second.exitCode == 2, "\(second.errors)")
        #expect(second.errors.contains("With `enable.idempotence: false`"), "\(second.errors)")
        let last = try await run(broker, "transactions: false", "enable.idempotence: false")
        #expect(last.exitCode == 0, "\(last.errors)")
        #expect(last.errors.contains("at least once"), "\(last.errors)")
        try await expectEachLineOnce()
    }

    // D8
    @Test("a wrong password is named by its key and never shown; with the right one it runs")
    func password() async throws {
        let broker = try KafkaBroker(failing: ["--password", "hunter2secret"])
        func run(_ password: String) async throws -> CommandResult {
            try await self.run(
                broker,
                "security.protocol: SASL_PLAINTEXT",
                "sasl.mechanism: PLAIN",
                "sasl.username: me",
                "sasl.password: \(password)"
            )
        }
        let refused = try await run("wrongsecret")
        #expect(refused.exitCode == 3, "\(refused.errors)")
        #expect(refused.errors.contains("broker.sasl.password"), "\(refused.errors)")
        #expect(!(refused.output + refused.errors).contains("wrongsecret"))
        let taken = try await run("hunter2secret")
        #expect(taken.exitCode == 0, "\(taken.errors)")
        try await expectEachLineOnce()
    }
}
