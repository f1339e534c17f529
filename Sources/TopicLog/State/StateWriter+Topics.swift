internal import SQLiteClient
internal import Topics

/// What happens rarely, with statements that are compiled each time.
extension StateWriter {
    /// Adds a topic with empty partitions, and returns its id.
    ///
    /// Call within a transaction.
    internal func insertTopic(
        _ name: String,
        partitions: Int32,
        settings: TopicSettings
    ) throws(SQLiteFailure) -> Int64 {
        let insert = try state.database.prepare(
            "INSERT INTO topics(name, partitions) VALUES(?, ?)"
        )
        try insert.bind(1, name)
        try insert.bind(2, Int64(partitions))
        try insert.run()
        let id = state.database.lastInsertRowID
        let row = PartitionRow()
        let insertPartition = try state.database.prepare(
            "INSERT INTO partitions VALUES(?, ?, ?, ?, ?, ?, ?)"
        )
        for partition in 0..<partitions {
            let values = [
                id, Int64(partition), row.startOffset, row.endOffset, row.segmentBase,
                row.segmentEnd, row.cleanedOffset,
            ]
            for (index, value) in values.enumerated() {
                try insertPartition.bind(index + 1, value)
            }
            try insertPartition.run()
        }
        try setSettings(settings, topic: id)
        return id
    }

    /// Replaces a topic's settings.
    ///
    /// Call within a transaction.
    internal func setSettings(_ settings: TopicSettings, topic: Int64) throws(SQLiteFailure) {
        let upsert = try state.database.prepare(
            """
            INSERT INTO topic_settings VALUES(?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value
            """
        )
        for (key, value) in settings.entries {
            try upsert.bind(1, topic)
            try upsert.bind(2, key)
            try upsert.bind(3, value)
            try upsert.run()
        }
    }

    /// Forgets a topic and what groups know of it, and notes that its files must go.
    ///
    /// Call within a transaction.
    internal func removeTopic(_ id: Int64, name: String) throws(SQLiteFailure) {
        let note = try state.database.prepare(
            "INSERT INTO removed_topics SELECT id, name, partitions FROM topics WHERE id = ?"
        )
        try note.bind(1, id)
        try note.run()
        let remove = try state.database.prepare("DELETE FROM topics WHERE id = ?")
        try remove.bind(1, id)
        try remove.run()
        let forget = try state.database.prepare("DELETE FROM group_offsets WHERE topic = ?")
        try forget.bind(1, name)
        try forget.run()
    }

    /// Topics whose files are still to be removed.
    internal func removedTopics() throws(SQLiteFailure)
        -> [(id: Int64, name: String, partitions: Int32)]
    {
        let select = try state.database.prepare("SELECT id, name, partitions FROM removed_topics")
        var result: [(id: Int64, name: String, partitions: Int32)] = []
        while try select.step() {
            let count = Int32(truncatingIfNeeded: select.int64(2))
            result.append((select.int64(0), select.string(1), count))
        }
        return result
    }

    /// Notes that the files of a removed topic are gone.
    ///
    /// Call within a transaction.
    internal func forgetRemovedTopic(_ id: Int64) throws(SQLiteFailure) {
        let remove = try state.database.prepare("DELETE FROM removed_topics WHERE id = ?")
        try remove.bind(1, id)
        try remove.run()
    }

    /// Forgets what transforms remember, and returns how many entries that were.
    ///
    /// Call within a transaction.
    internal func removeTransformStates(of connector: String) throws(SQLiteFailure) -> Int {
        let count = try state.database.prepare(
            "SELECT count(*) FROM transform_states WHERE connector = ?"
        )
        try count.bind(1, connector)
        let entries = try count.step() ? Int(count.int64(0)) : 0
        let remove = try state.database.prepare("DELETE FROM transform_states WHERE connector = ?")
        try remove.bind(1, connector)
        try remove.run()
        return entries
    }

    /// Adds a schema, or finds it, and returns its id.
    ///
    /// Call within a transaction.
    internal func registerSchema(_ json: String) throws(SQLiteFailure) -> Int32 {
        if let known = try state.schemaID(json) { return known }
        let insert = try state.database.prepare("INSERT INTO schemas(json) VALUES(?)")
        try insert.bind(1, json)
        try insert.run()
        return Int32(truncatingIfNeeded: state.database.lastInsertRowID)
    }
}
