internal import LogicalReplication

/// Decides when the server is told something.
///
/// A value without a clock.
internal struct ReceiveSession {
    /// Progress is told at most so often, which is often enough for those who wait for it.
    internal static let shortestPause = Duration.milliseconds(20)

    /// The server asked for an answer.
    internal var mustReport = false
    /// The end of what has arrived.
    private var received: LSN
    private var reported: LSN
    private var reportedAt: ContinuousClock.Instant?

    internal init(confirmed: LSN) {
        received = confirmed
        // The first status tells the server where we are.
        reported = .zero
    }

    /// Notes a message.
    internal mutating func arrived(_ message: UnsafeRawBufferPointer) {
        // Only its kind and place matter here; whoever reads it says what is wrong with it.
        guard message.count >= 9, let kind = message.first else { return }
        let place = message.loadUnaligned(fromByteOffset: 1, as: UInt64.self)
        received = max(received, LSN(UInt64(bigEndian: place)))
        if kind == UInt8(ascii: "k"), message.count == 18, message[17] != 0 { mustReport = true }
    }

    /// What to tell the server now; `nil` for nothing.
    internal mutating func status(
        confirmed: LSN,
        asks: Bool,
        at now: ContinuousClock.Instant,
        interval: Duration
    ) -> StandbyStatus? {
        let rest = timeUntilStatus(confirmed: confirmed, at: now, interval: interval)
        guard mustReport || asks || rest <= .zero else { return nil }
        mustReport = false
        reported = confirmed
        reportedAt = now
        return StandbyStatus(
            written: max(received, confirmed),
            flushed: confirmed,
            applied: confirmed,
            wantsReply: asks
        )
    }

    /// How long nothing has to be said yet.
    internal func timeUntilStatus(
        confirmed: LSN,
        at now: ContinuousClock.Instant,
        interval: Duration
    ) -> Duration {
        let pause = confirmed > reported ? min(Self.shortestPause, interval) : interval
        return reportedAt.map { max(.zero, pause - (now - $0)) } ?? .zero
    }
}
