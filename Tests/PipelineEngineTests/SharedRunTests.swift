import ConnectorSDK
import Glibc
@testable import PipelineEngine
import Synchronization
import Testing
import Topics

/// Grants and withdraws tasks as a test says.
private struct ScriptedSharing: TaskSharing {
    let body: @Sendable (TaskOwnership) throws -> Void

    func share(_ ownership: TaskOwnership) throws(ConnectorError) {
        do {
            try body(ownership)
        } catch let error as ConnectorError {
            throw error
        } catch {
            throw ConnectorError(.init("test.failed"), .failTask, "\(error)")
        }
    }
}

extension TaskOwnership {
    /// Waits until something holds.
    fileprivate func wait(until isDone: () -> Bool) throws {
        // Attempts as well as time: a loaded machine may stop this process for long.
        for _ in 0..<6_000 where !isDone() { wait(.milliseconds(20)) }
        try #require(isDone())
    }
}

/// Keeps a sink in its write.
private final class Gate: Sendable {
    let begun = Atomic<Int>(0)
    let isOpen = Atomic<Bool>(false)
}

@Suite("Runs that share tasks with others", .timeLimit(.minutes(10)))
struct SharedRunTests {
    private let sourceTask = TaskID("in", 0)

    /// Sends one number after the other, until it is stopped.
    private static func endless() -> SourceScript {
        SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            var next = run.positions["p"].flatMap { Int($0) } ?? 0
            while !run.outlet.isStopping {
                let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
                batch.appendText("\(next)")
                next += 1
                let position = SourcePosition(partition: "p", offset: "\(next)")
                try await run.outlet.send(batch, position: position)
            }
        }
    }

    @Test("only granted tasks run; one that comes back goes on where it was")
    func handOver() async throws {
        let bench = try EngineBench()
        let source = Self.endless()
        let other = Self.endless()
        let runner = bench.runner([
            bench.pipeline("test", [.source("in", source), .source("other", other)])
        ])
        let id = sourceTask
        let summary = try await runner.run(
            sharedBy: ScriptedSharing { ownership in
                #expect(ownership.tasks == [id, TaskID("other", 0)])
                #expect(runner.progress().map(\.state) == [.unassigned, .unassigned])
                for _ in 0..<3 {
                    let before = source.log.acknowledged.count
                    ownership.grant([id])
                    try ownership.wait { source.log.acknowledged.count > before }
                    #expect(ownership.granted == [id])
                    ownership.withdraw([id], .handOver)
                    try ownership.wait { !ownership.isRunning([id]) }
                    #expect(runner.progress().first?.state == .unassigned)
                }
            }
        )
        #expect(other.log.attempts == 0)
        #expect(summary.exitCode == 0)
        // D3: each number once, in order, though three instances wrote them.
        let values = try bench.values("numbers")
        #expect(values == (0..<values.count).map(String.init))
        #expect(source.log.attempts == 3)
    }

    @Test("a connector that is refused here keeps its place in the order, and fails when granted")
    func refused() async throws {
        let bench = try EngineBench()
        let source = Self.endless()
        var refused = ConnectorDefinition.source("early", Self.endless())
        refused.values["tasks.max"] = "2"
        refused.values["topic"] = "${env:MILLRACE_TEST_IS_NOT_SET}"
        let runner = bench.runner([bench.pipeline("test", [refused, .source("in", source)])])
        let id = sourceTask
        let summary = try await runner.run(
            sharedBy: ScriptedSharing { ownership in
                #expect(ownership.tasks == [TaskID("early", 0), TaskID("early", 1), id])
                #expect(ownership.connectors.map(\.name) == ["early", "in"])
                #expect(ownership.connectors.map(\.tasks) == [2, 1])
                #expect(ownership.reports().isEmpty)
                ownership.grant(ownership.tasks)
                try ownership.wait { !source.log.acknowledged.isEmpty }
                try ownership.wait { !ownership.isRunning(ownership.tasks.dropLast()) }
                let reports = ownership.reports()
                #expect(reports.map(\.state) == [.failed, .failed, .running])
                #expect(reports[1].error != nil && reports[2].error == nil)
            }
        )
        #expect(summary.connector("early")?.state == .failed)
    }

    @Test("a task that is granted while it still runs begins anew when it has ended")
    func grantedAgain() async throws {
        let bench = try EngineBench()
        let source = Self.endless()
        let id = sourceTask
        let runner = bench.runner([bench.pipeline("test", [.source("in", source)])])
        _ = try await runner.run(
            sharedBy: ScriptedSharing { ownership in
                ownership.grant([id])
                try ownership.wait { !source.log.acknowledged.isEmpty }
                ownership.withdraw([id], .lost)
                ownership.grant([id])
                try ownership.wait { source.log.attempts == 2 }
                let before = source.log.acknowledged.count
                try ownership.wait { source.log.acknowledged.count > before }
            }
        )
        let values = try bench.values("numbers")
        #expect(values == (0..<values.count).map(String.init))
    }

    @Test("a sink that was lost commits nothing; one that is handed over does")
    func lost() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", ["a", "b"])
        let gate = Gate()
        let sink = SinkScript(
            onWrite: { (_, _) throws(ConnectorError) in
                // What is written is not committed before the task was withdrawn.
                gate.begun.add(1, ordering: .acquiringAndReleasing)
                while !gate.isOpen.load(ordering: .acquiring) { usleep(1_000) }
            }
        )
        let id = TaskID("out", 0)
        let runner = bench.runner([bench.pipeline("test", [.sink("out", sink)])])
        _ = try await runner.run(
            sharedBy: ScriptedSharing { ownership in
                for (manner, commits) in [(TaskOwnership.Manner.lost, 0), (.handOver, 1)] {
                    gate.isOpen.store(false, ordering: .releasing)
                    let before = gate.begun.load(ordering: .acquiring)
                    defer { gate.isOpen.store(true, ordering: .releasing) }
                    ownership.grant([id])
                    try ownership.wait { gate.begun.load(ordering: .acquiring) > before }
                    ownership.withdraw([id], manner)
                    gate.isOpen.store(true, ordering: .releasing)
                    try ownership.wait { !ownership.isRunning([id]) }
                    #expect(sink.target.commits == commits)
                }
            }
        )
        #expect(sink.rows == ["a", "b"])
    }

    // D3: the store fences one of two processes that run a task, and which one is not in its hands.
    @Test("a task that was fenced fails no run, and begins anew while it is granted")
    func fenced() async throws {
        let bench = try EngineBench()
        let source = SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            guard run.attempt > 0 else {
                throw ConnectorError(.init("topics.fenced"), .failTask, "Fenced.")
            }
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            batch.appendText("x")
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
            while !run.outlet.isStopping { try await run.outlet.idle(for: .seconds(1)) }
        }
        let id = sourceTask
        let runner = bench.runner([bench.pipeline("test", [.source("in", source)])])
        let summary = try await runner.run(
            sharedBy: ScriptedSharing { ownership in
                ownership.grant([id])
                try ownership.wait { !source.log.acknowledged.isEmpty }
                runner.stop()
                try ownership.wait { !ownership.isRunning([id]) }
            }
        )
        #expect(source.log.attempts == 2)
        #expect(summary.connector("in")?.state == .stopped)
        #expect(summary.exitCode == 0)
    }

    @Test("a sink whose topic does not exist yet can be withdrawn")
    func waitingSink() async throws {
        let bench = try EngineBench()
        let sink = SinkScript()
        let id = TaskID("out", 0)
        let runner = bench.runner([bench.pipeline("test", [.sink("out", sink)])])
        let summary = try await runner.run(
            sharedBy: ScriptedSharing { ownership in
                ownership.grant([id])
                try ownership.wait { runner.progress().first?.state == .running }
                ownership.withdraw([id], .handOver)
                try ownership.wait { !ownership.isRunning([id]) }
            }
        )
        #expect(summary.connector("out")?.state == .unassigned)
        #expect(summary.exitCode == 0)
    }

    @Test("why sharing ended is thrown when all tasks have ended")
    func sharingFails() async throws {
        let bench = try EngineBench()
        let source = Self.endless()
        let id = sourceTask
        let runner = bench.runner([bench.pipeline("test", [.source("in", source)])])
        let error = await #expect(throws: ConnectorError.self) {
            try await runner.run(
                sharedBy: ScriptedSharing { ownership in
                    ownership.grant([id])
                    try ownership.wait { !source.log.acknowledged.isEmpty }
                    throw ConnectorError(.init("x.other"), .failTask, "Other files.")
                }
            )
        }
        #expect(error?.code.rawValue == "x.other")
        #expect(runner.progress().first?.state == .unassigned)
    }
}
