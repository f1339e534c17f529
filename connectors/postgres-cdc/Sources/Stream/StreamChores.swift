internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication
internal import Logging
internal import PostgresClient

/// What is done between transactions: heartbeats, new tables, signals, snapshots.
internal final class StreamChores {
    private let environment: SnapshotEnvironment
    private let applier: ChangeApplier
    private let snapshot: SnapshotBeside
    private let watch: TableWatch
    private let signals: SignalInbox
    private let database: Database
    private let progress: StreamProgress
    private var heartbeat: Timer
    private var tablePoll: Timer
    private var signalPoll: Timer

    internal init(
        _ environment: SnapshotEnvironment,
        _ applier: ChangeApplier,
        _ snapshot: SnapshotBeside,
        _ watch: TableWatch,
        _ signals: SignalInbox,
        _ database: Database,
        _ progress: StreamProgress
    ) {
        self.environment = environment
        self.applier = applier
        self.snapshot = snapshot
        self.watch = watch
        self.signals = signals
        self.database = database
        self.progress = progress
        let interval = environment.settings.capture.heartbeatInterval
        // Without heartbeats the slot moves on all the same.
        heartbeat = Timer(every: interval == .zero ? environment.settings.statusInterval : interval)
        tablePoll = Timer(every: environment.settings.tablePoll)
        signalPoll = Timer(every: .seconds(1))
    }

    /// Whether nothing is going on that has an end.
    internal var areDone: Bool { snapshot.isIdle }

    /// How long nothing is to be done.
    internal var timeUntilDue: Duration {
        [
            heartbeat.timeLeft, tablePoll.timeLeft, signalPoll.timeLeft, snapshot.timeUntilStep,
        ].min() ?? .zero
    }

    /// Does what is due.
    internal func runDue() async throws(ConnectorError) {
        if applier.takeQuestion(), environment.stream.isEmpty, progress.isBehind(applier.position) {
            // A server that stops waits until all that it has sent is confirmed.
            try await environment.send(applier.position)
        }
        try await runSignals()
        if signalPoll.isDue() { try await signals.runFiles() }
        if heartbeat.isDue() { try await beat() }
        if tablePoll.isDue() { try await watch.look() }
        if applier.recent.isLong {
            // Forgets those that everybody sees. (D7)
            _ = applier.recent.areSeen(by: try environment.currentView())
        }
        if !snapshot.isIdle { try await snapshot.step() }
    }

    /// Does what signals ask that came with changes.
    internal func runSignals() async throws(ConnectorError) {
        for signal in applier.takeSignals() { try await signals.run(signal) }
    }

    /// Lets the position move on also when nothing is captured, so that the server can forget.
    private func beat() async throws(ConnectorError) {
        if let query = environment.settings.heartbeatQuery {
            try database.query(query, [], "run `heartbeat.action.query`")
        }
        if environment.settings.capture.heartbeatInterval > .zero {
            environment.stream.appendHeartbeat()
        }
        try await environment.send(applier.position)
    }
}

/// Says when something is due again.
internal struct Timer {
    private let interval: Duration
    private var next: ContinuousClock.Instant

    internal init(every interval: Duration) {
        self.interval = interval
        next = .now + interval
    }

    internal var timeLeft: Duration { max(.zero, next - .now) }

    /// Whether it is due; starts anew when it is.
    internal mutating func isDue() -> Bool {
        let now = ContinuousClock.now
        guard next <= now else { return false }
        next = now + interval
        return true
    }
}
