public import ConnectorSDK

/// The keys that all sources of captured changes share, declared once, under Debezium's names.
public enum CaptureKeys {
    /// The keys that make sense whatever the database is.
    public static let common = ConfigSpec()
        .with(topicPrefix).with(topicDelimiter).with(topicTransaction)
        .with(tableInclude).with(tableExclude).with(columnInclude).with(columnExclude)
        .with(keyColumns).with(tombstones).with(skippedOperations)
        .with(transactionMetadata).with(heartbeatInterval).with(heartbeatPrefix)
        .with(maskCharacters).with(maskHash).with(truncate).with(binaryMode)

    /// The keys for databases that have numeric, date, time and interval types.
    public static let types = ConfigSpec()
        .with(decimalMode).with(timeMode).with(intervalMode).with(hstoreMode).with(placeholder)

    // MARK: - Topics

    static let topicPrefix = ConfigKey<String>.required(
        "topic.prefix",
        help: """
            The name of the database as topics have it: the changes of a table go to \
            `<prefix>.<schema>.<table>`, without the schema where there are none.
            """
    ) { TopicNames.problem(inPrefix: $0) }
    static let topicDelimiter = ConfigKey.string(
        "topic.delimiter",
        default: ".",
        importance: .low,
        help: "What stands between the parts of a topic's name."
    ) { TopicNames.problem(inPrefix: $0) }
    static let topicTransaction = ConfigKey.string(
        "topic.transaction",
        default: "transaction",
        importance: .low,
        help: """
            The last part of the name of the topic that tells where transactions begin and end: \
            `<prefix>.transaction`.
            """
    ) { TopicNames.problem(inPrefix: $0) }

    // MARK: - What is captured

    static let tableInclude = ConfigKey<[String]>.list(
        "table.include.list",
        importance: .high,
        help: """
            Regular expressions, each for a whole name as it stands in the topic without the \
            prefix: `public.orders`, or `orders` in SQLite. Without it every table is captured.
            """
    ) { NameFilter.problem($0) }
    static let tableExclude = ConfigKey<[String]>.list(
        "table.exclude.list",
        help: "Tables to leave out, as `table.include.list` names them."
    ) { NameFilter.problem($0) }
    static let columnInclude = ConfigKey<[String]>.list(
        "column.include.list",
        help: """
            Regular expressions for whole names of columns, `public.orders.amount` or \
            `orders.amount`: no others are in the changes. Columns of the key are always in the \
            key.
            """
    ) { NameFilter.problem($0) }
    static let columnExclude = ConfigKey<[String]>.list(
        "column.exclude.list",
        help: "Columns to leave out, as `column.include.list` names them."
    ) { NameFilter.problem($0) }
    static let keyColumns = ConfigKey<String?>.optional(
        "message.key.columns",
        help: """
            What to use as a key instead of the primary key: `public.orders:region,number`, \
            several separated by `;`. The table is a regular expression for its whole name.
            """
    ) { KeyRule.problem($0) }
    static let skippedOperations = ConfigKey<[String]>.list(
        "skipped.operations",
        default: ["t"],
        help: """
            Operations to leave out: `c` create, `u` update, `d` delete, `t` truncate, or `none`.
            """
    ) { ["c", "u", "d", "t", "none"].contains($0) ? nil : "must be c, u, d, t or none" }

    // MARK: - What is told

    static let tombstones = ConfigKey.bool(
        "tombstones.on.delete",
        default: true,
        help: """
            Whether each deletion is followed by a record with the same key and no value, so that \
            compaction of the topic can forget the row.
            """
    )
    static let transactionMetadata = ConfigKey.bool(
        "provide.transaction.metadata",
        default: false,
        help: """
            Whether each change says where it stands in its transaction, and a topic of its own \
            where transactions begin and end. A sink with `transaction.topic` needs it.
            """
    )
    static let heartbeatInterval = ConfigKey<Duration>.duration(
        "heartbeat.interval.ms",
        default: .seconds(10),
        help: """
            How often a heartbeat goes to `<topic.heartbeat.prefix>.<topic.prefix>`, also when \
            nothing changes, so that the place in the database's log moves on. 0 sends none.
            """
    )
    static let heartbeatPrefix = ConfigKey.string(
        "topic.heartbeat.prefix",
        default: "__debezium-heartbeat",
        importance: .low,
        help: "The first part of the name of the heartbeats' topic."
    ) { TopicNames.problem(inPrefix: $0) }

    // MARK: - How values are written

    static let maskCharacters = ConfigMapKey(
        "column.mask.with",
        importance: .low,
        help: """
            `column.mask.with.12.chars`: columns, as `column.include.list` names them, whose \
            values become so many asterisks.
            """
    )
    static let maskHash = ConfigMapKey(
        "column.mask.hash",
        importance: .low,
        help: """
            `column.mask.hash.SHA-256.with.salt.PEPPER`, also with `v2.` before the algorithm: \
            columns whose values become the hash of the salt and their text, in hexadecimal \
            digits. SHA-224, SHA-256, SHA-384 and SHA-512. To keep the salt out of the file: \
            `column.mask.hash.SHA-256.columns` with `column.mask.hash.salt: ${env:SALT}`.
            """
    )
    static let truncate = ConfigMapKey(
        "column.truncate.to",
        importance: .low,
        help: """
            `column.truncate.to.20.chars`: columns whose text is cut to so many characters.
            """
    )
    static let binaryMode = ConfigKey<BinaryMode>.choice(
        "binary.handling.mode",
        default: .bytes,
        importance: .low,
        help: """
            How bytes are written: `bytes`, which sinks restore, and which JSON shows as base64, \
            or as text in one of the other forms.
            """
    )
    static let decimalMode = ConfigKey<DecimalMode>.choice(
        "decimal.handling.mode",
        default: .precise,
        help: """
            How exact numbers are written: `precise` keeps every digit, `double` rounds to the \
            nearest binary number, `string` writes text.
            """
    )
    static let timeMode = ConfigKey<TimeMode>.choice(
        "time.precision.mode",
        default: .isostring,
        importance: .low,
        help: """
            How dates and times are written: `isostring` as ISO 8601 text, which sinks restore; the \
            others as Debezium does, as days since 1970 and as milliseconds, microseconds or \
            nanoseconds since 1970 or midnight. `adaptive` takes the column's precision, \
            `adaptive_time_microseconds` microseconds for times of day, `connect` milliseconds \
            for all. Instants with a zone are ISO 8601 text in every mode.
            """
    )
    static let intervalMode = ConfigKey<IntervalMode>.choice(
        "interval.handling.mode",
        default: .string,
        importance: .low,
        help: """
            How intervals are written: `string` as ISO 8601, `P1Y2M3DT4H5M6.78S`, which keeps all \
            parts, or `numeric` as about as many microseconds, a month being 30.4375 days.
            """
    )
    static let hstoreMode = ConfigKey<HstoreMode>.choice(
        "hstore.handling.mode",
        default: .text,
        importance: .low,
        help: """
            How hstore is written: as `text` of the database's own, which sinks restore, as `json`, \
            the text of an object, or as a `map`, an object.
            """
    )
    static let placeholder = ConfigKey<String?>.optional(
        "unavailable.value.placeholder",
        importance: .low,
        help: """
            A text for values that the database did not give because they did not change (large \
            values stored outside of their row). Without it such fields are absent, and sinks \
            leave the columns alone. Debezium writes `__debezium_unavailable_value`.
            """
    )
}

/// How bytes are written.
public enum BinaryMode: String, CaseIterable, Sendable {
    /// Typed bytes, base64 in JSON.
    case bytes
    /// Text in base64.
    case base64
    /// Text in base64 with `-` and `_`.
    case base64URLSafe = "base64-url-safe"
    /// Text in hexadecimal digits.
    case hex
}

/// How exact decimals are written.
public enum DecimalMode: String, CaseIterable, Sendable {
    /// With all digits.
    case precise
    /// As the nearest binary number.
    case double
    /// As text.
    case string
}

/// How dates and times are written.
public enum TimeMode: String, CaseIterable, Sendable {
    /// As typed values, ISO 8601 in JSON.
    case isostring
    /// As numbers in the unit of the column's precision.
    case adaptive
    /// As `adaptive`, but times of day always in microseconds.
    case adaptiveTimeMicroseconds = "adaptive_time_microseconds"
    /// As numbers of milliseconds.
    case connect
    /// As numbers of microseconds.
    case microseconds
    /// As numbers of nanoseconds.
    case nanoseconds
}

/// How intervals are written; a connector that has them asks ``CaptureSettings``.
public enum IntervalMode: String, CaseIterable, Sendable {
    /// As ISO 8601 text.
    case string
    /// As approximate microseconds.
    case numeric
}

/// How hstore values are written; a connector that has them asks ``CaptureSettings``.
public enum HstoreMode: String, CaseIterable, Sendable {
    /// As the database writes it.
    case text
    /// As the text of a JSON object.
    case json
    /// As a JSON object.
    case map
}
