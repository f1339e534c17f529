internal import KafkaClient
internal import Synchronization

/// When whoever waits for a broker is to give up, because the process ends.
internal final class WaitLimit: Sendable {
    private let limit = Mutex<ContinuousClock.Instant?>(nil)

    /// Has all waiting end by then.
    internal func set(_ moment: ContinuousClock.Instant) {
        limit.withLock { limit in limit = limit.map { min($0, moment) } ?? moment }
    }

    internal var hasPassed: Bool {
        limit.withLock { $0 }.map { ContinuousClock.now >= $0 } ?? false
    }
}
