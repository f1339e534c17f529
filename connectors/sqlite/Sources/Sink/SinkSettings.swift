internal import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

/// The sink's configuration, checked as a whole.
internal struct SinkSettings: Sendable {
    /// When SQLite waits for the disk.
    internal enum Synchronous: String, CaseIterable, Sendable {
        case full, normal
    }

    /// How SQLite keeps what a transaction may have to undo.
    internal enum JournalMode: String, CaseIterable, Sendable {
        case wal, delete
    }

    /// SQLite takes names of any length; what is longer than this is no name but data.
    private static let nameLimit = 1_024

    internal let tables: TableSinkSettings
    internal let path: String
    internal let busyTimeout: Duration
    internal let synchronous: Synchronous
    internal let journalMode: JournalMode
    internal let transactionRecords: Int
    internal let cacheBytes: Int

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        tables = try TableSinkSettings(
            configuration,
            dialect: TableDialect(nameLimit: Self.nameLimit, fold: SQLiteName.fold)
        )
        path = configuration.path(try configuration.get(Self.pathKey))
        busyTimeout = try configuration.get(Self.busyTimeoutKey)
        synchronous = try configuration.get(Self.synchronousKey)
        journalMode = try configuration.get(Self.journalModeKey)
        transactionRecords = try configuration.get(Self.transactionRecordsKey)
        cacheBytes = try configuration.get(Self.cacheSizeKey)
    }
}

extension SinkSettings {
    internal static let specification = ConfigSpec().with(pathKey)
        .merging(TableSinkSettings.specification).with(busyTimeoutKey)
        .with(synchronousKey).with(journalModeKey).with(transactionRecordsKey).with(cacheSizeKey)

    private static let pathKey: ConfigKey<String> = .required(
        "path",
        help: "The database file. It and its directory are made when they do not exist."
    )
    private static let busyTimeoutKey: ConfigKey<Duration> = .duration(
        "busy.timeout.ms",
        default: .seconds(10),
        importance: .low,
        help: "How long to wait for another process's write lock before the write is retried."
    )
    private static let synchronousKey: ConfigKey<Synchronous> = .choice(
        "synchronous",
        default: .full,
        importance: .low,
        help: "`full` waits for the disk at each commit. `normal` may lose the last commits when "
            + "the power fails; they are written again as long as the topic still has them."
    )
    private static let journalModeKey: ConfigKey<JournalMode> = .choice(
        "journal.mode",
        default: .wal,
        importance: .low,
        help: "`wal` lets others read while the sink writes. `delete` is for file systems "
            + "without shared memory, such as network mounts."
    )
    private static let transactionRecordsKey: ConfigKey<Int> = .int(
        "transaction.records",
        default: 16_384,
        in: 1...16_777_216,
        importance: .low,
        help: "The records of a transaction when they come fast. Where keys come in random order "
            + "transactions grow by themselves to sixteen times as many."
    )
    private static let cacheSizeKey: ConfigKey<Int> = .size(
        "cache.size",
        default: 24 << 20,
        in: (1 << 20)...(64 << 30),
        importance: .low,
        help: "The page cache's limit. It starts at 8 MiB and grows only where a transaction's "
            + "pages do not fit, as with keys in random order."
    )
}
