internal import ChildProcesses
public import ConnectorSDK
internal import Logging
internal import RecordStreams

/// Runs a Singer tap, whichever it is, and reads its records into a topic for each stream.
///
/// The tap's `STATE` is the position: it becomes durable together with the records before it, and
/// the next run of the tap begins with it.
public final class SingerSource: SourceConnector {
    public static let name = "singer"
    public static let summary = "Runs a Singer tap and reads the records of its streams."
    public static let configuration = SingerSettings.spec

    private let settings: SingerSettings
    private let context: ConnectorContext
    /// Now, in seconds since the epoch; tests set it.
    var now: () -> Int64 = RunSchedule.systemTime

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try SingerSettings(configuration, untilEnd: context.untilEnd)
        self.context = context
        guard context.taskCount == 1 else {
            throw .invalid("tasks.max", "One task runs the tap.")
        }
    }

    public var isBounded: Bool { !settings.schedule.isRepeated }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        var last = try positions[TapPosition.partition].map(Self.read)
        while !outlet.isStopping {
            let due = try settings.schedule.due(
                after: last?.started,
                isComplete: last?.isDone ?? true,
                now: now()
            )
            try await RunSchedule.wait(until: due, outlet, now: now)
            if outlet.isStopping { return }
            var place = TapPosition(state: last?.state, started: now())
            let isComplete = try await runOnce(&place, into: outlet)
            guard isComplete, !isBounded else { return }
            place.isDone = true
            last = place
        }
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}

    private static func read(_ offset: String) throws(ConnectorError) -> TapPosition {
        guard let place = TapPosition(offset) else {
            throw ConnectorError(
                .init("singer.position_invalid"),
                .failTask,
                "The stored position is no JSON object with `state`.",
                hint: "Reset the connector's offsets, or set a state."
            )
        }
        return place
    }

    /// Runs the tap to its end; `false` when it was stopped.
    private func runOnce(
        _ place: inout TapPosition,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) -> Bool {
        let run = try TapRun(settings, context)
        let reader = TapReader(settings, context, place, into: outlet)
        var started: ChildProcess?
        do throws(ConnectorError) {
            let child = try run.start(from: place.state, isStopping: { outlet.isStopping })
            started = child
            let output = ChildOutput(
                of: child,
                until: settings.timeout.map { .now + $0 },
                isStopping: { outlet.isStopping }
            )
            let input = ByteInput { room throws(ConnectorError) in try output.read(into: room) }
            try await reader.run(LineCutter(input, limit: settings.recordBytes))
            let ending = run.end(child)
            guard ending == .exited(0) else {
                throw ConnectorError(
                    .init("singer.failed"),
                    .retry(after: nil),
                    "The tap `\(child.name)` \(ending).",
                    hint: "What it said is in the log."
                )
            }
            try await reader.finish()
        } catch {
            // What was read since the last state is read again: it is in no topic yet.
            started?.end(within: settings.command.grace)
            if error.code == .cancelled { return false }
            throw error
        }
        if let counted = run.countedRecords, counted > reader.records {
            context.logger.warning(
                "the tap says it has read more records than it gave",
                metadata: ["said": "\(counted)", "given": "\(reader.records)"]
            )
        }
        place.state = reader.state
        return true
    }
}
