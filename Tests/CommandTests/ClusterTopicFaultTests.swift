import TestServices
import Testing

/// What becomes of a run when somebody changes its topics on the cluster.
@Suite("Topics of a cluster that change under a run", .timeLimit(.minutes(10)))
struct ClusterTopicFaultTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A log that is followed into a table, so that nothing ends by itself.
    private func start(_ broker: KafkaBroker, sink: String = "") throws -> Command {
        try directory.write(
            """
            pipeline: p
            broker:
              bootstrap.servers: \(broker.bootstrap)
              replication.factor: 1
              # How long it is tried to write to a topic that is not there.
              message.timeout.ms: 5000
            sources:
              log: {connector: file, include: in.log, follow: true, format: lines, topic: lines}
            sinks:
              table:
                connector: sqlite
                topics: [lines]
                path: out.db
                auto.create: true
                offset.flush.interval.ms: 20
                value.converter: string
                transforms: [{type: HoistField, field: line}]
            \(sink)
            """,
            to: "p.yaml"
        )
        return try directory.start(["run", "p.yaml", "--log-level", "info"])
    }

    private func append(_ lines: ClosedRange<Int>) async throws {
        let result = try await directory.bash(
            "seq \(lines.lowerBound) \(lines.upperBound) >>in.log"
        )
        #expect(result.exitCode == 0)
    }

    /// The lines in the table, in order.
    private func rows() async throws -> [String] {
        let result = try await Command.run(
            [
                "sqlite3", "-cmd", ".timeout 60000", "out.db",
                "SELECT line FROM lines ORDER BY rowid",
            ],
            in: directory.path
        )
        return result.output.split(separator: "\n").map(String.init)
    }

    private func wait(
        _ what: Comment,
        while command: Command,
        _ condition: () async throws -> Bool
    ) async throws {
        // Attempts, because a loaded machine may stop all processes for long.
        for _ in 0..<1_200 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("waited in vain: \(what); \(command.errorsSoFar)")
    }

    // D6: what is in a partition that nobody looks at would be lost to the sink without a word.
    @Test("partitions that are added while a sink reads are read from their first record")
    func growth() async throws {
        let broker = try KafkaBroker(failing: ["--shown", "lines=2"])
        let judge = KafkaJudge(broker)
        try await judge.create("lines", partitions: 4)
        try await append(1...50)
        let command = try start(broker)
        try await wait("the first rows", while: command) { try await rows().count == 50 }
        try await judge.grow("lines", to: 4)
        try await judge.produce(
            (0..<20).map { .init("lines", 2 + $0 % 2, key: nil, value: "new \($0)") }
        )
        try await wait("rows of new partitions", while: command) { try await rows().count == 70 }
        try await append(51...60)
        try await wait("rows after that", while: command) { try await rows().count == 80 }
        command.signal(15)
        let result = try await command.wait()
        #expect(result.exitCode == 0, "\(result.errors)")
        let expected = (1...60).map { "\($0)" } + (0..<20).map { "new \($0)" }
        #expect(try await rows().sorted() == expected.sorted())
    }

    // D6
    @Test("a topic that is deleted fails its sink, and is made again by its source")
    func deletion() async throws {
        let broker = try KafkaBroker(failing: [])
        let judge = KafkaJudge(broker)
        try await append(1...50)
        let command = try start(broker, sink: "    errors.retry.timeout: 1s")
        try await wait("the first rows", while: command) { try await rows().count == 50 }
        try await judge.delete("lines")
        // Nobody writes to it, so it does not come back before.
        try await wait("the sink's error", while: command) {
            command.errorsSoFar.contains("error: sinks.table")
        }
        #expect(
            command.errorsSoFar.contains("The topic `lines`, which the sink reads, does not exist")
        )
        #expect(command.errorsSoFar.contains("[topics.unknown]"))
        try await append(51...60)
        var found: [KafkaJudge.Record] = []
        try await wait("the topic again", while: command) {
            found = (try? await judge.records(of: "lines")) ?? []
            return found.count == 10
        }
        #expect(found.compactMap(\.text) == (51...60).map { "\($0)" })
        #expect(command.errorsSoFar.contains("The topic lines does not exist any more"))
        command.signal(15)
        let result = try await command.wait()
        #expect(result.exitCode == 3, "\(result.errors)")
        #expect(try await rows().count == 50)
    }

    // D6: never a jump over what is gone.
    @Test("a sink behind retention fails with the numbers, and goes on when it is told to")
    func retention() async throws {
        let broker = try KafkaBroker(failing: [])
        let judge = KafkaJudge(broker)
        try await judge.create("lines", partitions: 1)
        try await append(1...50)
        var command = try start(broker)
        try await wait("the first rows", while: command) { try await rows().count == 50 }
        command.signal(15)
        #expect(try await command.wait().exitCode == 0)
        let known = try #require(try await judge.records(of: "lines").last?.offset)
        try await judge.produce((51...60).map { .init("lines", 0, key: nil, value: "\($0)") })
        let last = try #require(try await judge.records(of: "lines").last?.offset)
        try await judge.shorten("lines", 0, to: Int(last) - 3)
        command = try start(broker)
        try await wait("the sink's error", while: command) {
            command.errorsSoFar.contains("error: sinks.table")
        }
        command.signal(15)
        let failed = try await command.wait()
        #expect(failed.exitCode == 1, "\(failed.errors)")
        #expect(failed.errors.contains("[engine.records_lost]"), "\(failed.errors)")
        #expect(failed.errors.contains("to \(last - 4) ("), "\(failed.errors)")
        #expect(failed.errors.contains("`millrace offsets reset table --lost`"))
        #expect(last - 4 > known)
        #expect(try await rows().count == 50)
        let reset = try await directory.millrace(
            "offsets",
            "reset",
            "table",
            "--lost",
            "--broker",
            broker.bootstrap
        )
        #expect(reset.exitCode == 0, "\(reset.errors)")
        command = try start(broker)
        try await wait("the rest", while: command) { try await rows().count == 54 }
        command.signal(15)
        #expect(try await command.wait().exitCode == 0)
        #expect(try await rows() == ((1...50).map { "\($0)" } + (57...60).map { "\($0)" }))
    }
}
