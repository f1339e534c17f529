internal import ChildProcesses
internal import ConnectorSDK

/// A source's configuration, checked.
struct SingerSettings: Sendable {
    static let streams = ConfigKey.list(
        "streams",
        importance: .high,
        help: """
            The streams to read, by their names, `*` for all: the tap is asked what it offers \
            (`--discover`) and given a catalog in which these are selected. Without it, and \
            without `catalog`, the tap reads what it reads by itself.
            """
    )
    static let catalog = ConfigKey<String?>.optional(
        "catalog",
        help: "A catalog file to give to the tap, instead of asking it; `streams` selects in it."
    )
    static let catalogArgument = ConfigKey.string(
        "catalog.argument",
        default: "--catalog",
        importance: .low,
        help: "The tap's argument in front of the catalog; some old taps know `--properties`."
    )
    static let topicPrefix = ConfigKey.string(
        "topic.prefix",
        default: "",
        help: """
            Comes before the stream's name in the name of its topic. What a topic's name cannot \
            hold becomes `_`.
            """
    )
    static let topic = ConfigKey.string(
        "topic",
        default: "${stream}",
        help: "The topic that a stream's records go to; `${stream}` is its name."
    )
    static let stateBytes = ConfigKey.size(
        "state.wait.max.bytes",
        default: 16 << 20,
        in: 1 << 10...1 << 30,
        help: """
            Records are kept until the tap says how far it is (`STATE`), so that they and that \
            become durable together; when it has not by so many bytes, they are passed on without, \
            and come again if the tap has to start again.
            """
    )
    static let recordBytes = ConfigKey.size(
        "max.record.bytes",
        default: 16 << 20,
        in: 1 << 10...1 << 30,
        help: "A longer line of the tap is rejected."
    )
    static let timeout = ConfigKey.duration(
        "timeout.ms",
        default: .zero,
        help: "How long one run may take before it is ended and counts as failed; 0 for no limit."
    )

    static let spec = CommandSettings.spec.with(ProgramConfiguration.config)
        .with(streams).with(catalog).with(catalogArgument).with(topic).with(topicPrefix)
        .merging(RunSchedule.spec).with(timeout).with(stateBytes).with(recordBytes)

    var command: CommandSettings
    /// The tap's own configuration, as JSON text.
    var config: String
    var streams: [String]
    /// The path of a catalog.
    var catalog: String?
    var catalogArgument: String
    var topicPrefix: String
    var topic: String
    var schedule: RunSchedule
    var timeout: Duration?
    var stateBytes: Int
    var recordBytes: Int

    init(_ configuration: Configuration, untilEnd: Bool) throws(ConnectorError) {
        command = try CommandSettings(configuration)
        config = try ProgramConfiguration.text(configuration)
        streams = try configuration.get(Self.streams)
        catalog = try configuration.get(Self.catalog).map { configuration.path($0) }
        catalogArgument = try configuration.get(Self.catalogArgument)
        topicPrefix = try configuration.get(Self.topicPrefix)
        topic = try configuration.get(Self.topic)
        schedule = try RunSchedule(configuration, untilEnd: untilEnd)
        let timeout = try configuration.get(Self.timeout)
        self.timeout = timeout == .zero ? nil : timeout
        stateBytes = try configuration.get(Self.stateBytes)
        recordBytes = try configuration.get(Self.recordBytes)
        guard try !configuration.get(CommandSettings.shell) else {
            throw .invalid("shell", "A tap is started with arguments, so `command` must be a list.")
        }
    }

    /// The topic of a stream.
    func topic(of stream: String) -> String {
        let name = topicPrefix + topic.replacing("${stream}", with: stream)
        return String(
            name.map { character in
                let isLegal =
                    character.isASCII
                    && (character.isLetter || character.isNumber || "._-".contains(character))
                return isLegal ? character : "_"
            }
        )
    }
}
