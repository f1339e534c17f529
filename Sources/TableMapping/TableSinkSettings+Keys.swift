public import ConnectorSDK

extension TableSinkSettings {
    /// The keys that every sink of tables takes.
    public static let specification = ConfigSpec()
        .with(tableNameKey).with(insertModeKey).with(keyModeKey).with(keyFieldsKey)
        .with(deleteKey).with(createKey).with(evolveKey).with(includeKey).with(excludeKey)

    internal static let tableNameKey: ConfigKey<String> = .string(
        "table.name.format",
        default: "${topic}",
        importance: .high,
        help: "The table that records go to. `${topic}` and `${partition}` stand for where a "
            + "record came from, `${table}` for the table it was captured from, `${field:name}` "
            + "for a field of its value and `${timestamp:yyyy-MM}` for its time; the rest is taken "
            + "as written, and the whole is always quoted.",
        validator: { $0.utf8.contains(0) ? "must not contain a NUL character" : nil }
    )
    internal static let insertModeKey: ConfigKey<InsertMode> = .choice(
        "insert.mode",
        default: .insert,
        importance: .high,
        help: "`insert` adds a row and rejects a record whose key exists. `upsert` adds the row or "
            + "changes the fields that the record has; other columns keep their values. `update` "
            + "changes a row and rejects a record that has none.",
        dependents: ["pk.mode"]
    )
    internal static let keyModeKey: ConfigKey<KeyMode> = .choice(
        "pk.mode",
        default: KeyMode.none,
        importance: .high,
        help: "Where the primary key comes from: nowhere, the record's key, fields of its value, "
            + "or (`kafka`) its topic, partition and offset.",
        dependents: ["pk.fields"]
    )
    internal static let keyFieldsKey: ConfigKey<[String]> = .list(
        "pk.fields",
        help: "The primary key's fields. Left out: all fields of the key or value, or, with "
            + "`pk.mode` kafka, `__connect_topic,__connect_partition,__connect_offset`."
    )
    internal static let deleteKey: ConfigKey<Bool> = .bool(
        "delete.enabled",
        default: false,
        help: "Whether a tombstone (a key whose value is null) deletes its row. Without it a "
            + "tombstone is rejected. Needs `pk.mode` record_key."
    )
    internal static let createKey: ConfigKey<Bool> = .bool(
        "auto.create",
        default: true,
        help: "Whether a table that does not exist is created, from the first records' fields."
    )
    internal static let evolveKey: ConfigKey<EvolutionPolicy> = .choice(
        "auto.evolve",
        default: .reject,
        help: "What happens to a field that the table has no column for. `add` adds the column, "
            + "`widen` also gives columns wider types where values do not fit, `ignore` leaves "
            + "the field out, `reject` rejects the record, `fail` stops the task. `true` is "
            + "`add`, `false` is `reject`.",
        synonyms: ["true": .add, "false": .reject]
    )
    internal static let includeKey: ConfigKey<[String]> = .list(
        "fields.include",
        help: "The fields of the value that are written; the key's are in any case. Left out: all."
    )
    internal static let excludeKey: ConfigKey<[String]> = .list(
        "fields.exclude",
        help: "Fields of the value that are not written, even if `fields.include` names them."
    )
}
