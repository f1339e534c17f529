public import ConnectorSDK
public import Logging

/// What the connectors of pipelines find out about what they need, before they run.
public struct Preflight: Sendable {
    /// What one connector found.
    public struct Report: Sendable {
        /// The connector's name.
        public var connector: String
        /// Which way records go.
        public var kind: ConnectorDefinition.Kind
        /// The plug-in.
        public var plugin: String
        /// What was looked at; empty for a connector that needs nothing it could look at.
        public var checks: [PreflightCheck]
    }

    private let catalog: PluginCatalog
    private let dataDirectory: String
    private let logger: Logger

    /// Makes a preflight; `dataDirectory` is where the connectors' own state is or would be.
    public init(catalog: PluginCatalog, dataDirectory: String, logger: Logger) {
        self.catalog = catalog
        self.dataDirectory = dataDirectory
        self.logger = logger
    }

    /// Asks every connector of a pipeline, all at once: each waits for a server of its own.
    ///
    /// - Returns: their reports, in the pipeline's order.
    public func reports(on pipeline: PipelineDefinition) async -> [Report] {
        var reports = pipeline.connectors.map {
            Report(connector: $0.name, kind: $0.kind, plugin: $0.plugin, checks: [])
        }
        await withTaskGroup(of: (Int, [PreflightCheck], ThreadExecutor).self) { group in
            for (index, connector) in pipeline.connectors.enumerated() {
                do throws(ConnectorError) {
                    let plan = try ConnectorPlan(connector, of: pipeline, catalog: catalog)
                    // A connector may block in its library, which must not hold up the others.
                    let thread = try ThreadExecutor(name: "millrace-doctor")
                    group.addTask(executorPreference: thread) {
                        (index, await ask(plan), thread)
                    }
                } catch {
                    reports[index].checks = [PreflightCheck("configuration", failed: error)]
                }
            }
            for await (index, checks, thread) in group {
                reports[index].checks = checks
                thread.stop()
            }
        }
        return reports
    }

    private func ask(_ plan: ConnectorPlan) async -> [PreflightCheck] {
        do throws(ConnectorError) {
            return try await checks(of: plan).map { plan.secrets.redact($0) }
        } catch {
            return [PreflightCheck("preflight", failed: plan.secrets.redact(error))]
        }
    }

    private func checks(of plan: ConnectorPlan) async throws(ConnectorError) -> [PreflightCheck] {
        var context = ConnectorContext(
            name: plan.name,
            taskCount: plan.tasks,
            stateDirectory: "\(dataDirectory)/connectors/\(plan.name)",
            formats: catalog.formats,
            logger: logger
        )
        // D8: what programs say reaches the log here too.
        context.redact = { [secrets = plan.secrets] in secrets.redact($0) }
        let configuration = plan.configuration, plugin = plan.definition.plugin
        switch plan.definition.kind {
        case .source:
            return try await catalog.source(plugin)?
                .preflight(configuration: configuration, context: context) ?? []
        case .sink:
            return try await catalog.sink(plugin)?
                .preflight(configuration: configuration, context: context) ?? []
        }
    }
}

extension Secrets {
    /// The check with every secret in its texts replaced by the reference it came from. (D8)
    func redact(_ check: PreflightCheck) -> PreflightCheck {
        var safe = check
        safe.message = redact(check.message)
        safe.hint = check.hint.map { redact($0) }
        return safe
    }
}
