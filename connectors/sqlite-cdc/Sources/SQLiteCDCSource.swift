internal import ChangeCapture
public import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables

/// Captures changes of SQLite tables by triggers: what is there at the start, then every change in
/// the order in which it was committed, in Debezium's envelope.
///
/// One task does the work; others have nothing to do.
public final class SQLiteCDCSource: SourceConnector {
    /// `sqlite-cdc`.
    public static let name = "sqlite-cdc"
    /// For lists.
    public static let summary = "Captures changes of SQLite tables by triggers."
    /// The keys.
    public static let configuration = CDCKeys.all

    private let settings: CDCSettings
    private let context: ConnectorContext
    private var capture: Capture?

    /// Makes one task's instance.
    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try CDCSettings(configuration)
        self.context = context
    }

    /// Where it says that transactions are complete.
    public static func transactionTopic(
        _ configuration: Configuration
    ) throws(ConnectorError) -> CapturedTransactionTopic? {
        try CaptureSettings(configuration).transactions
    }

    /// Removing triggers comes to an end, and so does reading tables and no changes.
    public var isBounded: Bool {
        settings.action == .remove || settings.snapshotMode == .initialOnly || context.untilEnd
    }

    /// Reads tables, then changes, until it is told to stop.
    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard context.taskID == 0 else { return }
        let stored = positions[CapturePosition.partition]
        let isDone = stored == CapturePosition.done.offset
        if isDone, settings.snapshotMode == .initialOnly, settings.action == .capture { return }
        let database = try CaptureDatabase(settings)
        let source = CaptureSource(
            connector: "sqlite",
            database: settings.databaseName,
            positionField: "change_id",
            hasSequence: false
        )
        let stream = ChangeStream(settings.capture, of: source, into: outlet)
        let capture = Capture(settings, context, database, stream)
        if settings.action == .remove {
            try capture.remove()
            try await outlet.advance(to: isDone ? CapturePosition.done : CapturePosition.removed)
            return try await outlet.settle()
        }
        try capture.open(try CapturePosition.read(stored))
        self.capture = capture
        defer { self.capture = nil }
        if !capture.isConfirmed {
            // Before anything is told, so that a crash leaves no doubt about that.
            try await outlet.advance(to: capture.position.position)
            try await outlet.settle()
            try capture.confirm()
        }
        try await read(capture, stream, outlet)
    }

    private func read(
        _ capture: Capture,
        _ stream: ChangeStream,
        _ outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let clock = ContinuousClock()
        let beats = settings.capture.heartbeatInterval > .zero
        let heartbeat = beats ? settings.capture.heartbeatInterval : .seconds(1 << 30)
        var nextHeartbeat = clock.now + heartbeat
        var nextPrune = clock.now + settings.pruneInterval
        var sent: CapturePosition?
        while !outlet.isStopping {
            let step = try capture.step()
            if clock.now >= nextHeartbeat {
                stream.appendHeartbeat()
                nextHeartbeat = clock.now + heartbeat
            }
            if !stream.isEmpty || capture.position != sent {
                sent = capture.position
                try await stream.send(position: capture.position.position)
            }
            if clock.now >= nextPrune {
                try capture.prune()
                nextPrune = clock.now + settings.pruneInterval
            }
            if isEnding, capture.isAtEnd { break }
            guard step == .idle else { continue }
            let due = min(nextHeartbeat, nextPrune)
            try await wait(capture, outlet, until: due)
        }
        try await outlet.settle()
        if settings.snapshotMode == .initialOnly, capture.isAtEnd, !outlet.isStopping {
            try capture.remove()
            try await outlet.advance(to: CapturePosition.done)
            return try await outlet.settle()
        }
        try capture.prune()
    }

    /// Whether the source ends with what there was at the start, whatever others write meanwhile.
    private var isEnding: Bool { settings.snapshotMode == .initialOnly || context.untilEnd }

    /// Waits until somebody commits something, or the time has come for something else.
    private func wait(
        _ capture: Capture,
        _ outlet: any RecordOutlet,
        until due: ContinuousClock.Instant
    ) async throws(ConnectorError) {
        repeat {
            try await outlet.idle(for: settings.pollInterval)
            if outlet.isStopping || ContinuousClock.now >= due { return }
        } while try !capture.hasNews()
    }

    /// Lets the log forget what is durable now. (D1)
    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        for position in positions where position.partition == CapturePosition.partition {
            guard let read = try CapturePosition.read(position.offset) else { continue }
            capture?.acknowledge(read)
        }
    }
}
