import ConnectorSDK
import Glibc
import Logging
import TestServices
import Testing
import Topics

@testable import PipelineEngine

@Suite("Patience with transactions")
struct TransactionPatienceTests {
    @Test("is exhausted once, when rows have waited too long with no transaction's end between")
    func once() {
        var patience = TransactionPatience()
        let start = ContinuousClock.now
        func isExhausted(after seconds: Int) -> Bool {
            patience.isExhausted(at: start + .seconds(seconds))
        }
        #expect(!isExhausted(after: 0))
        #expect(!isExhausted(after: 9))
        patience.passed()
        #expect(!isExhausted(after: 11), "an end came meanwhile")
        #expect(!isExhausted(after: 20))
        #expect(isExhausted(after: 21))
        #expect(!isExhausted(after: 40), "it was said already")
    }

    @Test("D6: rows that wait for a topic nobody writes to are told, with the name that was meant")
    func misspelt() async throws {
        let bench = try EngineBench()
        let source = SourceScript(isBounded: false) { (run) async throws(ConnectorError) in
            for topic in ["shop.t", "shop.transaction"] {
                let batch = run.outlet.makeBatch(topic: topic, schema: .opaque)
                batch.appendText("a")
                batch.setTransaction(topic == "shop.t" ? "10:1" : "10:end")
                try await run.outlet.send(
                    batch,
                    position: SourcePosition(partition: topic, offset: "1")
                )
            }
            while !run.outlet.isStopping { try await run.outlet.idle(for: .milliseconds(100)) }
        }
        let sink = SinkScript()
        let log = CollectedLog()
        let runner = bench.runner(
            [
                bench.pipeline(
                    "p",
                    [
                        .source("in", source, topic: nil),
                        .sink(
                            "out",
                            sink,
                            topics: "shop.t",
                            ["transaction.topic": "shop.transactions"]
                        ),
                    ]
                )
            ],
            drainTimeout: .milliseconds(100),
            logger: Logger(label: "test") { _ in log }
        )
        let run = Task { await runner.run() }
        // Attempts count as well as time: other tests may keep this one from running for long.
        let deadline = ContinuousClock.now + .seconds(120)
        var attempts = 0
        while !log.text.contains("rows wait"), .now < deadline || attempts < 2_000 {
            attempts += 1
            try await Task.sleep(for: .milliseconds(100))
        }
        runner.stop()
        _ = await run.value
        let lines = log.text.split(separator: "\n").filter { $0.contains("rows wait") }
        #expect(lines.count == 1)
        let line = try #require(lines.first)
        #expect(line.contains("warning") && line.contains("key=transaction.topic"))
        #expect(line.contains("topic=shop.transactions"))
        #expect(line.contains("did you mean `shop.transaction`?"))
        #expect(sink.rows.isEmpty)
    }
}
