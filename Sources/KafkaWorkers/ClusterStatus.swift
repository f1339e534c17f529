internal import ConnectorSDK
public import JSONDocuments
internal import KafkaClient
public import PipelineEngine

/// Who is in a cluster of workers, and what its tasks do.
///
/// Who is in it is what the consumer group says, which misses a worker that died after a session.
/// What a worker has said counts as long as it is in the group.
public struct ClusterStatus: Sendable {
    /// A worker that is in the group.
    public struct Worker: Sendable, Hashable {
        /// The id that the group knows it by.
        public var member: String
        /// What it is called.
        public var name: String
        /// The machine that it runs on, or where it connects from.
        public var host: String
        /// A hash of the pipeline files that it runs; `nil` for a worker that has not said it.
        public var files: String?
        /// Its version; `nil` for a worker that has not said it.
        public var version: String?
        /// When it was started, in milliseconds since the epoch.
        public var since: Int64?
        /// How many tasks it has.
        public var tasks = 0
    }

    /// A task, whether anybody runs it or not.
    public struct Task: Sendable, Hashable {
        /// Its number.
        public var number: Int
        /// Connect's word for what it does; `UNASSIGNED` when nobody runs it, and `UNKNOWN` when the
        /// worker that has it does not say.
        public var state: String
        /// The name of the worker that has it.
        public var worker: String?
        /// Since when it does that, in milliseconds since the epoch.
        public var since: Int64?
        /// The error that failed it, or that it is recovering from.
        public var error: TaskError?
    }

    /// What a task has met.
    public struct TaskError: Sendable, Hashable {
        /// A stable identifier.
        public var code: String
        /// One or two sentences.
        public var message: String
        /// What to do about it.
        public var hint: String?
        /// The configuration key at fault.
        public var key: String?

        /// As it is stored and printed.
        public var document: JSONDocument {
            [
                "code": .string(code), "message": .string(message), "hint": .optional(hint),
                "key": .optional(key),
            ]
        }
    }

    /// A connector and its tasks.
    public struct Connector: Sendable, Hashable {
        /// What it is, and which group tells how far it has read.
        public var definition: SharedConnector
        /// Its tasks.
        public var tasks: [Task]

        /// What its tasks do: the word of the one that is worst off.
        public var state: String {
            for state in ["FAILED", "RESTARTING", "UNASSIGNED", "UNKNOWN", "RUNNING"]
            where tasks.contains(where: { $0.state == state }) {
                return state
            }
            return tasks.first?.state ?? "UNASSIGNED"
        }
    }

    /// The coordinator's word for the state of the group, such as `Stable` or `Empty`.
    public var group: String
    /// A hash of the pipeline files that are run; `nil` before any were.
    public var files: String?
    /// The workers, by name.
    public var workers: [Worker]
    /// The connectors, by name.
    public var connectors: [Connector]
}

extension ClusterStatus {
    /// Puts together what the workers have said, by key, and what the group says.
    internal init(_ entries: [String: String], _ group: KafkaGroup) {
        self.group = group.state
        files = entries[StatusKey.files.text].map { ToldFiles($0).hash }
        let said = Sayings(entries)
        workers = group.members.map { Worker($0, said.workers[$0.id]) }
        let slots = Dictionary(
            group.members.flatMap { member in
                member.partitions.map { ($0.partition, member.id) }
            },
            uniquingKeysWith: { first, _ in first }
        )
        let members = Dictionary(
            workers.map { ($0.member, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var taken: [String: Int] = [:]
        var index = 0
        connectors = said.roster.map { definition in
            let tasks = (0..<definition.tasks).map { number -> Task in
                defer { index += 1 }
                let found = said.tasks[TaskID(definition.name, number)]?
                    .filter { members[$0.member] != nil }
                    .max { $0.record.lease < $1.record.lease }
                if let found {
                    taken[found.member, default: 0] += 1
                    return Task(number, found.record, members[found.member]?.name)
                }
                // It has the task, and has said nothing of it: not yet, or because it never does.
                let owner = slots[TaskSlots.slot(ofTaskAt: index)].flatMap { members[$0] }
                if let owner { taken[owner.member, default: 0] += 1 }
                let isSilent = owner.map { $0.files == nil } ?? false
                return Task(
                    number: number,
                    state: isSilent ? "UNKNOWN" : "UNASSIGNED",
                    worker: owner?.name
                )
            }
            return Connector(definition: definition, tasks: tasks)
        }
        for index in workers.indices { workers[index].tasks = taken[workers[index].member] ?? 0 }
        workers.sort { ($0.name, $0.member) < ($1.name, $1.member) }
    }
}

/// What the workers have said, whether they are still there or not.
private struct Sayings {
    var workers: [String: WorkerRecord] = [:]
    var tasks: [TaskID: [(member: String, record: TaskRecord)]] = [:]
    var roster: [SharedConnector] = []

    init(_ entries: [String: String]) {
        for (text, value) in entries {
            switch StatusKey(text) {
            case .worker(let member): workers[member] = WorkerRecord(value)
            case .task(let id, let member):
                guard let record = TaskRecord(value) else { continue }
                tasks[id, default: []].append((member, record))
            case .tasks: roster = RosterRecord(value)?.connectors ?? []
            case .files, nil: continue
            }
        }
    }
}

extension ClusterStatus.Worker {
    fileprivate init(_ member: KafkaGroup.Member, _ record: WorkerRecord?) {
        self.init(
            member: member.id,
            name: record?.name ?? member.instanceID ?? member.clientID,
            host: record.map(\.host) ?? member.host,
            files: record?.files,
            version: record?.version,
            since: record?.since
        )
    }
}

extension ClusterStatus.Task {
    fileprivate init(_ number: Int, _ record: TaskRecord, _ worker: String?) {
        self.init(
            number: number,
            state: record.state,
            worker: worker,
            since: record.since,
            error: record.error
        )
    }
}
