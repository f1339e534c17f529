internal import ConnectorSDK
internal import Logging
internal import Topics

/// What every task of a run gets.
struct TaskEnvironment: Sendable {
    let plan: ConnectorPlan
    /// The task's number, from 0.
    let id: Int
    let store: any TopicStore
    let catalog: PluginCatalog
    let options: RunOptions
    var control: TaskControl
    let provisioner: TopicProvisioner
    let status: TaskStatus
    /// Wakes the task when records come, or when it must look around.
    let signal: AppendSignal
    let logger: Logger

    /// What a task writes to topics with, by what it writes.
    enum ProducerRole: String {
        case records = ""
        case deadLetters = "-dlq"
        case link = "-link"
    }

    /// Makes a producer that no other task has, nor another process that runs the same task.
    func makeProducer(_ role: ProducerRole) throws(ConnectorError) -> any TopicProducer {
        try store.makeProducer(ofTask: "\(plan.name)-\(id)\(role.rawValue)")
    }

    /// What the connector is told.
    var context: ConnectorContext {
        var context = ConnectorContext(
            name: plan.name,
            taskID: id,
            taskCount: plan.tasks,
            untilEnd: options.untilEnd,
            stateDirectory: "\(options.dataDirectory)/connectors/\(plan.name)",
            formats: catalog.formats,
            logger: logger
        )
        if plan.linksTopics {
            context.makeTopicAccess = { () throws(ConnectorError) in try WorkerTopics(self) }
        }
        context.countPartitions = { [store] (topic) throws(ConnectorError) in
            try store.describe(topic)?.partitions
        }
        context.redact = { [secrets = plan.secrets] in secrets.redact($0) }
        return context
    }
}
