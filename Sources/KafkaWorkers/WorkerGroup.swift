public import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords
public import Logging
public import PipelineEngine

/// Shares the tasks of the same pipeline files with other workers, through a consumer group.
///
/// The group shares slots, and each task has a slot. Nothing rests on it but who begins what when:
/// two workers that run one task are kept apart by its `transactional.id`, or by the offsets that a
/// sink keeps in its target. (D2, D3)
public final class WorkerGroup: TaskSharing {
    private let settings: KafkaSettings
    private let options: WorkerGroupOptions
    private let logger: Logger

    /// Makes a worker's part; nobody is asked for anything yet.
    ///
    /// - Parameters:
    ///   - broker: librdkafka's configuration keys, `bootstrap.servers` among them.
    ///   - options: which cluster, and which files.
    ///   - logger: hears what moves.
    public init(broker: [String: String], options: WorkerGroupOptions, logger: Logger) {
        settings = KafkaSettings(broker)
        self.options = options
        var logger = logger
        logger[metadataKey: "cluster"] = "\(options.cluster)"
        logger[metadataKey: "worker"] = "\(options.worker)"
        self.logger = logger
    }

    /// The topics that workers keep for themselves.
    public static func topics(of cluster: String) -> Set<String> {
        [slotsTopic(of: cluster), statusTopic(of: cluster)]
    }

    /// Whether a cluster of workers has this name, by the topics that there are and their numbers of
    /// partitions.
    public static func isCluster(_ name: String, _ partitions: [String: Int32]) -> Bool {
        partitions[slotsTopic(of: name)] == TaskSlots.count
            && partitions[statusTopic(of: name)] == 1
    }

    private static func slotsTopic(of cluster: String) -> String { cluster + "-workers" }
    internal static func statusTopic(of cluster: String) -> String { cluster + "-status" }

    private var slotsTopic: String { Self.slotsTopic(of: options.cluster) }
    private var statusTopic: String { Self.statusTopic(of: options.cluster) }

    /// Waits are divided, so that the end of the run is noticed.
    private static let turn: Duration = .milliseconds(100)

    /// How long a worker that ends tries to take back what it has said in the topic of the status:
    /// others do so in its place.
    private static let farewell: Duration = .seconds(2)

    /// How long leaving the group may take: one answer of a broker, where it answers.
    private static let leaveTimeout: Duration = .seconds(10)

    public func share(_ ownership: TaskOwnership) throws(ConnectorError) {
        let slots = TaskSlots(ownership.tasks)
        do {
            let observer = KafkaObserver(
                log: options.log,
                isInterrupted: { ownership.isStopping }
            )
            let admin = try KafkaAdmin(settings, timeout: options.timeout, observer: observer)
            try provide(slotsTopic, TaskSlots.count, "delete", admin)
            try provide(statusTopic, 1, "compact", admin)
            let status = try StatusTopic(statusTopic, settings, options.timeout, observer)
            defer { status.close() }
            let reporter = StatusReporter(status, options, ownership.connectors, logger)
            let neighbours = WorkerNeighbours(admin, status, options)
            guard try neighbours.agree(ownership, patience: sessionTimeout) else { return }
            let member = try KafkaGroupMember(
                settings,
                group: options.cluster,
                topic: slotsTopic,
                instance: options.isStatic ? options.worker : nil,
                observer: observer
            )
            defer { leave(member, ownership, reporter) }
            while !ownership.isStopping {
                reporter.turn(ownership)
                guard let event = try member.next(Self.turn) else { continue }
                try handle(event, of: member, neighbours, slots, ownership, reporter)
            }
        } catch let failure as KafkaFailure {
            if ownership.isStopping { return }
            if failure.configurationKey == "group.instance.id" {
                throw .sameWorker(options.worker, failure)
            }
            throw ConnectorError(failure, KafkaCodes("cluster"))
        } catch let error as ConnectorError {
            throw error
        } catch {
            preconditionFailure("Only these two are thrown: \(error)")
        }
    }

    /// How long the group misses a worker before it gives its tasks to others.
    private var sessionTimeout: Duration {
        settings["session.timeout.ms"].flatMap { Int($0) }.map { .milliseconds($0) }
            ?? KafkaGroupMember.sessionTimeout
    }

    private func handle(
        _ event: KafkaGroupMember.Event,
        of member: KafkaGroupMember,
        _ neighbours: WorkerNeighbours,
        _ slots: TaskSlots,
        _ ownership: TaskOwnership,
        _ reporter: StatusReporter
    ) throws {
        switch event {
        case .assigned(let partitions):
            try member.accept(partitions)
            let entries = try neighbours.check()
            let tasks = slots.tasks(in: partitions.map(\.partition))
            note("slots assigned", partitions, tasks)
            ownership.grant(tasks)
            reporter.granted(tasks, as: member.id, entries, members: neighbours.members())
        case .revoked(let partitions):
            let tasks = slots.tasks(in: partitions.map(\.partition))
            note("slots go to another worker", partitions, tasks)
            ownership.withdraw(tasks, .handOver)
            reporter.withdrawn(tasks)
            waitUntilEnded(tasks, ownership) { member.hasLostAssignment }
            try member.release(partitions)
        case .lost(let partitions):
            let tasks = slots.tasks(in: partitions.map(\.partition))
            logger.warning(
                "the group has not heard of this worker for too long; others have its tasks",
                metadata: ["tasks": "\(tasks.count)"]
            )
            // D2, D3: they may be at work elsewhere, so there is nothing to wait for.
            ownership.withdraw(tasks, .lost)
            reporter.forgotten()
            try member.release(partitions)
        }
    }

    private func note(_ what: Logger.Message, _ slots: [KafkaPartition], _ tasks: [TaskID]) {
        logger.info(
            what,
            metadata: [
                "slots": "\(slots.count)",
                "tasks": "\(tasks.map(\.description).sorted().joined(separator: " "))",
            ]
        )
    }

    private func waitUntilEnded(
        _ tasks: [TaskID],
        _ ownership: TaskOwnership,
        unless isInVain: () -> Bool = { false }
    ) {
        let deadline = ContinuousClock.now + options.handOverTimeout
        while ownership.isRunning(tasks), ContinuousClock.now < deadline, !isInVain() {
            ownership.wait(Self.turn)
        }
        // Whoever begins them next fences them.
        guard ownership.isRunning(tasks) else { return }
        logger.warning("tasks go to another worker before they have ended")
    }

    /// D3: tasks end before others get them, as long as that does not take too long.
    private func leave(
        _ member: KafkaGroupMember,
        _ ownership: TaskOwnership,
        _ reporter: StatusReporter
    ) {
        ownership.withdraw(ownership.tasks, .handOver)
        waitUntilEnded(ownership.tasks, ownership)
        reporter.leave(Self.farewell)
        guard !member.leave(Self.leaveTimeout) else { return }
        logger.warning(
            "the group could not be told that this worker leaves; it notices by itself",
            metadata: ["seconds": "\(sessionTimeout.components.seconds)"]
        )
    }

    /// Creates a topic of the cluster's own, or makes sure that the one that exists will do.
    private func provide(
        _ topic: String,
        _ partitions: Int32,
        _ policy: String,
        _ admin: KafkaAdmin
    ) throws {
        do throws(KafkaFailure) {
            if try admin.metadata(topic: topic).topics[topic] == nil {
                try admin.createTopic(
                    topic,
                    partitions: partitions,
                    replication: options.replicationFactor,
                    configuration: ["cleanup.policy": policy]
                )
            }
        } catch {
            // Another worker was faster.
            guard error.code == .topicAlreadyExists else { throw error }
        }
        // Word of a topic that is new may take a moment.
        let deadline = ContinuousClock.now + options.timeout
        var found = 0
        while found == 0, ContinuousClock.now < deadline {
            found = try admin.metadata(topic: topic).topics[topic]?.count ?? 0
        }
        guard found == Int(partitions) else {
            throw ConnectorError.topic(topic, found, needed: partitions)
        }
    }
}
