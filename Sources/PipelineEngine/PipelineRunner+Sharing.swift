public import ConnectorSDK
internal import Synchronization

extension PipelineRunner {
    /// Runs those tasks that `sharing` grants, until it ends or the run is stopped.
    ///
    /// Call this or ``run()``, once. Tasks that come to their end stay ended here; connectors whose
    /// tasks are all with other processes are ``ConnectorState/unassigned``.
    ///
    /// - Throws: why `sharing` ended, when it did not do so because the run was stopped.
    public func run(
        sharedBy sharing: any TaskSharing
    ) async throws(ConnectorError) -> RunSummary {
        let tasks = await onOwnThread { self.prepare() }
        for task in tasks { task.environment.status.released() }
        let known = Dictionary(tasks.map { ($0.id, $0) }) { first, _ in first }
        let roster = TaskRoster(connectors.withLock { $0 }, tasks, catalog)
        guard !tasks.isEmpty else { return RunSummary(progress()) }
        let ownership = TaskOwnership(roster, control)
        let outcome = Outcome()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.share(by: sharing, ownership, outcome)
                ownership.close()
            }
            for await id in ownership.starts {
                guard let task = known[id] else {
                    ownership.refuse(id)
                    continue
                }
                group.addTask { await self.run(task, of: ownership) }
            }
        }
        if let error = outcome.error.withLock({ $0 }) { throw error }
        return RunSummary(progress())
    }

    /// Why sharing ended.
    private final class Outcome: Sendable {
        let error = Mutex<ConnectorError?>(nil)
    }

    private func share(
        by sharing: any TaskSharing,
        _ ownership: TaskOwnership,
        _ outcome: Outcome
    ) async {
        await onOwnThread {
            do throws(ConnectorError) {
                try sharing.share(ownership)
            } catch {
                outcome.error.withLock { $0 = error }
            }
        }
    }

    private func run(_ task: ConnectorTask, of ownership: TaskOwnership) async {
        guard let lease = ownership.begin(task.id) else { return }
        if let thread = thread(for: task) {
            await withTaskExecutorPreference(thread) {
                await task.leased(lease).run()
            }
            thread.stop()
        }
        ownership.ended(task.id, under: lease)
    }
}
