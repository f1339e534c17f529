internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication

/// Reads the stream until the task stops: messages in, records and positions out.
internal final class StreamLoop {
    private let applier: ChangeApplier
    private let receiver: ReplicationReceiver
    private let stream: ChangeStream
    private let outlet: any RecordOutlet
    private let progress: StreamProgress
    private let chores: StreamChores
    /// Where to end, when the run is one that ends.
    private let target: LSN?

    internal init(
        _ applier: ChangeApplier,
        _ receiver: ReplicationReceiver,
        _ stream: ChangeStream,
        _ outlet: any RecordOutlet,
        progress: StreamProgress,
        chores: StreamChores,
        until target: LSN?
    ) {
        self.applier = applier
        self.receiver = receiver
        self.stream = stream
        self.outlet = outlet
        self.progress = progress
        self.chores = chores
        self.target = target
    }

    /// How long to wait for the server at most, so that chores are not late.
    private static let longestWait = Duration.seconds(1)

    /// Reads until the outlet says to stop, or the target is reached.
    internal func run() async throws(ConnectorError) {
        while !outlet.isStopping {
            if let chunk = try receiver.take() {
                try await apply(chunk)
                receiver.giveBack(chunk)
                if applier.isBetweenTransactions { try await chores.runDue() }
                continue
            }
            if !stream.isEmpty {
                // Many small commits cost more than few large ones: while one is on its way,
                // what arrives is gathered. Without one, nothing waits.
                if progress.hasPending { try await outlet.settle() } else { try await send() }
                continue
            }
            if hasReachedTarget { break }
            if applier.isBetweenTransactions { try await chores.runDue() }
            if let target, applier.position.lsn < target { receiver.requestKeepalive() }
            try await outlet.idle(for: min(chores.timeUntilDue, Self.longestWait))
        }
        if !stream.isEmpty { try await send() }
        try await outlet.settle()
    }

    private var hasReachedTarget: Bool {
        guard let target, applier.isBetweenTransactions else { return false }
        return applier.position.lsn >= target && chores.areDone
    }

    private func apply(_ chunk: ReceivedChunk) async throws(ConnectorError) {
        var offset = 0
        while let message = chunk.next(&offset) {
            if case .replay(let replay) = try applier.apply(message) {
                guard try await append(replay) else { return }
            }
            if stream.isFull { try await send() }
        }
    }

    /// Appends a large transaction; returns `false` when the task stops in the middle.
    ///
    /// The server then sends it again after a restart, and what is durable of it is skipped.
    private func append(_ replay: ChangeApplier.Replay) async throws(ConnectorError) -> Bool {
        while try applier.replayNext(replay) {
            guard stream.isFull else { continue }
            try await send()
            if outlet.isStopping { return false }
        }
        return true
    }

    private func send() async throws(ConnectorError) {
        // What a signal asks is durable before the position that passes it.
        if applier.isBetweenTransactions { try await chores.runSignals() }
        let position = applier.position
        progress.sent(position)
        try await stream.send(position: position.sourcePosition)
    }
}
