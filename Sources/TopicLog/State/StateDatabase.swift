internal import ConnectorSDK
internal import SQLiteClient
internal import Topics

/// `state.db` as one thread sees it, for reading; ``StateWriter`` adds the writing.
///
/// It runs in WAL mode: readers, also those of other processes, never wait for the writer.
internal final class StateDatabase {
    internal let path: String
    internal let database: SQLiteHandle
    private let selectPositions: SQLiteStatement
    private let selectGroup: SQLiteStatement
    private let selectSchema: SQLiteStatement
    private let selectSchemaID: SQLiteStatement
    private let selectVersion: SQLiteStatement
    private let selectPartition: SQLiteStatement

    /// Opens the database of a data directory; `create` makes it and brings it up to date.
    internal init(directory: String, mode: SQLiteHandle.Mode) throws(ConnectorError) {
        let path = directory + "/state.db"
        self.path = path
        let database = try Self.open(path, mode)
        do throws(SQLiteFailure) {
            selectPositions = try database.prepare(
                "SELECT part, position FROM source_positions WHERE connector = ?"
            )
            selectGroup = try database.prepare(
                "SELECT topic, partition, next_offset FROM group_offsets WHERE group_name = ?"
            )
            selectSchema = try database.prepare("SELECT json FROM schemas WHERE id = ?")
            selectSchemaID = try database.prepare("SELECT id FROM schemas WHERE json = ?")
            selectVersion = try database.prepare("PRAGMA data_version")
            selectPartition = try database.prepare(
                """
                SELECT start_offset, end_offset, segment_base, segment_end, cleaned_offset
                FROM partitions WHERE topic = ? AND partition = ?
                """
            )
            self.database = database
        } catch {
            throw error.asConnectorError(path)
        }
    }

    private static func open(
        _ path: String,
        _ mode: SQLiteHandle.Mode
    ) throws(ConnectorError) -> SQLiteHandle {
        do {
            let database = try SQLiteHandle(path: path, mode: mode)
            let version = try StateSchema.version(of: database)
            if let refusal = StateSchema.refusal(version: version, path: path) { throw refusal }
            if mode == .create {
                try database.execute("PRAGMA journal_mode = WAL")
                try database.execute("PRAGMA synchronous = FULL")
                try database.execute("PRAGMA foreign_keys = ON")
                try StateSchema.migrate(database)
            }
            return database
        } catch let error as SQLiteFailure {
            throw error.asConnectorError(path)
        } catch let error as ConnectorError {
            throw error
        } catch {
            throw ConnectorError(.topicState, .failTask, "Cannot open \(path).", underlying: error)
        }
    }

    /// Runs `body`, and turns SQLite's errors into the engine's.
    internal func attempt<Result>(
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            throw error.asConnectorError(path)
        }
    }

    /// A number that changes whenever another connection has committed.
    internal func dataVersion() throws(SQLiteFailure) -> Int64 {
        defer { selectVersion.reset() }
        return try selectVersion.step() ? selectVersion.int64(0) : 0
    }

    /// One partition's row, or `nil` when there is none.
    internal func partition(_ topic: Int64, _ partition: Int) throws(SQLiteFailure)
        -> PartitionRow?
    {
        defer { selectPartition.reset() }
        try selectPartition.bind(1, topic)
        try selectPartition.bind(2, Int64(partition))
        return try selectPartition.step() ? Self.partitionRow(selectPartition, from: 0) : nil
    }

    /// All topics with their partitions, in one consistent view.
    internal func topics() throws(SQLiteFailure) -> [TopicRow] {
        try database.execute("BEGIN")
        defer { try? database.execute("COMMIT") }
        var topics: [TopicRow] = []
        let select = try database.prepare("SELECT id, name FROM topics ORDER BY id")
        while try select.step() {
            let row = TopicRow(
                id: select.int64(0),
                name: select.string(1),
                settings: TopicSettings(),
                partitions: []
            )
            topics.append(row)
        }
        for index in topics.indices {
            topics[index].settings = try settings(topics[index].id)
            topics[index].partitions = try partitions(topics[index].id)
        }
        return topics
    }

    private func settings(_ topic: Int64) throws(SQLiteFailure) -> TopicSettings {
        let select = try database.prepare("SELECT key, value FROM topic_settings WHERE topic = ?")
        try select.bind(1, topic)
        var settings = TopicSettings()
        while try select.step() {
            StoredSetting.apply(select.string(0), select.string(1), &settings)
        }
        return settings
    }

    private func partitions(_ topic: Int64) throws(SQLiteFailure) -> [PartitionRow] {
        let select = try database.prepare(
            """
            SELECT start_offset, end_offset, segment_base, segment_end, cleaned_offset
            FROM partitions WHERE topic = ? ORDER BY partition
            """
        )
        try select.bind(1, topic)
        var rows: [PartitionRow] = []
        while try select.step() { rows.append(Self.partitionRow(select, from: 0)) }
        return rows
    }

    private static func partitionRow(_ row: SQLiteStatement, from first: Int) -> PartitionRow {
        PartitionRow(
            startOffset: row.int64(first),
            endOffset: row.int64(first + 1),
            segmentBase: row.int64(first + 2),
            segmentEnd: row.int64(first + 3),
            cleanedOffset: row.int64(first + 4)
        )
    }
}

// MARK: - Positions, groups, schemas

extension StateDatabase {
    internal func positions(of connector: String) throws(SQLiteFailure) -> [String: String] {
        defer { selectPositions.reset() }
        try selectPositions.bind(1, connector)
        var positions: [String: String] = [:]
        while try selectPositions.step() {
            positions[selectPositions.string(0)] = selectPositions.string(1)
        }
        return positions
    }

    internal func connectorsWithPositions() throws(SQLiteFailure) -> [String] {
        try strings("SELECT DISTINCT connector FROM source_positions ORDER BY connector")
    }

    internal func transformStates(
        of connector: String
    ) throws(SQLiteFailure) -> [String: [StateEntry]] {
        let select = try database.prepare(
            "SELECT transform, part, key, value FROM transform_states WHERE connector = ?"
        )
        try select.bind(1, connector)
        var states: [String: [StateEntry]] = [:]
        while try select.step() {
            let entry = StateEntry(
                part: Int32(truncatingIfNeeded: select.int64(1)),
                key: Array(select.blob(2)),
                value: Array(select.blob(3))
            )
            states[select.string(0), default: []].append(entry)
        }
        return states
    }

    internal func groupOffsets(
        _ group: String
    ) throws(SQLiteFailure) -> [TopicPartition: Int64] {
        defer { selectGroup.reset() }
        try selectGroup.bind(1, group)
        var offsets: [TopicPartition: Int64] = [:]
        while try selectGroup.step() {
            let number = Int32(truncatingIfNeeded: selectGroup.int64(1))
            offsets[TopicPartition(selectGroup.string(0), number)] = selectGroup.int64(2)
        }
        return offsets
    }

    internal func groups() throws(SQLiteFailure) -> [String] {
        try strings("SELECT DISTINCT group_name FROM group_offsets ORDER BY group_name")
    }

    /// The lowest offset that a sink's group has yet to read in each partition of a topic.
    internal func heldOffsets(_ topic: String) throws(SQLiteFailure) -> [Int32: Int64] {
        let select = try database.prepare(
            """
            SELECT partition, min(next_offset) FROM group_offsets
            WHERE topic = ? AND group_name GLOB 'connect-*' GROUP BY partition
            """
        )
        try select.bind(1, topic)
        var held: [Int32: Int64] = [:]
        while try select.step() {
            held[Int32(truncatingIfNeeded: select.int64(0))] = select.int64(1)
        }
        return held
    }

    internal func schema(_ id: Int32) throws(SQLiteFailure) -> String? {
        defer { selectSchema.reset() }
        try selectSchema.bind(1, Int64(id))
        return try selectSchema.step() ? selectSchema.string(0) : nil
    }

    internal func schemaID(_ json: String) throws(SQLiteFailure) -> Int32? {
        defer { selectSchemaID.reset() }
        try selectSchemaID.bind(1, json)
        guard try selectSchemaID.step() else { return nil }
        return Int32(truncatingIfNeeded: selectSchemaID.int64(0))
    }

    /// The problems that SQLite finds in the file; empty when it is sound.
    internal func integrityProblems() throws(SQLiteFailure) -> [String] {
        try strings("PRAGMA integrity_check").filter { $0 != "ok" }
    }

    private func strings(_ sql: String) throws(SQLiteFailure) -> [String] {
        let select = try database.prepare(sql)
        var result: [String] = []
        while try select.step() { result.append(select.string(0)) }
        return result
    }
}
