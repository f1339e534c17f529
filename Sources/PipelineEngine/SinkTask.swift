internal import ConnectorSDK
internal import Logging
internal import Topics

/// One attempt of a sink task: a connector and the partitions that are its share.
struct SinkTask {
    /// How often a sink looks for topics and partitions that are new.
    static let lookAround = Duration.seconds(1)

    /// The same for a sink that always has something to read: each look is a question or more.
    static let busyLookAround = Duration.seconds(10)

    /// How often it is looked whether the last records have come before a run ends.
    static let arrival = Duration.milliseconds(20)

    private let environment: TaskEnvironment

    init(_ environment: TaskEnvironment) { self.environment = environment }

    func run() async throws(ConnectorError) -> ConnectorTask.Outcome {
        let plan = environment.plan
        guard let type = environment.catalog.sink(plan.definition.plugin) else {
            throw .invalid("connector", "There is no sink `\(plan.definition.plugin)`.")
        }
        var context = environment.context
        while true {
            let sink = try type.init(configuration: plan.configuration, context: context)
            do throws(ConnectorError) {
                let outcome = try await work(sink)
                await sink.close()
                return outcome
            } catch {
                await sink.close()
                // D2: nothing since the last commit had an effect, so it is written once more.
                guard error.code == .refusedTogether, !environment.control.isStopping else {
                    throw error
                }
                context.answersEachBatch = true
            }
        }
    }

    private func work(_ sink: any SinkConnector) async throws(ConnectorError)
        -> ConnectorTask.Outcome
    {
        let selection = try environment.plan.selection()
        let assignment = PartitionAssignment(selection, environment)
        try provideTransactionTopic()
        try assignment.checkStillThere()
        var partitions = try assignment.partitions()
        // A task without partitions leaves the target alone.
        while partitions.isEmpty {
            let mayEnd = environment.control.mayEnd(environment.plan.name)
            partitions = try assignment.partitions()
            if !partitions.isEmpty { break }
            try assignment.checkStillThere()
            if environment.control.lease?.isEnded == true { return .ended }
            if mayEnd {
                try assignment.checkTopicsExist()
                return .ended
            }
            environment.signal.wait(timeout: Self.lookAround)
        }
        let session = try SinkSession(sink, environment, partitions, assignment)
        return try await session.run()
    }

    /// Creates the topic that says which transactions are complete, when a source of this run may
    /// write to it: rows of a snapshot arrive before the first transaction does.
    private func provideTransactionTopic() throws(ConnectorError) {
        guard let name = environment.plan.transactionTopic,
            environment.control.hasFeeder(environment.plan.name)
        else { return }
        let topic = TopicDefinition(name: name, partitions: 1, settings: TopicSettings())
        _ = try environment.provisioner.topic(name, orCreate: topic)
    }
}

/// Which partitions a sink task reads.
struct PartitionAssignment {
    private let selection: TopicSelection
    private let environment: TaskEnvironment

    init(_ selection: TopicSelection, _ environment: TaskEnvironment) {
        self.selection = selection
        self.environment = environment
    }

    /// The task's share of the partitions that there are now: every n-th.
    ///
    /// A sink that goes by the ends of transactions has none before there is a topic of them.
    func partitions() throws(ConnectorError) -> [TopicPartition] {
        let ends = try transactionEnds()
        let all = try topics().flatMap { topic in
            (0..<topic.partitions).map { TopicPartition(topic.name, $0) }
        }
        if environment.plan.transactionTopic != nil, ends == nil { return [] }
        if environment.plan.keepsState { return try byNumber(all) }
        return Set(all + [ends].compactMap { $0 }).sorted().enumerated()
            .filter { $0.offset % environment.plan.tasks == environment.id }
            .map(\.element)
    }

    /// Partitions of one number go to one task, with the state that belongs to their keys.
    private func byNumber(_ all: [TopicPartition]) throws(ConnectorError) -> [TopicPartition] {
        let (tasks, id) = (environment.plan.tasks, environment.id)
        guard tasks > 1 else { return all.sorted() }
        let counts = Set(Dictionary(grouping: all, by: \.topic).values.map(\.count))
        guard counts.count <= 1 else {
            throw .invalid(
                FrameworkKeys.tasksMax.declaration.name,
                "The topics have different numbers of partitions, so that one key may be in "
                    + "several tasks, and each would have a part of its state.",
                hint: "Give the topics the same number of partitions, or use one task."
            )
        }
        return all.filter { Int($0.partition) % tasks == id }.sorted()
    }

    /// Where it is said that a captured transaction is complete, if the sink goes by that and the
    /// topic exists.
    func transactionEnds() throws(ConnectorError) -> TopicPartition? {
        guard let topic = environment.plan.transactionTopic,
            let description = try environment.store.describe(topic)
        else { return nil }
        guard description.partitions == 1 else {
            throw .invalid(
                FrameworkKeys.transactionTopic.declaration.name,
                "The topic `\(topic)` has \(description.partitions) partitions, so the order of "
                    + "transactions is not known from it.",
                hint: "Give it one partition."
            )
        }
        return TopicPartition(topic, 0)
    }

    private func topics() throws(ConnectorError) -> [TopicDescription] {
        switch selection {
        case .pattern:
            // A pattern that matches everything must not feed a sink its own dead letters.
            let deadLetters = environment.plan.errors.deadLetterTopic
            return try environment.store.topics().filter {
                $0.name != deadLetters && selection.contains($0.name)
            }
        case .names(let names):
            var found: [TopicDescription] = []
            for name in names {
                if let topic = try environment.store.describe(name) { found.append(topic) }
            }
            return found
        }
    }

    /// Throws when a topic that the task has read is gone: what it had not read of it is lost. (D6)
    ///
    /// Brokers that have just been started may not know of a topic for a while, so that the task tries
    /// again.
    func checkStillThere() throws(ConnectorError) {
        guard case .names(let names) = selection else { return }
        let read = Set(environment.status.snapshot.offsets.keys.map(\.topic))
        for name in names where read.contains(name) {
            guard try environment.store.describe(name) == nil else { continue }
            throw ConnectorError(
                .topicUnknown,
                .retry(after: nil),
                "The topic `\(name)`, which the sink reads, does not exist any more.",
                kind: .environment,
                at: FrameworkKeys.topics.declaration.name,
                hint: "Records of it that were not read are lost. Make it again, or take it out."
            )
        }
    }

    /// Warns of topics that a pattern matched and that are gone. (D6)
    func warnOfMissing(_ earlier: [TopicPartition]) throws(ConnectorError) {
        guard case .pattern = selection else { return }
        for topic in Set(earlier.map(\.topic)).sorted()
        where try environment.store.describe(topic) == nil {
            environment.logger.warning(
                "a topic that the sink reads does not exist any more",
                metadata: ["topic": "\(topic)"]
            )
        }
    }

    /// Throws when a topic is named that does not exist and that nothing in this run writes:
    /// it is misspelt, and ending without a word would hide that.
    func checkTopicsExist() throws(ConnectorError) {
        guard case .names(var names) = selection,
            !environment.control.hasFeeder(environment.plan.name)
        else { return }
        if let topic = environment.plan.transactionTopic { names.append(topic) }
        for name in names where try environment.store.describe(name) == nil {
            let key =
                name == environment.plan.transactionTopic
                ? FrameworkKeys.transactionTopic.declaration.name
                : FrameworkKeys.topics.declaration.name
            let known = try environment.store.topics().map(\.name)
            throw .invalid(
                key,
                "The topic `\(name)` does not exist, and nothing in this run writes to it.",
                hint: Spelling.nearest(to: name, in: known).map { "Did you mean `\($0)`?" }
            )
        }
    }
}
