internal import Synchronization
internal import Topics

/// What all tasks of a run share: whether to stop, and who has come to an end.
final class RunControl: Sendable {
    private struct State {
        var ends = EndConditions()
        var drainUntil: ContinuousClock.Instant?
        var signals: [AppendSignal] = []
    }

    private let state = Mutex(State())
    private let stopping = Atomic<Bool>(false)

    /// Whether the run was told to stop.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// When sinks stop writing what is still there; `nil` before ``stop(drainTimeout:)``.
    var drainUntil: ContinuousClock.Instant? { state.withLock { $0.drainUntil } }

    /// Describes the run's connectors, before it starts.
    func prepare(_ ends: EndConditions) { state.withLock { $0.ends = ends } }

    /// Has `signal` raised when the run stops, a connector ends, or a topic is created.
    func register(_ signal: AppendSignal) { state.withLock { $0.signals.append(signal) } }

    /// Tells all tasks to come to an end.
    ///
    /// Later calls change nothing.
    func stop(drainTimeout: Duration) {
        state.withLock { state in
            guard state.drainUntil == nil else { return }
            state.drainUntil = .now + drainTimeout
        }
        stopping.store(true, ordering: .relaxed)
        wakeAll()
    }

    /// Notes that a source's connector was made.
    func opened(source: String, isBounded: Bool) {
        state.withLock { $0.ends.opened(source: source, isBounded: isBounded) }
        wakeAll()
    }

    /// Notes that a task of a connector has ended.
    func taskEnded(of connector: String) {
        state.withLock { $0.ends.taskEnded(of: connector) }
        wakeAll()
    }

    /// Whether nothing in this run will bring the reader more than the topics hold now.
    func mayEnd(_ reader: String) -> Bool { state.withLock { $0.ends.mayEnd(reader) } }

    /// Whether a connector in this run writes to what the reader reads.
    func hasFeeder(_ reader: String) -> Bool { state.withLock { $0.ends.hasFeeder(reader) } }

    /// Lets every waiting task look around.
    func wakeAll() {
        let signals = state.withLock { $0.signals }
        for signal in signals { signal.raise() }
    }
}
