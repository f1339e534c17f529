internal import ChildProcesses
internal import ConnectorSDK
internal import JSONDocuments

/// What both connectors are told.
struct SubprocessSettings: Sendable {
    static let startTimeout = ConfigKey.duration(
        "start.timeout.ms",
        default: .seconds(30),
        in: .milliseconds(1) ... .seconds(86_400),
        help: "How long the program may take to say `hello`, and a sink to be `ready`."
    )
    static let recordBytes = ConfigKey.size(
        "max.record.bytes",
        default: 16 << 20,
        in: 1 << 10...1 << 30,
        help: "The longest message that the program may send."
    )

    static let spec = CommandSettings.spec.with(ProgramConfiguration.config)
        .with(startTimeout).with(recordBytes)

    var command: CommandSettings
    /// The program's own configuration, as JSON text.
    var config: String
    var startTimeout: Duration
    var recordBytes: Int

    init(_ configuration: Configuration) throws(ConnectorError) {
        command = try CommandSettings(configuration)
        config = try ProgramConfiguration.text(configuration)
        startTimeout = try configuration.get(Self.startTimeout)
        recordBytes = try configuration.get(Self.recordBytes)
    }
}
