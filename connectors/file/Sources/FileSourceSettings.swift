internal import Compression
internal import ConnectorSDK
internal import FileSystem
internal import RecordStreams
internal import TextEncoding

/// What happens to a file when all of it is durable.
enum CleanupPolicy: String, CaseIterable, Sendable {
    case none, move, delete
}

/// In which order files are read.
enum FileOrder: String, CaseIterable, Sendable {
    case oldest, name
}

/// A source's configuration, checked.
struct FileSourceSettings: Sendable {
    static let include = ConfigKey.list(
        "include",
        isRequired: true,
        importance: .high,
        help: """
            The files to read: paths and patterns. `*` and `?` stay within a directory, `**` is \
            any number of directories, `[a-z]` one of some characters, `{a,b}` either. A name \
            that begins with a dot is matched only by a pattern that does.
            """
    )
    static let exclude = ConfigKey.list(
        "exclude",
        help: """
            Files that are not read although `include` matches them. A pattern without a slash is \
            compared with the file's name alone.
            """
    )
    static let topic = StreamSettings.topic
    static let charset = StreamSettings.charset
    static let compression = StreamSettings.compression
    static let cleanup = ConfigKey.choice(
        "cleanup.policy",
        default: CleanupPolicy.none,
        importance: .high,
        help: """
            What happens to a file when all its records are durable, never before: it stays, is \
            moved to `finished.path`, or is deleted.
            """,
        dependents: ["finished.path"]
    )
    static let finishedPath = ConfigKey<String?>.optional(
        "finished.path",
        help: """
            The directory that finished files are moved to. It is made when needed and not read \
            from. A name that is taken there gets a number: nothing is overwritten.
            """
    )
    static let errorPath = ConfigKey<String?>.optional(
        "error.path",
        help: """
            The directory that files are moved to whose rest cannot be read, when what comes \
            before is durable and `errors.tolerance` is `all`. Without it they stay where they are.
            """
    )
    static let forgetsRemoved = ConfigKey.bool(
        "forget.removed",
        default: false,
        importance: .low,
        help: """
            Whether the place in a file that was read to its end is forgotten when somebody has \
            removed the file, or given it a name that no pattern matches, so that places do not \
            add up for ever. A file that comes back is then read again. A directory that is empty \
            is taken for one that is not mounted, and nothing is forgotten. The source's own \
            clean-up forgets what it moves and deletes in any case.
            """
    )
    static let minimumAge = ConfigKey.duration(
        "file.minimum.age.ms",
        default: .zero,
        help: """
            A file is read only when its last change is so long ago, so that files still being \
            written are left alone.
            """
    )
    static let pollInterval = ConfigKey.duration(
        "poll.interval.ms",
        default: .zero,
        importance: .high,
        help: """
            How often to look for new files. With 0 the files that are there are read and the \
            source ends. Changes of followed files are noticed at once; this is how often they are \
            looked at all the same, for file systems that do not tell of changes (with 0, every \
            30 seconds).
            """
    )
    static let headers = ConfigKey.list(
        "file.headers",
        help: """
            The headers that each record gets: `file.path`, `file.name`, `file.offset` (the byte \
            in the decompressed UTF-8 text), `file.line`, `file.last.modified`, `file.length`.
            """,
        validator: { word in
            FileHeader(rawValue: word) == nil
                ? "must be some of \(FileHeader.allCases.map(\.rawValue).joined(separator: ", "))"
                : nil
        }
    )
    static let sort = ConfigKey.choice(
        "files.sort",
        default: FileOrder.oldest,
        help: "In which order files are read: by their last change, or by name."
    )
    static let format = ConfigKey.string(
        "format",
        default: "lines",
        importance: .high,
        help: "What the files hold: `lines`, `json`, `csv` or `xml`. Each has keys of its own."
    )

    static let spec = FollowSettings.declare(in: readingSpec)
    private static let readingSpec = ConfigSpec()
        .with(include).with(exclude).with(topic).with(format).with(charset).with(compression)
        .with(cleanup).with(finishedPath).with(errorPath).with(minimumAge).with(pollInterval)
        .with(headers).with(sort).with(forgetsRemoved)

    var include: [GlobPattern]
    var exclude: [GlobPattern]
    var topic: String
    var formatName: String
    var charset: Charset
    /// Whether `charset` was given, so that a format does not look for itself.
    var isCharsetGiven: Bool
    var compression: InputCompression
    var cleanup: CleanupPolicy
    var finishedPath: String?
    var errorPath: String?
    var minimumAge: Duration
    /// `nil` for a source that reads what is there and ends.
    var pollInterval: Duration?
    var headers: [FileHeader]
    var sort: FileOrder
    var forgetsRemoved: Bool
    /// `nil` for a source that reads each file once.
    var follow: FollowSettings?

    init(_ configuration: Configuration, untilEnd: Bool) throws(ConnectorError) {
        _ = try configuration.get(Self.include)
        include = try Self.patterns(Self.include, configuration)
        exclude = try Self.patterns(Self.exclude, configuration)
        topic = try configuration.get(Self.topic)
        formatName = try configuration.get(Self.format)
        charset = try configuration.get(Self.charset)
        isCharsetGiven = configuration.values[Self.charset.declaration.name] != nil
        compression = try configuration.get(Self.compression)
        cleanup = try configuration.get(Self.cleanup)
        finishedPath = try configuration.get(Self.finishedPath).map {
            FileSystem.tidy(configuration.path($0))
        }
        errorPath = try configuration.get(Self.errorPath).map {
            FileSystem.tidy(configuration.path($0))
        }
        minimumAge = try configuration.get(Self.minimumAge)
        let interval = try configuration.get(Self.pollInterval)
        pollInterval = interval == .zero || untilEnd ? nil : interval
        headers = try configuration.get(Self.headers).compactMap { FileHeader(rawValue: $0) }
        sort = try configuration.get(Self.sort)
        forgetsRemoved = try configuration.get(Self.forgetsRemoved)
        follow = try FollowSettings(configuration)
        guard cleanup != .move || finishedPath != nil else {
            throw .invalid(
                "finished.path",
                "A value is required with cleanup.policy `move`.",
                hint: "Name the directory that finished files are moved to."
            )
        }
    }

    /// Reads a list of patterns, relative ones from the pipeline file's directory.
    private static func patterns(
        _ key: ConfigKey<[String]>,
        _ configuration: Configuration
    ) throws(ConnectorError) -> [GlobPattern] {
        let name = key.declaration.name
        var patterns: [GlobPattern] = []
        for text in GlobPattern.split(configuration.values[name] ?? "") {
            let isNameOnly = name == "exclude" && !text.contains("/")
            do throws(GlobPattern.Problem) {
                patterns.append(
                    try GlobPattern(isNameOnly ? text : absolute(text, configuration))
                )
            } catch {
                throw .invalid(name, "The pattern `\(text)` \(error.message).")
            }
        }
        return patterns
    }

    private static func absolute(_ text: String, _ configuration: Configuration) -> String {
        guard !text.hasPrefix("/") else { return FileSystem.tidy(text) }
        // The directory's own name is no pattern.
        let base = GlobPattern.escaped(FileSystem.tidy(configuration.baseDirectory))
        return base == "." ? "./" + FileSystem.tidy(text) : base + "/" + FileSystem.tidy(text)
    }
}
