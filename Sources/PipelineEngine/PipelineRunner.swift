internal import ConnectorSDK
public import Logging
internal import Synchronization
public import Topics

/// Runs pipelines in this process, from their start to their end.
///
/// Every connector task is a child task with a thread of its own. A connector that fails ends
/// neither its pipeline nor another; the summary says what happened.
public final class PipelineRunner: Sendable {
    struct Connector: Sendable {
        let pipeline: PipelineDefinition
        let definition: ConnectorDefinition
        var tasks: [TaskStatus]
    }

    private let definitions: [PipelineDefinition]
    private let store: any TopicStore
    let catalog: PluginCatalog
    private let options: RunOptions
    private let logger: Logger
    let control = RunControl()
    let connectors: Mutex<[Connector]>

    /// Makes a runner of all pipelines that share a data directory.
    public init(
        _ definitions: [PipelineDefinition],
        store: any TopicStore,
        catalog: PluginCatalog,
        options: RunOptions,
        logger: Logger
    ) {
        self.definitions = definitions
        self.store = store
        self.catalog = catalog
        self.options = options
        self.logger = logger
        connectors = Mutex(
            definitions.flatMap { pipeline in
                pipeline.connectors.map { connector in
                    Connector(pipeline: pipeline, definition: connector, tasks: [TaskStatus()])
                }
            }
        )
    }

    /// Runs until every connector has ended, and says what came of it.
    ///
    /// Call it once.
    public func run() async -> RunSummary {
        let tasks = await onOwnThread { self.prepare() }
        await withTaskGroup(of: ThreadExecutor.self) { group in
            for task in tasks {
                guard let thread = thread(for: task) else { continue }
                group.addTask(executorPreference: thread) {
                    await task.run()
                    return thread
                }
            }
            for await thread in group { thread.stop() }
        }
        return RunSummary(progress())
    }

    /// Ends the run: sources stop, sinks write what is already in the topics, and commit.
    ///
    /// Returns at once. Calling it again changes nothing.
    public func stop() {
        control.stop(drainTimeout: options.drainTimeout)
        // Sinks that end when that has passed still commit what they have.
        store.stopWaiting(after: options.drainTimeout + .seconds(3))
    }

    /// What every connector is doing, by pipeline.
    public func progress() -> [ConnectorProgress] {
        let all = connectors.withLock { connectors in
            connectors.map { ($0.pipeline.name, $0.definition, $0.tasks) }
        }
        return all.map { pipeline, definition, tasks in
            let snapshots = tasks.map(\.snapshot)
            var progress = ConnectorProgress((pipeline, definition), snapshots)
            if definition.kind == .sink || catalog.linksTopics(definition) {
                progress.lag = lag(snapshots)
            }
            return progress
        }
    }

    private func lag(_ tasks: [TaskStatus.Snapshot]) -> Int64? {
        var lag: Int64 = 0
        for (partition, next) in tasks.flatMap({ Array($0.offsets) }) {
            guard let range = store.knownOffsets(of: partition) else { return nil }
            lag += max(0, range.end - next)
        }
        return lag
    }

    // MARK: Starting

    /// Creating topics waits for the disk, which must not hold up the cooperative pool.
    func onOwnThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        guard let thread = try? ThreadExecutor(name: "millrace-start") else { return body() }
        let result = await withTaskExecutorPreference(thread) { body() }
        thread.stop()
        return result
    }

    func thread(for task: ConnectorTask) -> ThreadExecutor? {
        do throws(ConnectorError) {
            return try ThreadExecutor(name: task.environment.plan.name)
        } catch {
            task.environment.status.ended(.failed, error: error)
            task.environment.control.taskEnded(of: task.environment.plan.name)
            return nil
        }
    }

    /// Checks every connector, creates topics, and returns the tasks to run.
    func prepare() -> [ConnectorTask] {
        let provisioner = TopicProvisioner(store: store, control: control)
        var refused: [String: ConnectorError] = [:]
        for pipeline in definitions {
            do throws(ConnectorError) {
                for topic in pipeline.topics { try provisioner.declare(topic) }
            } catch {
                refused[pipeline.name] = error
            }
        }
        var plans: [(index: Int, plan: ConnectorPlan)] = []
        var owners: [String: String] = [:]
        for (index, connector) in connectors.withLock({ $0 }).enumerated() {
            let pipeline = connector.pipeline
            do throws(ConnectorError) {
                if let error = refused[pipeline.name] { throw error }
                try claim(connector.definition.name, for: pipeline, &owners)
                let plan = try ConnectorPlan(connector.definition, of: pipeline, catalog: catalog)
                try createTopics(of: plan, provisioner)
                plans.append((index, plan))
            } catch {
                fail(connector, error)
            }
        }
        control.prepare(ends(of: plans.map(\.plan)))
        return plans.flatMap { index, plan in
            let tasks = makeTasks(plan, provisioner)
            connectors.withLock { $0[index].tasks = tasks.map(\.environment.status) }
            return tasks
        }
    }

    private func claim(
        _ name: String,
        for pipeline: PipelineDefinition,
        _ owners: inout [String: String]
    ) throws(ConnectorError) {
        if let owner = owners[name] {
            throw .invalid(
                "name",
                "The connector name `\(name)` is used in `\(owner)` already; positions and "
                    + "offsets are kept by that name."
            )
        }
        owners[name] = pipeline.file.isEmpty ? pipeline.name : pipeline.file
    }

    /// Creates the topics that are known beforehand, so that their sinks can begin.
    private func createTopics(
        of plan: ConnectorPlan,
        _ provisioner: TopicProvisioner
    ) throws(ConnectorError) {
        if plan.errors.tolerates, let name = plan.errors.deadLetterTopic {
            _ = try provisioner.topic(name, orCreate: TopicProvisioner.deadLetters(name))
        }
        guard plan.definition.kind == .source, !plan.linksTopics, !plan.mirrorsTopics,
            case .topics(let topics) = plan.feed
        else { return }
        for topic in topics.sorted() where topic != plan.errors.deadLetterTopic {
            let definition = try TopicProvisioner.written(topic, plan.configuration)
            _ = try provisioner.topic(topic, orCreate: definition)
        }
    }

    private func ends(of plans: [ConnectorPlan]) -> EndConditions {
        var ends = EndConditions()
        for plan in plans {
            let reads = (try? plan.selection()) ?? .names([])
            switch plan.definition.kind {
            case _ where plan.linksTopics:
                ends.add(link: plan.name, reads: reads, feed: plan.feed, tasks: plan.tasks)
            case .source:
                ends.add(source: plan.name, feed: plan.feed, tasks: plan.tasks)
            case .sink:
                ends.add(
                    sink: plan.name,
                    reads: reads,
                    deadLetterTopic: plan.errors.deadLetterTopic,
                    tasks: plan.tasks
                )
            }
        }
        return ends
    }

    private func makeTasks(
        _ plan: ConnectorPlan,
        _ provisioner: TopicProvisioner
    ) -> [ConnectorTask] {
        var tasks: [ConnectorTask] = []
        for id in 0..<plan.tasks {
            var taskLogger = logger
            taskLogger[metadataKey: "pipeline"] = "\(plan.pipeline)"
            taskLogger[metadataKey: "connector"] = "\(plan.name)"
            taskLogger[metadataKey: "task"] = "\(id)"
            let signal = AppendSignal()
            control.register(signal)
            let environment = TaskEnvironment(
                plan: plan,
                id: id,
                store: store,
                catalog: catalog,
                options: options,
                control: TaskControl(control),
                provisioner: provisioner,
                status: TaskStatus(),
                signal: signal,
                logger: taskLogger
            )
            tasks.append(ConnectorTask(environment: environment))
        }
        return tasks
    }

    private func fail(_ connector: Connector, _ error: ConnectorError) {
        var logger = logger
        logger[metadataKey: "pipeline"] = "\(connector.pipeline.name)"
        logger[metadataKey: "connector"] = "\(connector.definition.name)"
        options.report(error, of: connector.definition.name, to: logger)
        for task in connector.tasks { task.ended(.failed, error: error) }
    }
}
