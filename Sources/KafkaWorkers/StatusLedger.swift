/// Which entries of `<NAME>-status` a worker has to write next.
///
/// A value without a clock: it is told what the worker wants to be known, and what became of what
/// was sent. At most one group of changes is on its way at a time, and an entry that changes all the
/// time is written once a second. (D7)
internal struct StatusLedger {
    /// How often one entry is written at most.
    internal static let pace: Duration = .seconds(1)
    /// How long nothing is sent after a failure.
    internal static let pause: Duration = .seconds(5)

    /// An entry to be written; `nil` removes it.
    internal typealias Change = (key: String, value: String?)

    /// What is of all workers, and stays when this one leaves.
    private let lasting: [String: String]
    /// What is to be known of this worker.
    private var own: [String: String] = [:]
    /// What the topic has of these, as far as is known; empty for an entry that may be anything.
    private var told: [String: String] = [:]
    /// Entries of workers that are gone.
    private var foreign: Set<String> = []
    /// Whether it is known what the topic has.
    private var hasLooked = false
    private var written: [String: ContinuousClock.Instant] = [:]
    private var onTheWay: [Change] = []
    private var resumes: ContinuousClock.Instant?

    internal init(lasting: [String: String]) { self.lasting = lasting }

    internal var isWaiting: Bool { !onTheWay.isEmpty }

    /// Says what is to be known of this worker from now on, and nothing else.
    internal mutating func want(_ entries: [String: String]) { own = entries }

    /// Compares with what the topic has, and forgets the entries of workers that are gone.
    internal mutating func found(_ entries: [String: String], ofGone gone: Set<String>) {
        hasLooked = true
        for key in Set(told.keys).union(own.keys).union(lasting.keys) { told[key] = entries[key] }
        foreign = gone.subtracting(own.keys).subtracting(lasting.keys)
    }

    /// The changes to send now; none while others are on their way, or before it was looked at what
    /// the topic has.
    internal mutating func next(_ now: ContinuousClock.Instant) -> [Change] {
        guard hasLooked, onTheWay.isEmpty else { return [] }
        if let resumes, now < resumes { return [] }
        resumes = nil
        var changes: [Change] = []
        for (key, value) in lasting.merging(own, uniquingKeysWith: { $1 })
        where told[key] != value && written[key].map({ now - $0 >= Self.pace }) ?? true {
            changes.append((key, value))
            written[key] = now
            // Whether it arrives is not known, so it is removed whatever becomes of it.
            told[key] = told[key] ?? ""
        }
        for key in told.keys where own[key] == nil && lasting[key] == nil {
            changes.append((key, nil))
        }
        changes += foreign.map { ($0, nil) }
        changes.sort { $0.key < $1.key }
        onTheWay = changes
        return changes
    }

    /// Notes that what was sent has arrived.
    internal mutating func delivered() {
        for (key, value) in onTheWay {
            told[key] = value
            foreign.remove(key)
            if value == nil { written[key] = nil }
        }
        onTheWay = []
    }

    /// Notes that nothing is known of what was sent.
    internal mutating func failed(_ now: ContinuousClock.Instant) {
        for (key, _) in onTheWay where told[key] != nil { told[key] = "" }
        onTheWay = []
        resumes = now + Self.pause
    }
}
