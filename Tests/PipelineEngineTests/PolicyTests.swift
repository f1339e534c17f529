import Testing

@testable import PipelineEngine

@Suite("Retry policy")
struct RetryPolicyTests {
    private let start = ContinuousClock.now

    @Test("doubles the delay up to the longest, spread over its upper half")
    func delays() {
        var policy = RetryPolicy(timeout: nil, longestDelay: .seconds(2))
        let full: [Int64] = [300, 600, 1_200, 2_000, 2_000]
        for milliseconds in full {
            let decision = policy.failed(at: start, requested: nil, jitter: 0)
            #expect(decision == .retry(after: .milliseconds(milliseconds) / 2))
        }
        var other = RetryPolicy(timeout: nil, longestDelay: .seconds(60))
        #expect(
            other.failed(at: start, requested: nil, jitter: 0.5)
                == .retry(after: .milliseconds(225))
        )
    }

    @Test("begins anew after progress")
    func progress() {
        var policy = RetryPolicy(timeout: .seconds(10), longestDelay: .seconds(60))
        _ = policy.failed(at: start, requested: nil, jitter: 0)
        _ = policy.failed(at: start + .seconds(9), requested: nil, jitter: 0)
        policy.progressed()
        #expect(
            policy.failed(at: start + .seconds(11), requested: nil, jitter: 0)
                == .retry(after: .milliseconds(150))
        )
    }

    @Test("gives up when the time without progress is over, after one last attempt")
    func timeout() {
        var policy = RetryPolicy(timeout: .seconds(1), longestDelay: .seconds(60))
        _ = policy.failed(at: start, requested: nil, jitter: 0)
        let late = start + .milliseconds(950)
        #expect(
            policy.failed(at: late, requested: nil, jitter: 0) == .retry(after: .milliseconds(50))
        )
        #expect(policy.failed(at: start + .seconds(1), requested: nil, jitter: 0) == .giveUp)
    }

    @Test("never retries with a timeout of zero, and takes the delay that an error asks for")
    func special() {
        var never = RetryPolicy(timeout: .zero, longestDelay: .seconds(60))
        #expect(never.failed(at: start, requested: nil, jitter: 0) == .giveUp)
        var asked = RetryPolicy(timeout: nil, longestDelay: .seconds(1))
        #expect(
            asked.failed(at: start, requested: .seconds(5), jitter: 0)
                == .retry(after: .seconds(5))
        )
    }

    @Test("does not overflow after any number of failures")
    func manyFailures() {
        var policy = RetryPolicy(timeout: nil, longestDelay: .seconds(60))
        for _ in 0..<200 { _ = policy.failed(at: start, requested: nil, jitter: 0.99) }
        let decision = policy.failed(at: start, requested: nil, jitter: 0)
        #expect(decision == .retry(after: .seconds(30)))
    }
}

@Suite("Limit on rejected records")
struct RejectionBreakerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var limit: Int
        var window: Int
        var rejected: [Int64]
        /// The index of the rejection that trips it.
        var trips: Int?
        var testDescription: String { "\(limit) of \(window): \(rejected)" }
    }

    @Test(
        "trips when more than the limit lie within the window",
        arguments: [
            Case(limit: 2, window: 10, rejected: [0, 5, 9], trips: 2),
            Case(limit: 2, window: 10, rejected: [0, 5, 10], trips: nil),
            Case(limit: 2, window: 10, rejected: [0, 5, 10, 14], trips: 3),
            Case(limit: 2, window: 10, rejected: [0, 100, 200, 300, 301, 302], trips: 5),
            Case(limit: 1, window: 1_000, rejected: [7, 8], trips: 1),
            Case(limit: 0, window: 10, rejected: [0, 0, 0, 0], trips: nil),
            Case(limit: 3, window: 4, rejected: [1, 2, 3, 4], trips: 3),
        ]
    )
    func window(_ example: Case) {
        var breaker = RejectionBreaker(limit: example.limit, window: example.window)
        let trips = example.rejected.map { breaker.rejected(record: $0) }
        #expect(trips.firstIndex(of: true) == example.trips)
    }
}

@Suite("Commit policy")
struct CommitPolicyTests {
    private let start = ContinuousClock.now

    @Test("commits by records, by bytes or by time, whichever comes first")
    func due() {
        var policy = CommitPolicy(interval: .seconds(1))
        #expect(!policy.isDue(at: start, preferredRecords: 1))
        policy.wrote(records: 10, bytes: 10, at: start)
        #expect(!policy.isDue(at: start, preferredRecords: 11))
        #expect(policy.isDue(at: start, preferredRecords: 10))
        #expect(policy.isDue(at: start + .seconds(1), preferredRecords: 11))
        policy.wrote(records: 1, bytes: CommitPolicy.byteLimit, at: start)
        #expect(policy.isDue(at: start, preferredRecords: .max))
        policy.committed()
        #expect(!policy.isDirty)
        #expect(!policy.isDue(at: start + .seconds(9), preferredRecords: 1))
    }

    @Test("counts the time from the first record, and waits a little for more when idle")
    func idle() {
        var policy = CommitPolicy(interval: .milliseconds(30))
        #expect(policy.idleWait(at: start) == nil)
        policy.wrote(records: 1, bytes: 1, at: start)
        policy.wrote(records: 1, bytes: 1, at: start + .milliseconds(20))
        #expect(policy.idleWait(at: start) == CommitPolicy.linger)
        #expect(policy.idleWait(at: start + .milliseconds(25)) == .milliseconds(5))
        #expect(policy.idleWait(at: start + .milliseconds(40)) == .zero)
    }
}
