internal import ConnectorSDK
internal import SQLiteClient

/// The sink's offsets, in the same database and transaction as its rows. (D2)
internal struct OffsetTable {
    internal static let name = "__millrace_offsets"

    private let connector: String
    private let select: SQLiteStatement
    private let upsert: SQLiteStatement

    /// Finds the table, or makes it.
    internal init(
        connector: String,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) {
        self.connector = connector
        if try TableDescription(Self.name, in: database) == nil {
            try database.execute(
                """
                CREATE TABLE IF NOT EXISTS \(Self.name) (
                    connector TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
                    "offset" INTEGER NOT NULL, PRIMARY KEY (connector, topic, partition)
                ) WITHOUT ROWID
                """
            )
        }
        select = try database.prepare(
            "SELECT \"offset\" FROM \(Self.name) "
                + "WHERE connector = ?1 AND topic = ?2 AND partition = ?3"
        )
        upsert = try database.prepare(
            "INSERT INTO \(Self.name) VALUES (?1, ?2, ?3, ?4) "
                + "ON CONFLICT DO UPDATE SET \"offset\" = excluded.\"offset\""
        )
        try select.bind(1, connector)
        try upsert.bind(1, connector)
    }

    /// The next offset to read, or `nil` when nothing of the partition was ever written.
    internal func offset(of partition: TopicPartition) throws(SQLiteFailure) -> Int64? {
        try select.bind(2, partition.topic)
        try select.bind(3, Int64(partition.partition))
        defer { select.reset() }
        return try select.step() ? select.int64(0) : nil
    }

    /// Notes the next offset to read.
    internal func set(_ offset: Int64, of partition: TopicPartition) throws(SQLiteFailure) {
        try upsert.bind(2, partition.topic)
        try upsert.bind(3, Int64(partition.partition))
        try upsert.bind(4, offset)
        try upsert.run()
    }
}
