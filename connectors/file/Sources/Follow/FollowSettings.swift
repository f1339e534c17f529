internal import ConnectorSDK

/// Where a file is begun that was there before the source ran for the first time.
enum FollowStart: String, CaseIterable, Sendable {
    case beginning, end
}

/// What a source that follows growing files is told, checked.
struct FollowSettings: Sendable {
    static let follow = ConfigKey.bool(
        "follow",
        default: false,
        importance: .high,
        help: """
            Whether files that grow are followed, as logs are: through every way of rotating \
            them, until the task is stopped. The records are lines, or groups of lines.
            """
    )
    static let readFrom = ConfigKey.choice(
        "read_from",
        default: FollowStart.beginning,
        help: """
            Where to begin with the files that are there when the source runs for the first time. \
            Files that come later are read from their beginning.
            """
    )
    static let maximumLine = ConfigKey.size(
        "max_line_bytes",
        default: 1 << 20,
        in: 16...(256 << 20),
        help: """
            The longest line that is followed. A longer one is rejected with a sample of its \
            start, in bounded memory, and reading goes on behind it. A group of lines that would \
            become longer is given in pieces.
            """
    )
    static let rotateWait = ConfigKey.duration(
        "rotate.wait.ms",
        default: .seconds(30),
        help: """
            How long a removed file is held open after its last change, since its writer may not \
            know yet that it was removed; what is left of its last line is then a record.
            """
    )
    static let partialTimeout = ConfigKey.duration(
        "partial.timeout.ms",
        default: .zero,
        help: """
            After which time without change a last line that has no end yet is given as a record; \
            what is appended to it later is another one. With 0 it waits for its end.
            """
    )
    static let maximumOpen = ConfigKey.int(
        "max.open.files",
        default: 256,
        in: 8...1_000_000,
        help: """
            How many followed files are held open; of more, those used least recently are closed \
            until they grow.
            """
    )
    static let forgetAfter = ConfigKey.duration(
        "forget.after.ms",
        default: .seconds(3_600),
        help: """
            How long the place in a followed file is remembered after the file has gone, in case \
            it comes back under another name or compressed.
            """
    )

    private static let dependents = [
        readFrom.declaration, maximumLine.declaration, rotateWait.declaration,
        partialTimeout.declaration, maximumOpen.declaration, forgetAfter.declaration,
        MultilineSettings.mode.declaration, MultilineSettings.start.declaration,
        MultilineSettings.condition.declaration, MultilineSettings.timeout.declaration,
    ]
    /// What belongs to files that are read once.
    private static let unfitting = [
        "cleanup.policy", "finished.path", "error.path", "file.minimum.age.ms", "files.sort",
        "forget.removed", "charset",
    ]

    static func declare(in spec: ConfigSpec) -> ConfigSpec {
        spec.with(follow).with(readFrom).with(maximumLine).with(rotateWait).with(partialTimeout)
            .with(maximumOpen).with(forgetAfter)
            .with(MultilineSettings.mode).with(MultilineSettings.start)
            .with(MultilineSettings.condition).with(MultilineSettings.timeout)
    }

    var readFrom: FollowStart
    var maximumLine: Int
    var rotateWait: Duration
    var partialTimeout: Duration?
    var maximumOpen: Int
    var forgetAfter: Duration
    /// `nil` when each line is a record.
    var multiline: MultilineSettings?

    /// - Returns: `nil` for a source that does not follow.
    init?(_ configuration: Configuration) throws(ConnectorError) {
        let given = configuration.values
        guard try configuration.get(Self.follow) else {
            for key in Self.dependents where given[key.name] != nil {
                throw .invalid(key.name, "It has an effect only with `follow: true`.")
            }
            return nil
        }
        for key in Self.unfitting where given[key] != nil {
            throw .invalid(key, "It has no effect with `follow: true`.", hint: "Leave it out.")
        }
        if let format = given["format"], format != "lines" {
            throw .invalid(
                "format",
                "Only lines can be followed, not `\(format)`.",
                hint: "Follow the lines, and let a transform read what they hold."
            )
        }
        readFrom = try configuration.get(Self.readFrom)
        maximumLine = try configuration.get(Self.maximumLine)
        rotateWait = try configuration.get(Self.rotateWait)
        let timeout = try configuration.get(Self.partialTimeout)
        partialTimeout = timeout == .zero ? nil : timeout
        maximumOpen = try configuration.get(Self.maximumOpen)
        forgetAfter = try configuration.get(Self.forgetAfter)
        multiline = try MultilineSettings(configuration)
    }
}
