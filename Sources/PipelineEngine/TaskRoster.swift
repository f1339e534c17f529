public import ConnectorSDK

/// A connector whose tasks several processes share.
public struct SharedConnector: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Which way records go.
    public var kind: ConnectorDefinition.Kind
    /// The plug-in.
    public var plugin: String
    /// How many tasks it has.
    public var tasks: Int
    /// The topics that it reads, as far as they are named.
    public var topics: [String]
    /// The consumer group that tells how far it has read, of a connector that reads topics.
    public var group: String?

    /// Describes a connector.
    public init(
        name: String,
        kind: ConnectorDefinition.Kind,
        plugin: String,
        tasks: Int,
        topics: [String] = [],
        group: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.plugin = plugin
        self.tasks = tasks
        self.topics = topics
        self.group = group
    }
}

/// What a task that is granted does.
public struct TaskReport: Sendable {
    /// Which task.
    public var id: TaskID
    /// What it does.
    public var state: ConnectorState
    /// The error that failed it, or that it is recovering from.
    ///
    /// No row data, no secret. (D8)
    public var error: ConnectorError?
}

/// All tasks that processes with the same pipeline files share.
///
/// A connector that this process cannot run, such as for a variable that is not set here, is among
/// them: others may well run it, and every process must have the same order.
struct TaskRoster: Sendable {
    let connectors: [SharedConnector]
    /// Does not depend on the order of the files.
    let order: [TaskID]
    private let statuses: [TaskID: TaskStatus]

    init(
        _ known: [PipelineRunner.Connector],
        _ prepared: [ConnectorTask],
        _ catalog: PluginCatalog
    ) {
        let tasks = Dictionary(grouping: prepared, by: \.id.connector)
        var connectors: [String: SharedConnector] = [:]
        var statuses: [TaskID: TaskStatus] = [:]
        for connector in known where connectors[connector.definition.name] == nil {
            let definition = connector.definition
            var entry = SharedConnector(
                name: definition.name,
                kind: definition.kind,
                plugin: definition.plugin,
                tasks: 1
            )
            if definition.kind == .sink || catalog.linksTopics(definition) {
                entry.group = ConnectorPlan.group(of: definition.name)
            }
            if let own = tasks[definition.name], let plan = own.first?.environment.plan {
                entry.tasks = own.count
                if entry.group != nil, case .names(let names)? = try? plan.selection() {
                    entry.topics = names
                }
                for task in own { statuses[task.id] = task.environment.status }
            } else {
                let key = FrameworkKeys.tasksMax.declaration.name
                entry.tasks = max(definition.values[key].flatMap { Int($0) } ?? 1, 1)
                for number in 0..<entry.tasks {
                    statuses[TaskID(definition.name, number)] = connector.tasks.first
                }
            }
            connectors[entry.name] = entry
        }
        self.connectors = connectors.values.sorted { $0.name < $1.name }
        self.statuses = statuses
        order = statuses.keys.sorted(by: Self.precedes)
    }

    static func precedes(_ first: TaskID, _ second: TaskID) -> Bool {
        (first.connector, first.number) < (second.connector, second.number)
    }

    func report(of task: TaskID) -> TaskReport? {
        guard let (state, error) = statuses[task]?.condition else { return nil }
        return TaskReport(id: task, state: state, error: error)
    }
}
