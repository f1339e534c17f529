internal import ChildProcesses
internal import ConnectorSDK
internal import RecordStreams

/// What becomes of a program's standard error.
enum ErrorOutput: String, CaseIterable, Sendable {
    case log, ignore
}

/// A source's configuration, checked.
struct ExecSettings: Sendable {
    static let streaming = ConfigKey.bool(
        "streaming",
        default: false,
        importance: .high,
        help: """
            Whether the program runs all the time, as `journalctl -f` does; when it ends, however \
            that is, it is started again, after a wait that doubles as long as nothing comes.
            """
    )
    static let timeout = ConfigKey.duration(
        "timeout.ms",
        default: .zero,
        help: """
            How long one run may take before it is ended and counts as failed; 0 for no limit. \
            Not with `streaming`.
            """
    )
    static let exitCodes = ConfigKey.list(
        "exit.codes",
        default: ["0"],
        help: "The exit codes that mean success.",
        validator: { text in
            Int32(text).map { (0...255).contains($0) } == true
                ? nil : "must be whole numbers, 0 ... 255"
        }
    )
    static let errorOutput = ConfigKey.choice(
        "stderr",
        default: ErrorOutput.log,
        help: "What becomes of the lines on standard error: they are logged, or ignored."
    )

    static let spec = CommandSettings.spec.merging(StreamSettings.spec)
        .merging(RunSchedule.spec).with(streaming).with(timeout).with(exitCodes)
        .with(errorOutput)

    var command: CommandSettings
    var stream: StreamSettings
    var schedule: RunSchedule
    /// Whether the program runs all the time.
    var isStreaming: Bool
    var timeout: Duration?
    var exitCodes: Set<Int32>
    var logsErrors: Bool

    init(_ configuration: Configuration, untilEnd: Bool) throws(ConnectorError) {
        command = try CommandSettings(configuration)
        stream = try StreamSettings(configuration)
        schedule = try RunSchedule(configuration, untilEnd: untilEnd)
        let streaming = try configuration.get(Self.streaming)
        isStreaming = streaming && !untilEnd
        let timeout = try configuration.get(Self.timeout)
        self.timeout = timeout == .zero ? nil : timeout
        exitCodes = Set(try configuration.get(Self.exitCodes).compactMap { Int32($0) })
        logsErrors = try configuration.get(Self.errorOutput) == .log
        guard !streaming || !schedule.isRepeated else {
            throw .invalid(
                "streaming",
                "A program that runs all the time has no `poll.interval.ms` and no `schedule`."
            )
        }
        guard !streaming || self.timeout == nil else {
            throw .invalid("timeout.ms", "A program that runs all the time has no time limit.")
        }
    }
}
