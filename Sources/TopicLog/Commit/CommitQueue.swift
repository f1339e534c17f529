internal import ConnectorSDK
internal import Topics

/// A unit on its way to the committer.
internal struct PendingUnit: @unchecked Sendable {
    // SAFETY: a submitted unit belongs to the committer's thread alone: the producer gives up its
    // buffers with `submit`, and gets them back through its lane. Buffers are classes that are
    // handed over whole, which a region cannot express across a queue.
    internal let lane: ProducerLane
    internal let ticket: Int64
    internal let content: CommitUnit
    /// Changes that belong to no records.
    internal let changes: [StateChange]
    internal let byteCount: Int

    internal init(
        lane: ProducerLane,
        ticket: Int64,
        content: CommitUnit = CommitUnit(),
        changes: [StateChange] = []
    ) {
        self.lane = lane
        self.ticket = ticket
        self.content = content
        self.changes = changes
        byteCount =
            content.batches.reduce(0) { $0 + $1.batch.buffer.count }
            + content.states.reduce(0) { $0 + $1.changes.byteCount }
    }
}

/// Units and jobs that wait for the committer, bounded in bytes.
internal final class CommitQueue: Sendable {
    /// A change that concerns the store as a whole, made by the committer between two groups.
    internal typealias Job = @Sendable (CommitWorker) -> Void

    /// What the committer does next.
    internal enum Work {
        /// Makes the units durable together.
        case group
        /// Runs a job.
        case job(Job)
    }

    private enum Item {
        case unit(PendingUnit)
        case job(Job)
    }

    private struct State {
        var items: [Item] = []
        var bytesInFlight = 0
        var isClosing = false
    }

    private let byteLimit: Int
    private let monitor = Monitor(State())

    /// Makes a queue that holds up to `byteLimit` bytes, or one unit that is larger. (D7)
    internal init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Adds a unit; blocks while too many bytes wait to become durable.
    internal func add(_ unit: PendingUnit) throws(ConnectorError) {
        _ = try monitor.wait { (state) throws(ConnectorError) -> Bool? in
            if state.isClosing { throw .storeIsClosed }
            try unit.lane.check()
            let fits =
                state.bytesInFlight == 0 || unit.byteCount == 0
                || state.bytesInFlight + unit.byteCount <= byteLimit
            return fits ? true : nil
        }
        // Another producer may have been quicker, so that the limit is exceeded by one unit each.
        try monitor.update { (state) throws(ConnectorError) in
            if state.isClosing { throw .storeIsClosed }
            state.bytesInFlight += unit.byteCount
            state.items.append(.unit(unit))
        }
    }

    /// Adds a job.
    internal func add(_ job: @escaping Job) throws(ConnectorError) {
        try monitor.update { (state) throws(ConnectorError) in
            if state.isClosing { throw .storeIsClosed }
            state.items.append(.job(job))
        }
    }

    /// Waits for work: all units up to the next job, which are added to `units`, or that job; `nil`
    /// when the queue is closed and empty.
    internal func next(_ units: inout [PendingUnit]) -> Work? {
        let work: Work?? = monitor.wait { (state) -> Work?? in
            guard let first = state.items.first else { return state.isClosing ? .some(nil) : nil }
            if case .job(let job) = first {
                state.items.removeFirst()
                return .some(.job(job))
            }
            Self.moveUnits(&state.items, to: &units)
            return .some(.group)
        }
        return work ?? nil
    }

    /// Notes that a group is done, however it ended, and makes room for others.
    internal func release(_ byteCount: Int) {
        monitor.update { $0.bytesInFlight -= byteCount }
    }

    /// Refuses further work; what waits is still done.
    internal func close() { monitor.update { $0.isClosing = true } }

    private static func moveUnits(_ items: inout [Item], to units: inout [PendingUnit]) {
        var count = 0
        for item in items {
            guard case .unit(let unit) = item else { break }
            units.append(unit)
            count += 1
        }
        items.removeFirst(count)
    }
}
