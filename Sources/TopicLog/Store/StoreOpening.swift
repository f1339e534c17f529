internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import Topics

/// Opens a data directory, and recovers it when it is opened for writing.
internal struct StoreOpening {
    /// An open directory and what runs on it.
    internal struct Opened {
        internal let data: DataDirectory
        internal let threads: StoreThreads
        internal let report: RecoveryReport
    }

    internal let path: String
    internal let options: StoreOptions
    internal let logger: Logger

    internal init(path: String, options: StoreOptions, logger: Logger) {
        self.path = path
        self.options = options
        self.logger = logger
    }

    private var topicsPath: String { path + "/topics" }

    internal func openForReading(alone: Bool = false) throws(ConnectorError) -> Opened {
        guard Directory.exists(path + "/state.db") else {
            throw .noDataDirectory(path)
        }
        let lock = alone ? try DirectoryLock(path) : nil
        let data = DataDirectory(
            path: path,
            options: options,
            logger: logger,
            queue: nil,
            state: try StateDatabase(directory: path, mode: .readOnly),
            topics: [:]
        )
        return Opened(data: data, threads: StoreThreads(lock), report: RecoveryReport())
    }

    internal func openForWriting() throws(ConnectorError) -> Opened {
        try attempt { () throws(FileFailure) in try Directory.create(topicsPath) }
        let lock = try DirectoryLock(path)
        let state = try StateDatabase(directory: path, mode: .create)
        let worker = CommitWorker(state: try StateWriter(state), logger: logger)
        try attempt { () throws(FileFailure) in try Directory.synchronize(path) }
        try finishRemovals(worker)
        let report = try recover(worker)
        let data = DataDirectory(
            path: path,
            options: options,
            logger: logger,
            queue: CommitQueue(byteLimit: options.bytesInFlight),
            state: try StateDatabase(directory: path, mode: .readOnly),
            topics: worker.topics
        )
        let threads = StoreThreads(data, worker: worker, lock: lock)
        return Opened(data: data, threads: threads, report: report)
    }

    /// Removes the files of topics that were deleted when an earlier process ended.
    private func finishRemovals(_ worker: CommitWorker) throws(ConnectorError) {
        let removed = try worker.state.state.attempt { () throws(SQLiteFailure) in
            try worker.state.removedTopics()
        }
        for topic in removed {
            try TopicChange.removeFiles(
                id: topic.id,
                name: topic.name,
                partitions: topic.partitions,
                in: topicsPath
            )
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.forgetRemovedTopic(topic.id)
            }
        }
    }

    private func recover(_ worker: CommitWorker) throws(ConnectorError) -> RecoveryReport {
        var report = RecoveryReport()
        let rows = try worker.state.state.attempt { () throws(SQLiteFailure) in
            try worker.state.state.topics()
        }
        var expected: Set<String> = []
        for row in rows {
            var logs: [PartitionLog] = []
            for number in row.partitions.indices {
                let id = TopicPartition(row.name, Int32(truncatingIfNeeded: number))
                expected.insert("\(id)")
                logs.append(try recover(id, of: row, worker, &report))
            }
            let topic = Topic(
                id: row.id,
                name: row.name,
                settings: row.settings,
                partitions: logs
            )
            worker.topics[row.name] = topic
        }
        let names = try attempt { () throws(FileFailure) in try Directory.list(topicsPath) }
        for name in names where !expected.contains(name) { report.noteUnknown(name) }
        return report
    }

    private func recover(
        _ id: TopicPartition,
        of topic: TopicRow,
        _ worker: CommitWorker,
        _ report: inout RecoveryReport
    ) throws(ConnectorError) -> PartitionLog {
        var recovery = PartitionRecovery(
            id: id,
            topic: topic,
            directory: "\(topicsPath)/\(id)",
            operations: options.operations
        )
        let appender = try attempt { () throws(FileFailure) in try recovery.run() }
        report.findings += recovery.findings
        if recovery.row != topic.partitions[Int(id.partition)] {
            let row = recovery.row
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.update(row, topic: topic.id, partition: id.partition)
            }
        }
        worker.appenders[id] = appender
        return appender.log
    }

    private func attempt<Result>(
        _ body: () throws(FileFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(FileFailure) {
            return try body()
        } catch {
            throw error.asConnectorError
        }
    }
}

extension RecoveryReport {
    /// Notes a directory beside those of the topics.
    fileprivate mutating func noteUnknown(_ name: String) {
        findings.append(
            Finding(
                partition: nil,
                kind: .unknownFile,
                message: "topics/\(name) belongs to no topic and was left as it is"
            )
        )
    }
}
