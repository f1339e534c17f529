internal import ConnectorSDK
internal import LogicalReplication
internal import Synchronization

/// Shares the reading of tables among the tasks of one connector.
///
/// The first task leads: it has the slot and with it the snapshot that all read from. The others
/// take ranges as long as there are any. All of them meet here, by the connector's state directory.
internal final class SnapshotCoordinator: Sendable {
    /// What a task is to do next.
    internal enum Work {
        /// Find where the next range of a table ends, and tell ``divided(_:at:)``; then read it.
        case divide(CatalogTable, SnapshotRange, run: Int)
        /// Look again later.
        case wait
        /// Nothing is left for this task.
        case end
    }

    private enum Phase {
        /// The leader has not decided yet.
        case preparing
        /// There is a snapshot to read.
        case open(snapshot: String, at: LSN)
        /// There is nothing to read together any more.
        case closed
    }

    private struct State {
        var phase = Phase.preparing
        var tables: [CatalogTable] = []
        /// For each table which of its snapshots this is.
        var runs: [UInt32: Int] = [:]
        /// For each table the end of the last range handed out, and its number.
        var frontiers: [String: SnapshotRange] = [:]
        /// Tables for which somebody is looking for the end of a range.
        var dividing: Set<String> = []
        /// Ranges that are being read.
        var reading = 0
        /// Tables that are not what they were when the snapshot was made.
        var aside: Set<UInt32> = []
        /// Ranges that a task gave up, which only a new attempt of the leader can take up.
        var abandoned = 0
        var wakers: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    // MARK: - Finding each other

    private struct Entry {
        var coordinator: SnapshotCoordinator
        var members: Int
    }

    private static let entries = Mutex<[String: Entry]>([:])

    /// Joins the tasks of a connector; ``leave(_:)`` must follow.
    internal static func join(_ directory: String) -> SnapshotCoordinator {
        entries.withLock { entries in
            var entry = entries[directory] ?? Entry(coordinator: .init(), members: 0)
            entry.members += 1
            entries[directory] = entry
            return entry.coordinator
        }
    }

    /// Leaves the tasks of a connector; the last one forgets what they had in common.
    internal static func leave(_ directory: String) {
        entries.withLock { entries in
            entries[directory]?.members -= 1
            if entries[directory]?.members == 0 { entries[directory] = nil }
        }
    }

    /// Has `waker` called when there is something new.
    internal func register(_ waker: @escaping @Sendable () -> Void) {
        state.withLock { $0.wakers.append(waker) }
    }

    private func wakeAll() {
        for waker in state.withLock({ $0.wakers }) { waker() }
    }

    // MARK: - For the leader

    /// Offers tables to be read from a snapshot.
    internal func open(
        _ tables: [CatalogTable],
        runs: [UInt32: Int],
        snapshot: String,
        at place: LSN
    ) {
        state.withLock { state in
            state.tables = tables
            state.runs = runs
            state.frontiers = [:]
            state.dividing = []
            state.abandoned = 0
            state.aside = []
            state.phase = .open(snapshot: snapshot, at: place)
        }
        wakeAll()
    }

    /// Ends what tasks do together; those that read stop at their next batch.
    internal func close() {
        state.withLock { $0.phase = .closed }
        wakeAll()
    }

    /// Whether somebody reads a range.
    internal var isBusy: Bool { state.withLock { $0.reading > 0 } }

    /// Whether a task gave up a range.
    internal var hasAbandoned: Bool { state.withLock { $0.abandoned > 0 } }

    /// The tables that were set aside.
    internal var aside: Set<UInt32> { state.withLock { $0.aside } }

    // MARK: - For all

    /// The name of the snapshot; `nil` while or when there is none.
    internal var snapshot: String? {
        state.withLock { state in
            guard case .open(let snapshot, _) = state.phase else { return nil }
            return snapshot
        }
    }

    /// The place in the log that the snapshot is of.
    internal var place: LSN {
        state.withLock { state in
            guard case .open(_, let place) = state.phase else { return .zero }
            return place
        }
    }

    /// What to do next.
    internal func claim() -> Work {
        state.withLock { state in
            switch state.phase {
            case .preparing: return .wait
            case .closed: return .end
            case .open:
                guard
                    let table = state.tables.first(where: { !state.dividing.contains($0.fullName) })
                else { return state.tables.isEmpty ? .end : .wait }
                state.dividing.insert(table.fullName)
                state.reading += 1
                return .divide(
                    table,
                    state.frontiers[table.fullName] ?? SnapshotRange(number: 0),
                    run: state.runs[table.id] ?? 1
                )
            }
        }
    }

    /// Notes where a range ends, `nil` for the end of the table; the next one may then be claimed.
    internal func divided(_ table: CatalogTable, _ range: SnapshotRange) {
        state.withLock { state in
            state.dividing.remove(table.fullName)
            if let end = range.to {
                state.frontiers[table.fullName] = SnapshotRange(number: range.number + 1, from: end)
                // Tables in turn, so that ranges of one are not all read at the same time.
                state.tables.removeAll { $0.id == table.id }
                state.tables.append(table)
            } else {
                state.tables.removeAll { $0.id == table.id }
            }
        }
        wakeAll()
    }

    /// Notes that a claimed range is durable.
    internal func finished() {
        state.withLock { $0.reading -= 1 }
        wakeAll()
    }

    /// Notes that a claimed range cannot be read, nor any other of its table, since the table was
    /// dropped or changed.
    internal func setAside(_ table: CatalogTable) {
        state.withLock { state in
            state.reading -= 1
            state.aside.insert(table.id)
            state.tables.removeAll { $0.id == table.id }
        }
        wakeAll()
    }

    /// Notes that a claimed range will not be read to its end by this attempt.
    internal func abandoned(_ table: CatalogTable, isDivided: Bool) {
        state.withLock { state in
            state.reading -= 1
            state.abandoned += 1
            // Nobody knows where it ends, so that nothing behind it can be handed out.
            if !isDivided { state.tables.removeAll { $0.id == table.id } }
        }
        wakeAll()
    }
}
