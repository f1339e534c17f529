internal import ChangeCapture
internal import ConnectorSDK

/// The keys of the connector beside those that all captures share.
internal enum CDCKeys {
    static let path = ConfigKey<String>.required(
        "path",
        help: "The database. It must exist, and be writable: triggers note its changes."
    )
    static let action = ConfigKey<CaptureAction>.choice(
        "capture.action",
        default: .capture,
        help: """
            `capture` installs triggers and tables of its own in the database and reads changes. \
            `remove` takes all of them out of the database again, unread changes included, and \
            ends.
            """
    )
    static let name = ConfigKey.string(
        "capture.name",
        default: "millrace",
        importance: .low,
        help: """
            A part of the names of the tables and triggers: `__millrace_cdc_log`. Each connector \
            that captures the same database needs a name of its own.
            """
    ) { text in
        let isWord = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
        }
        return isWord && (1...40).contains(text.utf8.count)
            ? nil : "must have 1 to 40 lower case letters, digits and `_`"
    }
    static let snapshotMode = ConfigKey<SnapshotMode>.choice(
        "snapshot.mode",
        default: .initial,
        importance: .high,
        help: """
            `initial` reads the tables before their first change, `initial_only` reads them, takes \
            the triggers out again and ends, `never` begins with the changes, `when_needed` is \
            `initial` and reads the tables again when the log does not hold what follows the stored \
            position.
            """
    )
    static let chunkRows = ConfigKey.int(
        "snapshot.fetch.size",
        default: 4_096,
        in: 1...100_000,
        importance: .low,
        help: """
            How many rows a snapshot reads at a time. Each time is a short read transaction, so \
            that writers are not kept waiting.
            """
    )
    static let pollInterval = ConfigKey<Duration>.duration(
        "poll.interval.ms",
        default: .milliseconds(50),
        in: .milliseconds(1) ... .seconds(3_600),
        help: """
            How often to look whether something was committed (`PRAGMA data_version`, a few \
            microseconds).
            """
    )
    static let pruneInterval = ConfigKey<Duration>.duration(
        "prune.interval.ms",
        default: .seconds(1),
        in: .zero ... .seconds(86_400),
        importance: .low,
        help: "How often changes that are durable in the topics are deleted from the log."
    )
    static let busyTimeout = ConfigKey<Duration>.duration(
        "busy.timeout.ms",
        default: .seconds(5),
        importance: .low,
        help: "How long to wait for another process's lock before trying again later."
    )

    static let all = ConfigSpec()
        .with(path).with(action).with(name).with(snapshotMode).with(chunkRows)
        .with(pollInterval).with(pruneInterval).with(busyTimeout)
        .merging(CaptureKeys.common)
}

/// What the connector is there for.
internal enum CaptureAction: String, CaseIterable, Sendable {
    case capture, remove
}

/// When tables are read as they are.
internal enum SnapshotMode: String, CaseIterable, Sendable {
    case initial
    case initialOnly = "initial_only"
    case never
    case whenNeeded = "when_needed"
}

/// The configuration.
internal struct CDCSettings: Sendable {
    let path: String
    let action: CaptureAction
    let names: ObjectNames
    let snapshotMode: SnapshotMode
    let chunkRows: Int
    let pollInterval: Duration
    let pruneInterval: Duration
    let busyTimeout: Duration
    let capture: CaptureSettings

    init(_ configuration: Configuration) throws(ConnectorError) {
        path = configuration.path(try configuration.get(CDCKeys.path))
        action = try configuration.get(CDCKeys.action)
        names = ObjectNames(capture: try configuration.get(CDCKeys.name))
        snapshotMode = try configuration.get(CDCKeys.snapshotMode)
        chunkRows = try configuration.get(CDCKeys.chunkRows)
        pollInterval = try configuration.get(CDCKeys.pollInterval)
        pruneInterval = try configuration.get(CDCKeys.pruneInterval)
        busyTimeout = try configuration.get(CDCKeys.busyTimeout)
        capture = try CaptureSettings(configuration)
    }

    /// Whether a table of the database may be captured at all, and is to be.
    func includes(_ table: String) -> Bool {
        !ObjectNames.isOwn(table) && capture.includes(table: table)
    }

    /// The last part of the path.
    var databaseName: String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
