internal import ConnectorSDK
internal import Topics

/// One attempt of a source task.
struct SourceTask {
    private let environment: TaskEnvironment

    init(_ environment: TaskEnvironment) { self.environment = environment }

    private static let lost = ConnectorError(
        .cancelled,
        .failTask,
        "Another process has taken the task over."
    )

    func run() async throws(ConnectorError) -> ConnectorTask.Outcome {
        let plan = environment.plan
        guard let type = environment.catalog.source(plan.definition.plugin) else {
            throw .invalid("connector", "There is no source `\(plan.definition.plugin)`.")
        }
        let source = try type.init(
            configuration: plan.configuration,
            context: environment.context
        )
        environment.control.opened(
            source: plan.name,
            isBounded: source.isBounded || environment.options.untilEnd
        )
        defer { if plan.linksTopics { environment.store.remove(environment.signal) } }
        let producer = try environment.makeProducer(.records)
        defer { producer.close() }
        let outlet = try SourceOutlet(
            source,
            task: environment,
            producer: producer,
            catalog: environment.catalog
        )
        // Those of a reader of topics are its group's, which it gets when it opens partitions.
        let positions = plan.linksTopics ? [:] : try environment.store.positions(of: plan.name)
        do throws(ConnectorError) {
            try await source.run(from: positions, into: outlet)
            if environment.control.isLost { throw Self.lost }
            if !outlet.isStopping { try await outlet.sendDue(.end) }
            try await outlet.settle()
            if plan.linksTopics, !outlet.isStopping {
                try PartitionAssignment(try plan.selection(), environment).checkTopicsExist()
            }
        } catch {
            outlet.awaitFate()
            throw error
        }
        return .ended
    }
}
