internal import ConnectorSDK
internal import Topics

/// One attempt of a source task.
struct SourceTask {
    private let environment: TaskEnvironment

    init(_ environment: TaskEnvironment) { self.environment = environment }

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
        let producer = try environment.store.makeProducer()
        defer { producer.close() }
        let outlet = try SourceOutlet(
            source,
            task: environment,
            producer: producer,
            catalog: environment.catalog
        )
        let positions = try environment.store.positions(of: plan.name)
        do throws(ConnectorError) {
            try await source.run(from: positions, into: outlet)
            try await outlet.settle()
        } catch {
            outlet.awaitFate()
            throw error
        }
        return .ended
    }
}
