internal import Synchronization

/// The time in which a shared task is this process's.
final class TaskLease: Sendable {
    private let ended = Atomic<Bool>(false)
    private let lost = Atomic<Bool>(false)

    /// Whether the task is to end.
    var isEnded: Bool { ended.load(ordering: .acquiring) }

    /// Whether another process may run the task already.
    var isLost: Bool { lost.load(ordering: .acquiring) }

    func end(_ manner: TaskOwnership.Manner) {
        if manner == .lost { lost.store(true, ordering: .releasing) }
        ended.store(true, ordering: .releasing)
    }
}

/// What a task asks: whether its run goes on, and whether the task is still this process's.
struct TaskControl: Sendable {
    let run: RunControl
    /// `nil` for a task that is this process's as long as the run goes on.
    let lease: TaskLease?

    init(_ run: RunControl, _ lease: TaskLease? = nil) {
        self.run = run
        self.lease = lease
    }

    /// Whether the task is to end.
    var isStopping: Bool { run.isStopping || lease?.isEnded == true }

    /// Whether another process may run the task already, so that nothing is to be committed.
    var isLost: Bool { lease?.isLost == true }

    /// When a sink stops writing what is still there; `nil` while it goes on.
    ///
    /// A shared task leaves what is there to the next owner.
    var drainUntil: ContinuousClock.Instant? {
        guard lease != nil else { return run.drainUntil }
        return isStopping ? .now : nil
    }

    /// Whether nothing in this run will bring the reader more than the topics hold now.
    ///
    /// Shared tasks go on until they are stopped: what feeds them may run elsewhere.
    func mayEnd(_ reader: String) -> Bool { lease == nil && run.mayEnd(reader) }

    /// Whether a connector in this run writes to what the reader reads.
    func hasFeeder(_ reader: String) -> Bool { run.hasFeeder(reader) }

    /// Notes that a source's connector was made.
    func opened(source: String, isBounded: Bool) {
        run.opened(source: source, isBounded: isBounded)
    }

    /// Notes that a task of a connector has ended.
    func taskEnded(of connector: String) {
        // A shared task may begin again.
        if lease == nil { run.taskEnded(of: connector) }
    }

    /// Tells all tasks of the run to come to an end.
    func stop(drainTimeout: Duration) { run.stop(drainTimeout: drainTimeout) }
}
