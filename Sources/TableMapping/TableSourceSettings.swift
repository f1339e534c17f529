public import ConnectorSDK

/// What a source of tables is configured to read, whatever its database; checked as a whole.
public struct TableSourceSettings: Sendable {
    /// Which rows are read.
    public enum Mode: String, CaseIterable, Sendable {
        /// All of them.
        case bulk
        /// Those whose incrementing column is greater than before.
        case incrementing
        /// Those whose timestamp is later than before.
        case timestamp
        /// Both.
        case timestampIncrementing = "timestamp+incrementing"
        /// All rows of a query.
        case query

        /// Whether rows are ordered by a timestamp.
        public var usesTimestamp: Bool { self == .timestamp || self == .timestampIncrementing }
        /// Whether rows are ordered by an incrementing column.
        public var usesIncrementing: Bool {
            self == .incrementing || self == .timestampIncrementing
        }
    }

    /// Which rows are read.
    ///
    /// Never ``Mode/query``: that is ``Mode/bulk`` with a ``query``.
    public let mode: Mode
    /// The query that takes the place of tables, without a semicolon behind it.
    public let query: String?
    /// The tables that are read.
    public let tables: NameSelection
    /// The column that only grows; `nil` for the one that the table itself suggests.
    public let incrementingColumn: String?
    /// The columns with the time of a row's last change; the first that is not null counts.
    public let timestampColumns: [String]
    /// Where to begin the first time, in milliseconds since 1970; -1 is now.
    public let timestampInitial: Int64?
    /// How old a row must be before it is read.
    public let timestampDelay: Duration
    /// Whether columns that rows are ordered by must never be null.
    public let validatesNonNull: Bool
    /// The topic of all rows.
    public let topic: String?
    /// What stands before a table's name in its topic's.
    public let topicPrefix: String
    /// How often to look for rows; zero for once.
    public let pollInterval: Duration
    /// The rows read at a time.
    public let batchRows: Int

    /// Reads the keys of ``specification``.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        let mode = try configuration.get(Self.modeKey)
        self.mode = mode == .query ? .bulk : mode
        query = try configuration.get(Self.queryKey).map(Self.withoutSemicolon)
        tables = try NameSelection(
            included: Self.includeKey,
            excluded: Self.excludeKey,
            in: configuration
        )
        incrementingColumn = try configuration.get(Self.incrementingKey)
        timestampColumns = try configuration.get(Self.timestampKey)
        timestampInitial = try configuration.get(Self.initialKey).flatMap { Int64($0) }
        timestampDelay = try configuration.get(Self.delayKey)
        validatesNonNull = try configuration.get(Self.nonNullKey)
        topic = try configuration.get(Self.topicKey)
        topicPrefix = try configuration.get(Self.prefixKey)
        pollInterval = try configuration.get(Self.pollKey)
        batchRows = try configuration.get(Self.rowsKey)
        try check(mode)
    }

    /// The topic that the rows of a table go to.
    public func topic(ofTable name: String) -> String { topic ?? topicPrefix + name }

    private func check(_ asked: Mode) throws(ConnectorError) {
        if asked == .query, query == nil {
            throw .invalid("query", "Mode query needs a query.")
        }
        if query != nil {
            guard topic != nil else {
                throw .invalid("topic", "The rows of a query need a topic to go to.")
            }
            guard tables.isEmpty else {
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

    private static func withoutSemicolon(_ query: String) -> String {
        var query = query[...]
        while let last = query.last, last == ";" || last.isWhitespace { query.removeLast() }
        return String(query)
    }
}
