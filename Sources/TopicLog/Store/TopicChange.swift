internal import ConnectorSDK
internal import SQLiteClient
internal import Topics

/// Creates, alters and deletes topics, on the committer's thread.
internal struct TopicChange {
    private static let partitionLimit: Int32 = 10_000

    private let data: DataDirectory

    internal init(_ data: DataDirectory) { self.data = data }

    internal func create(
        _ name: String,
        partitions: Int32,
        settings: TopicSettings
    ) throws(ConnectorError) {
        if let problem = TopicName.problem(name) {
            throw .invalidTopic("A topic's name \(problem).", at: "topic")
        }
        guard partitions >= 1, partitions <= Self.partitionLimit else {
            throw .invalidTopic(
                "A topic has 1 to \(Self.partitionLimit) partitions, not \(partitions).",
                at: "partitions"
            )
        }
        try data.perform { [data] (worker) throws(ConnectorError) in
            guard worker.topics[name] == nil else {
                throw ConnectorError(
                    .topicExists,
                    .failTask,
                    "The topic \(name) exists already.",
                    kind: .configuration
                )
            }
            try Self.makeDirectories(name, partitions, data)
            let id = try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.insertTopic(name, partitions: partitions, settings: settings)
            }
            Self.open(name, id: id, partitions, settings, worker, data)
        }
    }

    internal func alter(_ name: String, settings: TopicSettings) throws(ConnectorError) {
        try data.perform { (worker) throws(ConnectorError) in
            guard let topic = worker.topics[name] else { throw .unknownTopic(name) }
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.setSettings(settings, topic: topic.id)
            }
            topic.settings = settings
        }
    }

    internal func delete(_ name: String) throws(ConnectorError) {
        try data.perform { [data] (worker) throws(ConnectorError) in
            guard let topic = worker.topics[name] else { throw .unknownTopic(name) }
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.removeTopic(topic.id, name: name)
            }
            worker.topics[name] = nil
            for log in topic.partitions { worker.appenders[log.id] = nil }
            data.remove(topic)
            // The topic is gone whatever becomes of the files: the next opening goes on here.
            try Self.removeFiles(
                id: topic.id,
                name: name,
                partitions: Int32(truncatingIfNeeded: topic.partitions.count),
                in: data.topicsPath
            )
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.forgetRemovedTopic(topic.id)
            }
        }
    }

    /// Removes the directories of a topic that `state.db` does not have any more.
    ///
    /// They are renamed first, all at once, so that a topic of the same name can be created.
    internal static func removeFiles(
        id: Int64,
        name: String,
        partitions: Int32,
        in topicsPath: String
    ) throws(ConnectorError) {
        do throws(FileFailure) {
            for partition in 0..<partitions {
                let path = "\(topicsPath)/\(TopicPartition(name, partition))"
                let doomed = "\(path).\(id)-delete"
                if Directory.exists(path), !Directory.exists(doomed) {
                    try Directory.rename(path, to: doomed)
                }
            }
            try Directory.synchronize(topicsPath)
            for partition in 0..<partitions {
                let path = "\(topicsPath)/\(TopicPartition(name, partition)).\(id)-delete"
                try Directory.removeAll(path)
            }
        } catch {
            throw error.asConnectorError
        }
    }

    private static func makeDirectories(
        _ name: String,
        _ partitions: Int32,
        _ data: DataDirectory
    ) throws(ConnectorError) {
        do throws(FileFailure) {
            for partition in 0..<partitions {
                let path = data.directory(of: TopicPartition(name, partition))
                try Directory.create(path)
                guard try Directory.list(path).isEmpty else {
                    throw FileFailure("create", path, 0)
                }
            }
            try Directory.synchronize(data.topicsPath)
        } catch {
            guard error.code == 0 else { throw error.asConnectorError }
            throw ConnectorError(
                .topicExists,
                .failTask,
                "\(error.path) holds files of a topic that state.db does not know.",
                kind: .environment,
                hint: "Move them away, or restore the state.db that belongs to them."
            )
        }
    }

    private static func open(
        _ name: String,
        id: Int64,
        _ partitions: Int32,
        _ settings: TopicSettings,
        _ worker: CommitWorker,
        _ data: DataDirectory
    ) {
        let view = PartitionView(
            startOffset: 0,
            highWatermark: 0,
            cleanedOffset: 0,
            segments: []
        )
        let logs = (0..<partitions).map { number in
            let partition = TopicPartition(name, number)
            return PartitionLog(
                id: partition,
                topicID: id,
                directory: data.directory(of: partition),
                view: view
            )
        }
        for log in logs {
            worker.appenders[log.id] = PartitionAppender(
                log,
                row: PartitionRow(),
                active: nil,
                operations: data.options.operations
            )
        }
        let topic = Topic(id: id, name: name, settings: settings, partitions: logs)
        worker.topics[name] = topic
        data.insert(topic)
    }
}
