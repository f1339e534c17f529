internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import Synchronization
internal import Topics

/// An open data directory as producers, readers and the store's threads share it.
internal final class DataDirectory: Sendable {
    internal let path: String
    internal let options: StoreOptions
    internal let logger: Logger
    /// Units and jobs for the committer; `nil` when the directory is open for reading.
    internal let queue: CommitQueue?
    /// A connection for reading; one thread at a time uses it.
    internal let state: Monitor<StateDatabase>
    /// Held while retention and compaction are at work.
    internal let maintenance = Monitor(())
    private let byName: Mutex<[String: Topic]>

    internal init(
        path: String,
        options: StoreOptions,
        logger: Logger,
        queue: CommitQueue?,
        state: StateDatabase,
        topics: [String: Topic]
    ) {
        self.path = path
        self.options = options
        self.logger = logger
        self.queue = queue
        self.state = Monitor(state)
        byName = Mutex(topics)
    }

    /// The directory of all partitions, `<data>/topics`.
    internal var topicsPath: String { path + "/topics" }

    /// The directory of a partition.
    internal func directory(of partition: TopicPartition) -> String {
        "\(topicsPath)/\(partition)"
    }

    /// Asks `state.db`.
    internal func query<Result>(
        _ body: (StateDatabase) throws(SQLiteFailure) -> Result
    ) throws(ConnectorError) -> Result {
        try state.withLock { (state) throws(ConnectorError) in
            try state.attempt { () throws(SQLiteFailure) in try body(state) }
        }
    }

    /// Runs a job on the committer's thread, and waits for its result.
    internal func perform<Success: Sendable>(
        _ job: @escaping @Sendable (CommitWorker) throws(ConnectorError) -> Success
    ) throws(ConnectorError) -> Success {
        guard let queue else { throw .storeIsReadOnly }
        let outcome = Monitor<Result<Success, ConnectorError>?>(nil)
        try queue.add { worker in
            let result: Result<Success, ConnectorError>
            do throws(ConnectorError) {
                result = .success(try job(worker))
            } catch {
                result = .failure(error)
            }
            outcome.update { $0 = result }
        }
        guard let result = outcome.wait(for: { $0 }) else { throw .storeIsClosed }
        return try result.get()
    }

    /// Makes changes of `state.db` durable that belong to no records.
    internal func apply(_ changes: [StateChange]) throws(ConnectorError) {
        guard let queue else { throw .storeIsReadOnly }
        guard !changes.isEmpty else { return }
        let lane = ProducerLane()
        try queue.add(PendingUnit(lane: lane, ticket: 1, changes: changes))
        _ = try lane.wait(for: 1, until: nil)
    }
}

// MARK: - Topics

extension DataDirectory {
    /// All topics, by name.
    internal func allTopics() throws(ConnectorError) -> [Topic] {
        if queue == nil { try reload() }
        return byName.withLock { $0.values.sorted { $0.name < $1.name } }
    }

    /// A topic, or `nil` when there is none of that name.
    internal func find(_ name: String) throws(ConnectorError) -> Topic? {
        if queue == nil { try reload() }
        return byName.withLock { $0[name] }
    }

    /// A topic that must exist.
    internal func topic(_ name: String) throws(ConnectorError) -> Topic {
        guard let topic = try find(name) else { throw .unknownTopic(name) }
        return topic
    }

    /// Adds or replaces a topic.
    internal func insert(_ topic: Topic) { byName.withLock { $0[topic.name] = topic } }

    /// Forgets a topic, and tells those who refer to it.
    internal func remove(_ topic: Topic) {
        byName.withLock { topics in
            if topics[topic.name] === topic { topics[topic.name] = nil }
        }
        topic.markRemoved()
    }
}

// MARK: - What may be read

extension DataDirectory {
    /// What may be read of a partition by someone who wants `offset` next.
    internal func view(
        of log: PartitionLog,
        topic: Topic,
        beyond offset: Int64
    ) throws(ConnectorError) -> PartitionView {
        if topic.isRemoved { throw .unknownTopic(topic.name) }
        var view = log.view
        if queue == nil, offset >= view.highWatermark {
            try refresh(log, topic: topic)
            view = log.view
        }
        guard offset >= view.startOffset, offset <= view.highWatermark else {
            let range = view.startOffset...max(view.startOffset, view.highWatermark)
            throw .outOfRange(log.id, offset, range)
        }
        return view
    }

    /// The same when a file of the last view is gone.
    internal func freshView(
        of log: PartitionLog,
        topic: Topic,
        for offset: Int64
    ) throws(ConnectorError) -> PartitionView {
        if queue == nil {
            log.update { $0.segments = [] }
            try refresh(log, topic: topic)
        }
        return try view(of: log, topic: topic, beyond: offset)
    }

    /// Learns what the worker has committed in a partition meanwhile.
    internal func refresh(_ log: PartitionLog, topic: Topic) throws(ConnectorError) {
        let row = try query { (state) throws(SQLiteFailure) in
            try state.partition(log.topicID, Int(log.id.partition))
        }
        guard let row else {
            remove(topic)
            throw .unknownTopic(topic.name)
        }
        do throws(FileFailure) {
            let view = try PartitionLoader.view(row, directory: log.directory, after: log.view)
            log.update { $0 = view }
        } catch {
            throw error.asConnectorError
        }
    }

    /// Learns which topics the worker has, when the directory is open for reading.
    private func reload() throws(ConnectorError) {
        let rows = try query { (state) throws(SQLiteFailure) in try state.topics() }
        let known = byName.withLock { $0 }
        for topic in known.values where !rows.contains(where: { $0.id == topic.id }) {
            remove(topic)
        }
        for row in rows {
            if let topic = known[row.name], topic.id == row.id {
                topic.settings = row.settings
            } else {
                insert(try PartitionLoader.topic(row, in: self.topicsPath))
            }
        }
    }
}
