internal import ConnectorSDK
internal import PostgresClient
internal import TableMapping

/// The sink's offsets, in the same database and transaction as its rows. (D2)
internal struct OffsetTable {
    private let name: TableName
    private let connector: String

    internal init(_ name: TableName, connector: String) {
        self.name = name
        self.connector = connector
    }

    /// Finds the table or makes it, and makes a row for each partition that has none, so that there
    /// is always a row to lock.
    internal func prepare(
        _ partitions: [TopicPartition],
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        if try !exists(on: connection) { try create(on: connection) }
        for partition in partitions {
            try connection.query(
                "INSERT INTO \(name.quoted) (connector, topic, partition) VALUES ($1, $2, $3::int4) "
                    + "ON CONFLICT DO NOTHING",
                key(partition)
            )
        }
    }

    private func exists(on connection: PostgresConnection) throws(PostgresFailure) -> Bool {
        let found = try connection.query("SELECT to_regclass($1) IS NOT NULL", [.text(name.quoted)])
        return found.bool(0, 0) ?? false
    }

    /// Several tasks may find at the same time that there is none.
    private func create(on connection: PostgresConnection) throws(PostgresFailure) {
        do throws(PostgresFailure) {
            // Each commit changes a row: room on its page keeps the index out of it.
            try connection.execute(
                """
                CREATE TABLE IF NOT EXISTS \(name.quoted) (
                    connector text, topic text, partition integer, "offset" bigint,
                    PRIMARY KEY (connector, topic, partition)
                ) WITH (fillfactor = 50)
                """
            )
        } catch {
            // The other one made it; whether its table, its row type or the catalog's index was in
            // the way depends on how far it was.
            let states = [.uniqueViolation, .duplicateTable, .duplicateObject] as [SQLState]
            guard states.contains(error.state), try exists(on: connection) else { throw error }
        }
    }

    private func key(_ partition: TopicPartition) -> [PostgresParameter] {
        [.text(connector), .text(partition.topic), .int(Int64(partition.partition))]
    }

    /// The next offset to read of each partition that was ever written.
    ///
    /// Within a transaction the rows stay locked, so that nobody else can write the partitions until
    /// it ends.
    internal func offsets(
        of partitions: [TopicPartition],
        on connection: PostgresConnection,
        locking: Bool
    ) throws(PostgresFailure) -> [TopicPartition: Int64] {
        let wanted = Set(partitions)
        let numbers = partitions.map { String($0.partition) }.joined(separator: ",")
        let topics = partitions.map { Self.element($0.topic) }.joined(separator: ",")
        let result = try connection.query(
            """
            SELECT o.topic, o.partition, o."offset" FROM \(name.quoted) o
            JOIN unnest($2::text[], $3::int4[]) w (topic, partition)
                ON o.topic = w.topic AND o.partition = w.partition
            WHERE o.connector = $1 ORDER BY o.topic, o.partition \(locking ? "FOR UPDATE OF o" : "")
            """,
            [.text(connector), .text("{\(topics)}"), .text("{\(numbers)}")]
        )
        var found: [TopicPartition: Int64] = [:]
        for row in 0..<result.rowCount {
            guard let topic = result.string(row, 0), let number = result.int(row, 1) else {
                continue
            }
            let partition = TopicPartition(topic, Int32(clamping: number))
            if wanted.contains(partition) { found[partition] = result.int(row, 2) }
        }
        return found
    }

    private static func element(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// The statement that notes the next offsets to read.
    internal func statement(_ offsets: [TopicPartition: Int64]) -> String {
        let rows = offsets.sorted { $0.key < $1.key }.map { partition, offset in
            "(\(PostgresClient.SQLText.literal(connector)), "
                + "\(PostgresClient.SQLText.literal(partition.topic)), "
                + "\(partition.partition), \(offset)::bigint)"
        }
        return """
            INSERT INTO \(name.quoted) (connector, topic, partition, "offset")
            VALUES \(rows.joined(separator: ", "))
            ON CONFLICT (connector, topic, partition) DO UPDATE SET "offset" = excluded."offset"
            """
    }
}
