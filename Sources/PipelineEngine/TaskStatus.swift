internal import ConnectorSDK
internal import Synchronization

/// What one task does and has done, for whoever asks.
///
/// Updated once a batch.
final class TaskStatus: Sendable {
    struct Snapshot {
        var state = ConnectorState.running
        var records: Int64 = 0
        var bytes: Int64 = 0
        var rejected: Int64 = 0
        var readBytes: Int64 = 0
        var totalBytes: Int64?
        /// For a reader of topics: the offsets it will read next.
        var offsets: [TopicPartition: Int64] = [:]
        var error: ConnectorError?
        var startedAt: ContinuousClock.Instant?
        var endedAt: ContinuousClock.Instant?
        /// Counts what became durable, so that a restart knows whether there was progress.
        var progress: Int64 = 0
    }

    private let state = Mutex(Snapshot())

    var snapshot: Snapshot { state.withLock { $0 } }

    /// What it does, and the error that it has met.
    var condition: (state: ConnectorState, error: ConnectorError?) {
        state.withLock { ($0.state, $0.error) }
    }

    func started() {
        state.withLock { state in
            state.state = .running
            state.startedAt = state.startedAt ?? .now
            state.endedAt = nil
        }
    }

    /// Notes records that became durable.
    func delivered(records: Int64, bytes: Int64) {
        state.withLock { state in
            state.records += records
            state.bytes += bytes
            state.progress += 1
            state.error = nil
            state.state = .running
        }
    }

    func rejected(_ count: Int) {
        guard count > 0 else { return }
        state.withLock { $0.rejected += Int64(count) }
    }

    /// Notes how much of its input a source has read, and how much there is as far as it knows.
    func read(bytes: Int64, of totalBytes: Int64?) {
        guard let totalBytes else { return }
        state.withLock { state in
            state.readBytes += bytes
            state.totalBytes = totalBytes
        }
    }

    /// Notes the partitions that a sink reads, and where.
    func begins(at offsets: [TopicPartition: Int64]) { state.withLock { $0.offsets = offsets } }

    /// Notes how far a sink has read.
    func reads(_ partition: TopicPartition, from offset: Int64) {
        state.withLock { $0.offsets[partition] = offset }
    }

    func restarting(after error: ConnectorError) {
        state.withLock { state in
            state.state = .restarting
            state.error = error
        }
    }

    /// Notes that the task is not this process's, as long as it is not started.
    func released() { state.withLock { $0.state = .unassigned } }

    func ended(_ outcome: ConnectorState, error: ConnectorError? = nil) {
        state.withLock { state in
            state.state = outcome
            state.error = error
            state.startedAt = state.startedAt ?? .now
            state.endedAt = .now
        }
    }
}

extension ConnectorProgress {
    /// All tasks of a connector together.
    init(
        _ plan: (pipeline: String, definition: ConnectorDefinition),
        _ tasks: [TaskStatus.Snapshot]
    ) {
        let now = ContinuousClock.now
        let starts = tasks.compactMap(\.startedAt)
        let ends = tasks.compactMap(\.endedAt)
        let begin = starts.min() ?? now
        let end = ends.count == tasks.count ? ends.max() ?? now : now
        let seconds = (end - begin) / .seconds(1)
        let total = tasks.compactMap(\.totalBytes)
        self.init(
            pipeline: plan.pipeline,
            name: plan.definition.name,
            kind: plan.definition.kind,
            plugin: plan.definition.plugin,
            state: Self.state(of: tasks.map(\.state)),
            records: tasks.reduce(0) { $0 + $1.records },
            bytes: tasks.reduce(0) { $0 + $1.bytes },
            rejected: tasks.reduce(0) { $0 + $1.rejected },
            lag: nil,
            readBytes: tasks.reduce(0) { $0 + $1.readBytes },
            totalBytes: total.count == tasks.count && !total.isEmpty ? total.reduce(0, +) : nil,
            seconds: max(0, seconds),
            error: tasks.first { $0.state == .failed }?.error
                ?? tasks.compactMap(\.error).first
        )
    }

    /// While any task works the connector does; then the worst ending counts.
    static func state(of tasks: [ConnectorState]) -> ConnectorState {
        if !tasks.isEmpty, tasks.allSatisfy({ $0 == .unassigned }) {
            return .unassigned
        }
        for state in [ConnectorState.running, .restarting, .failed, .stopped]
        where tasks.contains(state) {
            return state
        }
        return .done
    }
}
