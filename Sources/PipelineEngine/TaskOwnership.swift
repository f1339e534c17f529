internal import Synchronization
internal import Topics

/// Which tasks of a run are this process's at the moment.
///
/// Whoever shares tasks grants and withdraws them here; the run starts and stops them. Correctness
/// does not rest on it: a task that runs twice is fenced by the store, and by its target. (D2, D3)
public final class TaskOwnership: Sendable {
    /// How tasks are withdrawn.
    public enum Manner: Sendable {
        /// The next owner waits until the tasks have ended: they finish their batch and commit.
        case handOver
        /// Others may run the tasks already: they end without a commit.
        case lost
    }

    private struct Place {
        /// Since the task was granted, until it is withdrawn.
        var lease: TaskLease?
        /// Whether a child task of the run works on it, under this lease or an earlier one.
        var isRunning = false
    }

    /// All tasks that there are to share, in an order that is the same in every process.
    public var tasks: [TaskID] { roster.order }
    /// The connectors that these tasks are of, by name.
    public var connectors: [SharedConnector] { roster.connectors }
    private let roster: TaskRoster
    /// The tasks to start, as they are granted; ends when the run is to end.
    let starts: AsyncStream<TaskID>
    private let startContinuation: AsyncStream<TaskID>.Continuation
    private let control: RunControl
    private let changed = AppendSignal()
    private let places = Mutex<[TaskID: Place]>([:])

    init(_ roster: TaskRoster, _ control: RunControl) {
        self.roster = roster
        self.control = control
        // D7: no task is in it twice.
        (starts, startContinuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        control.register(changed)
    }

    /// Whether the run was told to end; all tasks know it already.
    public var isStopping: Bool { control.isStopping }

    /// The tasks that are granted.
    public var granted: Set<TaskID> {
        places.withLock { Set($0.filter { $0.value.lease != nil }.keys) }
    }

    /// What each task that is granted does.
    public func reports() -> [TaskReport] {
        granted.sorted(by: TaskRoster.precedes).compactMap { roster.report(of: $0) }
    }

    /// Has tasks run here until they are withdrawn.
    ///
    /// One that still runs, because it was withdrawn and has not ended, begins anew when it has.
    public func grant(_ tasks: some Sequence<TaskID>) {
        let starting = places.withLock { places in
            tasks.filter { id in
                guard places[id]?.lease == nil else { return false }
                places[id, default: Place()].lease = TaskLease()
                defer { places[id]?.isRunning = true }
                return places[id]?.isRunning == false
            }
        }
        for id in starting { startContinuation.yield(id) }
    }

    /// Has tasks end; returns at once.
    public func withdraw(_ tasks: some Sequence<TaskID>, _ manner: Manner) {
        let leases = places.withLock { places in
            tasks.compactMap { id in
                defer { places[id]?.lease = nil }
                return places[id]?.lease
            }
        }
        for lease in leases { lease.end(manner) }
        control.wakeAll()
    }

    /// Whether any of these tasks is still at work.
    public func isRunning(_ tasks: some Sequence<TaskID>) -> Bool {
        places.withLock { places in tasks.contains { places[$0]?.isRunning == true } }
    }

    /// Blocks until a task has ended, the run is to end, or `timeout` has passed.
    public func wait(_ timeout: Duration) { changed.wait(timeout: timeout) }

    // MARK: The run's side

    /// The lease to run a task under, or `nil` when it was withdrawn meanwhile.
    func begin(_ id: TaskID) -> TaskLease? {
        places.withLock { places in
            if places[id]?.lease == nil { places[id]?.isRunning = false }
            return places[id]?.lease
        }
    }

    /// Notes that a task has ended; it begins anew when it was granted anew meanwhile.
    func ended(_ id: TaskID, under lease: TaskLease) {
        let startsAgain = places.withLock { places in
            let next = places[id]?.lease
            places[id]?.isRunning = next != nil && next !== lease
            return places[id]?.isRunning == true
        }
        if startsAgain { startContinuation.yield(id) }
        changed.raise()
    }

    /// Notes that this process cannot run a task; it stays failed as long as it is granted.
    func refuse(_ id: TaskID) {
        if let lease = begin(id) { ended(id, under: lease) }
    }

    /// Withdraws everything; nothing is started any more.
    func close() {
        withdraw(tasks, .handOver)
        startContinuation.finish()
    }
}
