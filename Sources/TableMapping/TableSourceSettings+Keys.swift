public import ConnectorSDK

extension TableSourceSettings {
    /// The keys that every source of tables takes.
    public static let specification = ConfigSpec()
        .with(modeKey).with(queryKey).with(includeKey).with(excludeKey)
        .with(incrementingKey).with(timestampKey).with(initialKey).with(delayKey).with(nonNullKey)
        .with(topicKey).with(prefixKey).with(pollKey).with(rowsKey)

    internal static let modeKey: ConfigKey<Mode> = .choice(
        "mode",
        default: .bulk,
        importance: .high,
        help: "`bulk` reads whole tables. `incrementing` reads rows whose incrementing column is "
            + "greater than before, `timestamp` rows whose timestamp is later, and "
            + "`timestamp+incrementing` both, which finds new and changed rows. `query` is `bulk` "
            + "over `query`.",
        dependents: ["query", "incrementing.column.name", "timestamp.column.name"]
    )
    internal static let queryKey: ConfigKey<String?> = .optional(
        "query",
        help: "A SELECT whose rows are read instead of tables. Modes other than `bulk` add their "
            + "conditions around it."
    )
    internal static let includeKey: ConfigKey<[String]> = .list(
        "table.include.list",
        importance: .high,
        help: "POSIX extended regular expressions for the whole names of the tables and views "
            + "to read. Left out: all tables, and no view."
    )
    internal static let excludeKey: ConfigKey<[String]> = .list(
        "table.exclude.list",
        help: "POSIX extended regular expressions for the whole names of tables not to read."
    )
    internal static let incrementingKey: ConfigKey<String?> = .optional(
        "incrementing.column.name",
        help: "A column that only grows. Left out: the table's row id or integer primary key."
    )
    internal static let timestampKey: ConfigKey<[String]> = .list(
        "timestamp.column.name",
        help: "Columns with the time of a row's last change; the first that is not null counts. "
            + "Where a database has no type for times: ISO 8601 text, or seconds, milliseconds "
            + "or microseconds since 1970."
    )
    internal static let initialKey: ConfigKey<String?> = .optional(
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
    internal static let delayKey: ConfigKey<Duration> = .duration(
        "timestamp.delay.interval.ms",
        default: .zero,
        importance: .low,
        help: "How old a row's timestamp must be before the row is read, so that transactions "
            + "that began earlier and commit later are not missed."
    )
    internal static let nonNullKey: ConfigKey<Bool> = .bool(
        "validate.non.null",
        default: true,
        importance: .low,
        help: "Whether incrementing and timestamp columns must be declared NOT NULL. Rows in "
            + "which they are null are never read."
    )
    internal static let topicKey: ConfigKey<String?> = .optional(
        "topic",
        importance: .high,
        help: "The topic of all rows; needed for a query."
    )
    internal static let prefixKey: ConfigKey<String> = .string(
        "topic.prefix",
        default: "",
        importance: .high,
        help: "Without `topic`, a table's rows go to the topic of this prefix and its name."
    )
    internal static let pollKey: ConfigKey<Duration> = .duration(
        "poll.interval.ms",
        default: .zero,
        importance: .high,
        help: "How often to look for rows. 0: read what is there and end."
    )
    internal static let rowsKey: ConfigKey<Int> = .int(
        "batch.max.rows",
        default: 4_096,
        in: 1...65_536,
        importance: .low,
        help: "The rows read at a time. A read transaction lasts as long."
    )
}
