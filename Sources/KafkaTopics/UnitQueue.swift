internal import ConnectorSDK
internal import Topics

/// Units on their way from a task to the thread that produces them, and what became of them.
internal final class UnitQueue: @unchecked Sendable {
    // SAFETY: everything that changes is in the monitor. A unit, which is not Sendable, is let go
    // of by the one thread before the other takes it.
    private struct State {
        var waiting: [(ticket: Int64, unit: CommitUnit)] = []
        var bytes = 0
        var submitted: Int64 = 0
        var durable: Int64 = 0
        var failure: ConnectorError?
        var isClosed = false
        var isReady = false
        var spare: [RecordBatchBuilder] = []

        func check() throws(ConnectorError) {
            if let failure { throw failure }
            if isClosed { throw .producerIsClosed }
        }
    }

    private let limit: Int
    private let monitor = Monitor(State())

    /// Builders kept for the next batches; larger ones, of one huge record, are let go. (D7)
    private static let spareLimit = 16
    private static let largestSpare = 4 << 20

    internal init(limit: Int) { self.limit = limit }

    // MARK: The task's side

    /// Hands a unit over, waiting while too much is on its way, and returns its ticket.
    internal func add(_ unit: CommitUnit) throws(ConnectorError) -> Int64 {
        let size = unit.byteCount
        let ticket = try monitor.wait { [limit] (state) throws(ConnectorError) -> Int64? in
            try state.check()
            // D7: one unit is let through however large it is.
            guard state.bytes == 0 || state.bytes + size <= limit else { return nil }
            state.submitted += 1
            state.bytes += size
            state.waiting.append((state.submitted, unit))
            return state.submitted
        }
        monitor.update { _ in }
        return ticket ?? 0
    }

    /// Waits until the thread has taken its identity over from whoever had it.
    internal func waitUntilReady() throws(ConnectorError) {
        _ = try monitor.wait { (state) throws(ConnectorError) -> Bool? in
            if state.isReady { return true }
            try state.check()
            return nil
        }
    }

    internal func takeBuilder() -> RecordBatchBuilder? { monitor.withLock { $0.spare.popLast() } }

    internal func durableTicket() throws(ConnectorError) -> Int64 {
        try monitor.withLock { (state) throws(ConnectorError) in
            if let failure = state.failure { throw failure }
            return state.durable
        }
    }

    internal func wait(
        for ticket: Int64,
        until deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64 {
        let reached = try monitor.wait(until: deadline) {
            (state) throws(ConnectorError) -> Int64? in
            if state.durable >= ticket { return state.durable }
            try state.check()
            return nil
        }
        return reached ?? monitor.withLock { $0.durable }
    }

    internal func close() { monitor.update { $0.isClosed = true } }

    // MARK: The thread's side

    /// Whether nobody waits for units any more.
    internal var isGivenUp: Bool { monitor.withLock { $0.isClosed } }

    internal func noteReady() { monitor.update { $0.isReady = true } }

    /// Waits for units and takes them all; `nil` when there will be no more.
    internal func take() -> [(ticket: Int64, unit: CommitUnit)]? {
        let units = monitor.wait { state -> [(ticket: Int64, unit: CommitUnit)]? in
            if state.isClosed { return [] }
            guard !state.waiting.isEmpty else { return nil }
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        return units?.isEmpty == false ? units : nil
    }

    /// Notes that units are durable, and takes their builders back.
    internal func complete(_ units: [(ticket: Int64, unit: CommitUnit)]) {
        monitor.update { state in
            for (ticket, unit) in units {
                state.durable = max(state.durable, ticket)
                state.bytes -= unit.byteCount
                for (_, batch) in unit.batches {
                    guard let builder = batch.builder, state.spare.count < Self.spareLimit,
                        builder.buffer.capacity <= Self.largestSpare
                    else { continue }
                    state.spare.append(builder)
                }
            }
        }
    }

    /// Notes why units have no effect; no later one has any.
    internal func fail(_ error: ConnectorError) {
        monitor.update { state in
            if state.failure == nil { state.failure = error }
            state.waiting.removeAll()
        }
    }
}

extension CommitUnit {
    /// The bytes that the unit keeps.
    internal var byteCount: Int { batches.reduce(256) { $0 + $1.batch.buffer.count } }
}

extension ConnectorError {
    /// Makes the error of a call after the producer's `close()`.
    internal static var producerIsClosed: Self {
        Self(.topicsClosed, .failTask, "The producer is closed.")
    }
}
