internal import ChildProcesses
public import ConnectorSDK
internal import JSONDocuments
internal import Logging
internal import RecordStreams

/// Runs a program, once, now and then or all the time, and reads the records it writes.
///
/// A run cannot be taken up in the middle: when one is interrupted, what it had written by then is
/// durable or not, and the next run is a run of its own.
public final class ExecSource: SourceConnector {
    public static let name = "exec"
    public static let summary = "Runs a program and reads the records that it writes."
    public static let configuration = ExecSettings.spec
    public static let usesFormat = true

    private let settings: ExecSettings
    private let format: any RecordFormat
    private let context: ConnectorContext
    /// Now, in seconds since the epoch; tests set it.
    var now: () -> Int64 = RunSchedule.systemTime

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try ExecSettings(configuration, untilEnd: context.untilEnd)
        self.context = context
        format = try context.formats.make(
            settings.stream.formatName,
            configuration: configuration
        )
        guard context.taskCount == 1 else {
            throw .invalid("tasks.max", "One task runs the program.")
        }
    }

    public var isBounded: Bool { !settings.schedule.isRepeated && !settings.isStreaming }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        var last = positions[ExecPosition.partition].flatMap { ExecPosition($0) }
        while !outlet.isStopping {
            let due = try settings.schedule.due(
                after: last?.started,
                isComplete: last?.isDone ?? true,
                now: now()
            )
            try await RunSchedule.wait(until: due, outlet, now: now)
            if outlet.isStopping { return }
            let run = ExecPosition(number: (last?.number ?? 0) + 1, started: now())
            do throws(ConnectorError) {
                try await runOnce(run, into: outlet)
            } catch {
                guard case .retry = error.disposition, settings.schedule.isRepeated else {
                    throw error
                }
                context.logger.warning(
                    "a run failed; the next one is made when it is due",
                    metadata: ["error": "\(context.redact(error.description))"]
                )
            }
            last = run
            last?.isDone = true
            if isBounded || settings.isStreaming { return }
        }
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}
}

// MARK: - One run

extension ExecSource {
    private func runOnce(
        _ run: ExecPosition,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let (logger, logs) = (context.logger, settings.logsErrors)
        let child = try ChildProcess(settings.command.command, redact: context.redact) { line in
            if logs { logger.info("stderr", metadata: ["line": "\(line)"]) }
        }
        child.closeInput()
        let output = ChildOutput(
            of: child,
            until: settings.timeout.map { .now + $0 },
            isStopping: { outlet.isStopping }
        )
        do throws(ConnectorError) {
            try await pump(output, run, into: outlet)
        } catch {
            child.end(within: settings.command.grace)
            throw error
        }
        if outlet.isStopping {
            child.end(within: settings.command.grace)
            return
        }
        // It has closed its output, so it is about to end.
        let ending =
            child.waitForEnd(within: settings.command.grace)
            ?? child.end(within: settings.command.grace)
        child.end(within: .zero)
        try check(ending)
        var done = run
        done.isDone = true
        try await outlet.advance(to: done.position)
        try await outlet.settle()
    }

    private func pump(
        _ output: ChildOutput,
        _ run: ExecPosition,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let raw: ByteInput.Source = { room throws(ConnectorError) in try output.read(into: room) }
        let text: ByteInput.Source
        do throws(ConnectorError) {
            text = try settings.stream.text(of: raw, for: format)
        } catch {
            guard error.code == .cancelled else { throw error }
            return
        }
        let pump = StreamPump(
            try format.makeReader(at: nil),
            ByteInput(mustWait: { output.isIdle }, source: text),
            topic: settings.stream.topic,
            origin: "\(context.name) run \(run.number)",
            into: outlet
        ) { place in
            var part = run
            part.record = place.record
            return part.position
        }
        try await pump.run()
        // Behind what is no document a program still writes, and must not wait for a reader: one
        // that is ended for that would have failed, and would give its records again.
        while try output.skip() {}
    }

    private func check(_ ending: ChildEnding) throws(ConnectorError) {
        let isGood =
            if case .exited(let code) = ending { settings.exitCodes.contains(code) } else { false }
        guard !isGood || settings.isStreaming else { return }
        let program = settings.command.command.arguments.first ?? ""
        throw ConnectorError(
            .init(settings.isStreaming ? "exec.ended" : "exec.failed"),
            .retry(after: nil),
            "The program `\(program)` \(ending).",
            hint: settings.logsErrors ? "What it said is in the log." : nil
        )
    }
}
