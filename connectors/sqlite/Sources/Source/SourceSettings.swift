internal import ConnectorSDK

/// The source's configuration, checked as a whole.
internal struct SourceSettings {
    /// Which rows are read.
    internal enum Mode: String, CaseIterable, Sendable {
        case bulk, incrementing, timestamp
        case timestampIncrementing = "timestamp+incrementing"
        case query

        internal var usesTimestamp: Bool { self == .timestamp || self == .timestampIncrementing }
        internal var usesIncrementing: Bool {
            self == .incrementing || self == .timestampIncrementing
        }
    }

    internal let path: String
    /// Never ``Mode/query``: that is ``Mode/bulk`` with a ``query``.
    internal let mode: Mode
    internal let query: String?
    internal let included: [NamePattern]
    internal let excluded: [NamePattern]
    internal let incrementingColumn: String?
    internal let timestampColumns: [String]
    internal let timestampInitial: Int64?
    internal let timestampDelay: Duration
    internal let validatesNonNull: Bool
    internal let topic: String?
    internal let topicPrefix: String
    internal let pollInterval: Duration
    internal let batchRows: Int
    internal let busyTimeout: Duration

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        path = configuration.path(try configuration.get(Self.pathKey))
        let mode = try configuration.get(Self.modeKey)
        self.mode = mode == .query ? .bulk : mode
        query = try configuration.get(Self.queryKey).map(Self.withoutSemicolon)
        included = try Self.patterns(Self.includeKey, configuration)
        excluded = try Self.patterns(Self.excludeKey, configuration)
        incrementingColumn = try configuration.get(Self.incrementingKey)
        timestampColumns = try configuration.get(Self.timestampKey)
        timestampInitial = try configuration.get(Self.initialKey).flatMap { Int64($0) }
        timestampDelay = try configuration.get(Self.delayKey)
        validatesNonNull = try configuration.get(Self.nonNullKey)
        topic = try configuration.get(Self.topicKey)
        topicPrefix = try configuration.get(Self.prefixKey)
        pollInterval = try configuration.get(Self.pollKey)
        batchRows = try configuration.get(Self.rowsKey)
        busyTimeout = try configuration.get(Self.busyTimeoutKey)
        try check(mode)
    }

    private func check(_ asked: Mode) throws(ConnectorError) {
        if asked == .query, query == nil {
            throw .invalid("query", "Mode query needs a query.")
        }
        if query != nil {
            guard topic != nil else {
                throw .invalid("topic", "The rows of a query need a topic to go to.")
            }
            guard included.isEmpty, excluded.isEmpty else {
                throw .invalid("query", "A query takes the place of the lists of tables.")
            }
            if mode.usesIncrementing, incrementingColumn == nil {
                throw .invalid(
                    "incrementing.column.name",
                    "A query's incrementing column must be named."
                )
            }
        }
        if mode.usesTimestamp, timestampColumns.isEmpty {
            throw .invalid("timestamp.column.name", "Mode \(mode.rawValue) needs a column.")
        }
    }

    private static func patterns(
        _ key: ConfigKey<[String]>,
        _ configuration: Configuration
    ) throws(ConnectorError) -> [NamePattern] {
        var patterns: [NamePattern] = []
        for text in try configuration.get(key) {
            guard let pattern = NamePattern(text) else {
                throw .invalid(key.declaration.name, "`\(text)` is not a regular expression.")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private static func withoutSemicolon(_ query: String) -> String {
        var query = query[...]
        while let last = query.last, last == ";" || last.isWhitespace { query.removeLast() }
        return String(query)
    }
}

extension SourceSettings {
    internal static let specification = ConfigSpec()
        .with(pathKey).with(modeKey).with(queryKey).with(includeKey).with(excludeKey)
        .with(incrementingKey).with(timestampKey).with(initialKey).with(delayKey).with(nonNullKey)
        .with(topicKey).with(prefixKey).with(pollKey).with(rowsKey).with(busyTimeoutKey)

    private static let pathKey: ConfigKey<String> = .required(
        "path",
        help: "The database file. It is opened for reading only."
    )
    private static let modeKey: ConfigKey<Mode> = .choice(
        "mode",
        default: .bulk,
        importance: .high,
        help: "`bulk` reads whole tables. `incrementing` reads rows whose incrementing column is "
            + "greater than before, `timestamp` rows whose timestamp is later, and "
            + "`timestamp+incrementing` both, which finds new and changed rows. `query` is `bulk` "
            + "over `query`.",
        dependents: ["query", "incrementing.column.name", "timestamp.column.name"]
    )
    private static let queryKey: ConfigKey<String?> = .optional(
        "query",
        help: "A SELECT whose rows are read instead of tables. Modes other than `bulk` add their "
            + "conditions around it."
    )
    private static let includeKey: ConfigKey<[String]> = .list(
        "table.include.list",
        importance: .high,
        help: "POSIX extended regular expressions for the whole names of the tables and views "
            + "to read. Left out: all tables, and no view."
    )
    private static let excludeKey: ConfigKey<[String]> = .list(
        "table.exclude.list",
        help: "POSIX extended regular expressions for the whole names of tables not to read."
    )
    private static let incrementingKey: ConfigKey<String?> = .optional(
        "incrementing.column.name",
        help: "A column that only grows. Left out: the INTEGER PRIMARY KEY, or the row id."
    )
    private static let timestampKey: ConfigKey<[String]> = .list(
        "timestamp.column.name",
        help: "Columns with the time of a row's last change; the first that is not null counts. "
            + "ISO 8601 text, or seconds, milliseconds or microseconds since 1970."
    )
    private static let initialKey: ConfigKey<String?> = .optional(
        "timestamp.initial",
        importance: .low,
        help: "Where to begin the first time, in milliseconds since 1970; -1 is now. Left out: "
            + "with the first row.",
        validator: { text in
            guard let value = Int64(text), value >= -1 else {
                return "must be a number of milliseconds, or -1"
            }
            return nil
        }
    )
    private static let delayKey: ConfigKey<Duration> = .duration(
        "timestamp.delay.interval.ms",
        default: .zero,
        importance: .low,
        help: "How old a row's timestamp must be before the row is read, so that transactions "
            + "that began earlier and commit later are not missed."
    )
    private static let nonNullKey: ConfigKey<Bool> = .bool(
        "validate.non.null",
        default: true,
        importance: .low,
        help: "Whether incrementing and timestamp columns must be declared NOT NULL. Rows in "
            + "which they are null are never read."
    )
    private static let topicKey: ConfigKey<String?> = .optional(
        "topic",
        importance: .high,
        help: "The topic of all rows; needed for a query."
    )
    private static let prefixKey: ConfigKey<String> = .string(
        "topic.prefix",
        default: "",
        importance: .high,
        help: "Without `topic`, a table's rows go to the topic of this prefix and its name."
    )
    private static let pollKey: ConfigKey<Duration> = .duration(
        "poll.interval.ms",
        default: .zero,
        importance: .high,
        help: "How often to look for rows. 0: read what is there and end."
    )
    private static let rowsKey: ConfigKey<Int> = .int(
        "batch.max.rows",
        default: 4_096,
        in: 1...65_536,
        importance: .low,
        help: "The rows read at a time. A read transaction lasts as long."
    )
    private static let busyTimeoutKey: ConfigKey<Duration> = .duration(
        "busy.timeout.ms",
        default: .seconds(10),
        importance: .low,
        help: "How long to wait for a lock before the read is retried."
    )
}
