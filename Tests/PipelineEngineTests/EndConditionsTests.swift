import ConnectorSDK
import Testing

@testable import PipelineEngine

@Suite("End of a run")
struct EndConditionsTests {
    private func conditions(_ feed: EndConditions.Feed = .topics(["orders"])) -> EndConditions {
        var ends = EndConditions()
        ends.add(source: "files", feed: feed, tasks: 2)
        ends.add(sink: "db", reads: .names(["orders"]), deadLetterTopic: "dead", tasks: 1)
        return ends
    }

    @Test("a sink ends only after every task of what feeds it", arguments: [true, false])
    func feeders(_ unknown: Bool) {
        var ends = conditions(unknown ? .unknown : .topics(["orders"]))
        ends.opened(source: "files", isBounded: true)
        #expect(ends.hasFeeder("db"))
        #expect(!ends.mayEnd("db"))
        ends.taskEnded(of: "files")
        #expect(!ends.mayEnd("db"))
        ends.taskEnded(of: "files")
        #expect(ends.mayEnd("db"))
    }

    @Test("a sink that nothing feeds ends when no source runs without an end")
    func unfed() {
        var ends = conditions(.topics(["other"]))
        #expect(!ends.hasFeeder("db"))
        #expect(!ends.mayEnd("db"), "the source has not said yet whether it ends")
        ends.opened(source: "files", isBounded: false)
        #expect(!ends.mayEnd("db"))
        ends.opened(source: "files", isBounded: true)
        #expect(ends.mayEnd("db"))
        #expect(EndConditions().mayEnd("gone"))
    }

    @Test("an endless source of other topics does not keep a sink whose own source has ended")
    func independent() {
        var ends = conditions()
        ends.add(source: "stream", feed: .topics(["clicks"]), tasks: 1)
        ends.opened(source: "stream", isBounded: false)
        ends.taskEnded(of: "files")
        ends.taskEnded(of: "files")
        #expect(ends.mayEnd("db"))
    }

    @Test("a sink of dead letters waits for the sinks that make them")
    func deadLetters() {
        var ends = conditions()
        ends.add(sink: "archive", reads: .pattern("dea.*"), deadLetterTopic: nil, tasks: 1)
        ends.taskEnded(of: "files")
        ends.taskEnded(of: "files")
        #expect(ends.mayEnd("db"))
        #expect(ends.hasFeeder("archive"))
        #expect(!ends.mayEnd("archive"))
        ends.taskEnded(of: "db")
        #expect(ends.mayEnd("archive"))
    }

    @Test("sinks that read each other's dead letters do not wait for each other")
    func circle() {
        var ends = EndConditions()
        ends.add(sink: "a", reads: .names(["x", "dead-b"]), deadLetterTopic: "dead-a", tasks: 1)
        ends.add(sink: "b", reads: .names(["x", "dead-a"]), deadLetterTopic: "dead-b", tasks: 1)
        #expect(ends.mayEnd("a"))
        #expect(ends.mayEnd("b"))
    }

    @Test(
        "a pattern must match the whole name",
        arguments: [("orders", true), ("orders2", false), ("my-orders", false)]
    )
    func patterns(_ topic: String, _ matches: Bool) {
        #expect(TopicSelection.pattern("ord.rs").contains(topic) == matches)
    }

    @Test("the exit code tells errors of one kind apart, and is 1 for a mixture")
    func exitCodes() {
        #expect(RunSummary.exitCode(for: []) == 0)
        #expect(RunSummary.exitCode(for: [.runtime]) == 1)
        #expect(RunSummary.exitCode(for: [.configuration, .configuration]) == 2)
        #expect(RunSummary.exitCode(for: [.environment]) == 3)
        #expect(RunSummary.exitCode(for: [.environment, .configuration]) == 1)
    }
}
