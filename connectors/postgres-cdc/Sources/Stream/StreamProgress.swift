internal import ConnectorSDK
internal import LogicalReplication

/// What was sent, and what of it is durable.
internal final class StreamProgress {
    /// The place of the last position that was sent.
    internal private(set) var sentLSN: LSN
    private var sent: StreamPosition
    private var durable: StreamPosition
    private var receiver: ReplicationReceiver?

    internal init(from position: StreamPosition) {
        sent = position
        durable = position
        sentLSN = position.lsn
    }

    /// Whether something is on its way to the disk.
    internal var hasPending: Bool { sent != durable }

    /// Whether `position` is further than what was sent.
    internal func isBehind(_ position: StreamPosition) -> Bool { sent != position }

    /// Notes a position that is handed over.
    internal func sent(_ position: StreamPosition) {
        sent = position
        sentLSN = position.lsn
    }

    /// Lets the server forget what is durable from now on.
    internal func report(to receiver: ReplicationReceiver?) { self.receiver = receiver }

    /// Notes that a position is durable.
    internal func acknowledge(_ text: String) {
        guard let position = StreamPosition(text) else { return }
        durable = position
        // D1: the server forgets nothing that is not in the topics.
        receiver?.confirm(position.lsn)
    }
}
