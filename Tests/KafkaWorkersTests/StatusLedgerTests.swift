import Testing

@testable import KafkaWorkers

@Suite("What a worker writes of itself")
struct StatusLedgerTests {
    private var ledger = StatusLedger(lasting: ["tasks": "all"])
    private let start = ContinuousClock.now

    init() { ledger.found([:], ofGone: []) }

    /// The changes as text, `key` for one that is removed.
    private static func text(_ changes: [StatusLedger.Change]) -> [String] {
        changes.map { change in change.value.map { "\(change.key)=\($0)" } ?? change.key }
    }

    private mutating func next(_ seconds: Int) -> [String] {
        Self.text(ledger.next(start + .seconds(seconds)))
    }

    @Test("what changes is written once, and removed when it is not wanted any more")
    mutating func changes() {
        ledger.want(["a": "1", "b": "1"])
        #expect(next(0) == ["a=1", "b=1", "tasks=all"])
        ledger.delivered()
        #expect(next(10) == [])
        ledger.want(["a": "2", "b": "1"])
        #expect(next(20) == ["a=2"])
        ledger.delivered()
        ledger.want([:])
        // What is of all workers stays.
        #expect(next(30) == ["a", "b"])
        ledger.delivered()
        #expect(next(40) == [])
    }

    // D7
    @Test("one group is on its way at a time, and an entry is written once a second")
    mutating func pace() {
        ledger.want(["a": "1"])
        #expect(next(0) == ["a=1", "tasks=all"])
        ledger.want(["a": "2"])
        #expect(next(5) == [])
        ledger.delivered()
        #expect(next(5) == ["a=2"])
        ledger.delivered()
        ledger.want(["a": "3"])
        #expect(Self.text(ledger.next(start + .milliseconds(5_500))) == [])
        ledger.want(["a": "4"])
        #expect(next(6) == ["a=4"])
    }

    @Test(
        "what failed is written again after a while, and removed though it may never have arrived"
    )
    mutating func failure() {
        ledger.want(["a": "1"])
        #expect(next(0) == ["a=1", "tasks=all"])
        ledger.failed(start)
        #expect(next(4) == [])
        #expect(next(6) == ["a=1", "tasks=all"])
        ledger.failed(start + .seconds(6))
        ledger.want([:])
        #expect(next(12) == ["a", "tasks=all"])
    }

    @Test("what the topic does not have is written again; entries of workers that are gone go")
    mutating func reconciliation() {
        ledger.want(["a": "1", "b": "1"])
        #expect(next(0) == ["a=1", "b=1", "tasks=all"])
        ledger.delivered()
        ledger.found(["a": "1", "b": "0", "x": "of another", "tasks": "all"], ofGone: ["x"])
        #expect(next(10) == ["b=1", "x"])
        ledger.delivered()
        #expect(next(20) == [])
    }
}
