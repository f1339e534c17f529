internal import ConnectorSDK
internal import Topics

/// What the stateful transforms of one task are told: what they remembered, and which partitions
/// still have records for them.
final class StateInput {
    private let task: TaskEnvironment
    private var lastActive: [TopicPartition: ContinuousClock.Instant] = [:]
    private var waiting: [TopicPartition] = []
    private var lookedAround: ContinuousClock.Instant?
    /// What feeds the partitions may still have to come to work.
    private let began = ContinuousClock.now

    /// How long event time waits for a partition that has no more records: as long as a busy
    /// producer may take from one batch to the next.
    private static let patience = Duration.seconds(5)
    /// How often it is looked which partitions have something to read.
    private static let interval = Duration.milliseconds(10)

    init(_ task: TaskEnvironment) { self.task = task }

    /// The entries of the task's own partitions.
    func load() throws(ConnectorError) -> [String: [StateEntry]] {
        let states = try task.store.transformStates(of: task.plan.name)
        let tasks = Int32(task.plan.tasks), id = Int32(task.id)
        guard tasks > 1 else { return states }
        return states.mapValues { $0.filter { $0.part % tasks == id } }
    }

    /// Describes records of a partition, or of none at present.
    func input(_ partition: TopicPartition?) throws(ConnectorError) -> TransformInput {
        guard task.plan.linksTopics else { return TransformInput(partition: nil) }
        let now = ContinuousClock.now
        if let partition { lastActive[partition] = now }
        if lookedAround.map({ now - $0 >= Self.interval }) ?? true {
            lookedAround = now
            try lookAround(now)
        }
        return TransformInput(partition: partition, waiting: waiting)
    }

    private func lookAround(_ now: ContinuousClock.Instant) throws(ConnectorError) {
        waiting.removeAll(keepingCapacity: true)
        for (partition, next) in task.status.snapshot.offsets {
            if now - (lastActive[partition] ?? began) < Self.patience {
                waiting.append(partition)
            } else if try task.store.offsets(of: partition).end > next {
                waiting.append(partition)
            }
        }
    }
}
