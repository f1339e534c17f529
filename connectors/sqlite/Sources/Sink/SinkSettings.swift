internal import ConnectorSDK

/// The sink's configuration, checked as a whole.
internal struct SinkSettings: Sendable {
    /// What a record does to its row.
    internal enum InsertMode: String, CaseIterable, Sendable {
        case insert, upsert, update
    }

    /// Where the key of a row comes from.
    internal enum KeyMode: String, CaseIterable, Sendable {
        case none
        case recordKey = "record_key"
        case recordValue = "record_value"
        case kafka
    }

    /// When SQLite waits for the disk.
    internal enum Synchronous: String, CaseIterable, Sendable {
        case full, normal
    }

    /// How SQLite keeps what a transaction may have to undo.
    internal enum JournalMode: String, CaseIterable, Sendable {
        case wal, delete
    }

    /// The columns of a row's place in its topic.
    internal static let kafkaFields = [
        "__connect_topic", "__connect_partition", "__connect_offset",
    ]

    internal let path: String
    internal let tableName: TableName
    internal let insertMode: InsertMode
    internal let keyMode: KeyMode
    internal let keyFields: [String]
    internal let deletes: Bool
    internal let createsTables: Bool
    internal let addsColumns: Bool
    internal let included: Set<String>
    internal let busyTimeout: Duration
    internal let synchronous: Synchronous
    internal let journalMode: JournalMode
    internal let transactionRecords: Int
    internal let cacheBytes: Int

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        path = configuration.path(try configuration.get(Self.pathKey))
        tableName = try TableName(try configuration.get(Self.tableNameKey))
        insertMode = try configuration.get(Self.insertModeKey)
        keyMode = try configuration.get(Self.keyModeKey)
        let fields = try configuration.get(Self.keyFieldsKey)
        keyFields = keyMode == .kafka && fields.isEmpty ? Self.kafkaFields : fields
        deletes = try configuration.get(Self.deleteKey)
        createsTables = try configuration.get(Self.createKey)
        addsColumns = try configuration.get(Self.evolveKey)
        included = Set(try configuration.get(Self.includeKey))
        busyTimeout = try configuration.get(Self.busyTimeoutKey)
        synchronous = try configuration.get(Self.synchronousKey)
        journalMode = try configuration.get(Self.journalModeKey)
        transactionRecords = try configuration.get(Self.transactionRecordsKey)
        cacheBytes = try configuration.get(Self.cacheSizeKey)
        try checkCombination()
    }

    private func checkCombination() throws(ConnectorError) {
        if insertMode != .insert, keyMode == .none {
            throw .invalid(
                "pk.mode",
                "insert.mode \(insertMode.rawValue) needs to know which row a record is for.",
                hint: "Set pk.mode to record_key or record_value."
            )
        }
        if deletes, keyMode != .recordKey {
            throw .invalid(
                "delete.enabled",
                "Only a record's key can say which row is to be deleted.",
                hint: "Set pk.mode to record_key."
            )
        }
        if keyMode == .none, !keyFields.isEmpty {
            throw .invalid(
                "pk.fields",
                "With pk.mode none there is no key.",
                hint: "Set pk.mode to record_key or record_value, or leave pk.fields out."
            )
        }
        if keyMode == .kafka, keyFields.count != 3 {
            throw .invalid(
                "pk.fields",
                "pk.mode kafka needs three names: for the topic, the partition and the offset."
            )
        }
        let folded = Set(keyFields.map(SQLText.fold))
        if folded.count != keyFields.count {
            throw .invalid("pk.fields", "A field is named twice.")
        }
    }
}

extension SinkSettings {
    internal static let specification = ConfigSpec()
        .with(pathKey).with(tableNameKey).with(insertModeKey).with(keyModeKey).with(keyFieldsKey)
        .with(deleteKey).with(createKey).with(evolveKey).with(includeKey).with(busyTimeoutKey)
        .with(synchronousKey).with(journalModeKey).with(transactionRecordsKey).with(cacheSizeKey)

    private static let pathKey: ConfigKey<String> = .required(
        "path",
        help: "The database file. It and its directory are made when they do not exist."
    )
    private static let tableNameKey: ConfigKey<String> = .string(
        "table.name.format",
        default: "${topic}",
        importance: .high,
        help: "The table that records go to. `${topic}` and `${partition}` stand for where a "
            + "record came from; the rest is taken as written, and the whole is always quoted."
    )
    private static let insertModeKey: ConfigKey<InsertMode> = .choice(
        "insert.mode",
        default: .insert,
        importance: .high,
        help: "`insert` adds a row and rejects a record whose key exists. `upsert` adds the row or "
            + "changes the fields that the record has; other columns keep their values. `update` "
            + "changes a row and rejects a record that has none.",
        dependents: ["pk.mode"]
    )
    private static let keyModeKey: ConfigKey<KeyMode> = .choice(
        "pk.mode",
        default: KeyMode.none,
        importance: .high,
        help: "Where the primary key comes from: nowhere, the record's key, fields of its value, "
            + "or (`kafka`) its topic, partition and offset.",
        dependents: ["pk.fields"]
    )
    private static let keyFieldsKey: ConfigKey<[String]> = .list(
        "pk.fields",
        help: "The primary key's fields. Left out: all fields of the key or value, or, with "
            + "`pk.mode` kafka, `__connect_topic,__connect_partition,__connect_offset`."
    )
    private static let deleteKey: ConfigKey<Bool> = .bool(
        "delete.enabled",
        default: false,
        help: "Whether a tombstone (a key whose value is null) deletes its row. Without it a "
            + "tombstone is rejected. Needs `pk.mode` record_key."
    )
    private static let createKey: ConfigKey<Bool> = .bool(
        "auto.create",
        default: true,
        help: "Whether a table that does not exist is created, from the first records' fields."
    )
    private static let evolveKey: ConfigKey<Bool> = .bool(
        "auto.evolve",
        default: false,
        help: "Whether a column is added for a field that the table lacks. Without it such a "
            + "record is rejected."
    )
    private static let includeKey: ConfigKey<[String]> = .list(
        "fields.include",
        help: "The fields of the value that are written; the key's are in any case. Left out: all."
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
        default: 128 << 20,
        in: (1 << 20)...(64 << 30),
        importance: .low,
        help: "The page cache's limit. It starts at 8 MiB and grows only where a transaction's "
            + "pages do not fit, as with keys in random order."
    )
}
