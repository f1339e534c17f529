internal import ConnectorSDK
internal import SQLiteClient

/// The tables of `state.db`, and how older ones are brought up to date.
///
/// `user_version` counts the steps that were taken. A step is never changed once released: later
/// needs (producer states, connector configurations) are further steps.
internal enum StateSchema {
    /// Marks the file as ours: "MrLg".
    internal static let applicationID = 0x4d72_4c67

    /// One script for each version, applied in order.
    internal static let steps = [
        """
        CREATE TABLE topics(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            partitions INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE topic_settings(
            topic INTEGER NOT NULL REFERENCES topics(id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY(topic, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE partitions(
            topic INTEGER NOT NULL REFERENCES topics(id) ON DELETE CASCADE,
            partition INTEGER NOT NULL,
            start_offset INTEGER NOT NULL,
            end_offset INTEGER NOT NULL,
            segment_base INTEGER NOT NULL,
            segment_end INTEGER NOT NULL,
            cleaned_offset INTEGER NOT NULL,
            PRIMARY KEY(topic, partition)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE removed_topics(
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            partitions INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE source_positions(
            connector TEXT NOT NULL,
            part TEXT NOT NULL,
            position TEXT NOT NULL,
            PRIMARY KEY(connector, part)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE group_offsets(
            group_name TEXT NOT NULL,
            topic TEXT NOT NULL,
            partition INTEGER NOT NULL,
            next_offset INTEGER NOT NULL,
            PRIMARY KEY(group_name, topic, partition)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE schemas(
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            json TEXT NOT NULL UNIQUE
        ) STRICT;
        CREATE TABLE commits(
            only INTEGER PRIMARY KEY CHECK(only = 1),
            number INTEGER NOT NULL
        ) STRICT;
        INSERT INTO commits VALUES(1, 0);
        """,
        """
        CREATE TABLE transform_states(
            connector TEXT NOT NULL,
            transform TEXT NOT NULL,
            part INTEGER NOT NULL,
            key BLOB NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY(connector, transform, part, key)
        ) STRICT, WITHOUT ROWID;
        """,
    ]

    /// Brings a database up to date, or refuses one that a later release has written.
    internal static func migrate(
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) {
        let version = try version(of: database)
        guard version < steps.count else { return }
        try database.execute("BEGIN IMMEDIATE")
        do throws(SQLiteFailure) {
            for step in steps[version...] { try database.execute(step) }
            try database.execute("PRAGMA application_id = \(applicationID)")
            try database.execute("PRAGMA user_version = \(steps.count)")
            try database.execute("COMMIT")
        } catch {
            try? database.execute("ROLLBACK")
            throw error
        }
    }

    /// The number of steps that a database has behind it.
    internal static func version(
        of database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> Int {
        let statement = try database.prepare("PRAGMA user_version")
        return try statement.step() ? Int(statement.int64(0)) : 0
    }

    /// The error of a database that is too new, or `nil`.
    internal static func refusal(version: Int, path: String) -> ConnectorError? {
        guard version > steps.count else { return nil }
        return ConnectorError(
            .topicState,
            .failTask,
            "\(path) was written by a later release: its version is \(version), and this one "
                + "knows \(steps.count).",
            kind: .environment,
            hint: "Use the release that wrote it, or a later one."
        )
    }
}
