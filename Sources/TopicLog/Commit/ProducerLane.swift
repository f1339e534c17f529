internal import ConnectorSDK
internal import Topics

/// What a producer and the committer share: tickets, the error, and builders on their way back.
internal final class ProducerLane: Sendable {
    private struct State {
        var durable: Int64 = 0
        var failure: ConnectorError?
        var isClosed = false
        var spare: [RecordBatchBuilder] = []
        var spareBytes = 0
    }

    /// Bytes of builders kept for the next batches; more would be memory that nobody uses. (D7)
    private static let spareLimit = 16 << 20
    /// Builders that one huge record has made larger than this are let go. (D7)
    private static let largestSpare = 4 << 20

    private let monitor = Monitor(State())

    /// Notes that everything through a unit is durable, and takes its builders back.
    internal func complete(_ unit: PendingUnit) {
        monitor.update { state in
            state.durable = max(state.durable, unit.ticket)
            for (_, batch) in unit.content.batches {
                guard let builder = batch.builder else { continue }
                let size = builder.buffer.capacity
                guard size <= Self.largestSpare, state.spareBytes + size <= Self.spareLimit else {
                    continue
                }
                state.spareBytes += size
                state.spare.append(builder)
            }
        }
    }

    /// Notes why a unit could not be made durable; all later units have no effect.
    internal func fail(_ error: ConnectorError) {
        monitor.update { state in
            if state.failure == nil { state.failure = error }
        }
    }

    /// Gives up what is not durable yet.
    internal func close() { monitor.update { $0.isClosed = true } }

    /// Whether units that wait have no effect any more.
    internal var isDead: Bool { monitor.withLock { $0.isClosed || $0.failure != nil } }

    /// Throws when the lane is of no more use.
    internal func check() throws(ConnectorError) {
        try monitor.withLock { (state) throws(ConnectorError) in
            if let failure = state.failure { throw failure }
            if state.isClosed { throw .producerIsClosed }
        }
    }

    /// A builder that has been on its way and back, if there is one.
    internal func takeBuilder() -> RecordBatchBuilder? {
        monitor.withLock { state in
            guard let builder = state.spare.popLast() else { return nil }
            state.spareBytes -= builder.buffer.capacity
            return builder
        }
    }

    /// The last durable ticket.
    internal func durableTicket() throws(ConnectorError) -> Int64 {
        try monitor.withLock { (state) throws(ConnectorError) in
            if let failure = state.failure { throw failure }
            return state.durable
        }
    }

    /// Waits for a ticket, until `deadline`, and returns the last durable one.
    internal func wait(
        for ticket: Int64,
        until deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64 {
        let reached = try monitor.wait(until: deadline) {
            (state) throws(ConnectorError) -> Int64? in
            if let failure = state.failure { throw failure }
            if state.durable >= ticket { return state.durable }
            if state.isClosed { throw .producerIsClosed }
            return nil
        }
        if let reached { return reached }
        return try durableTicket()
    }
}
