/// Decides whether, and how long after, a task that failed is started again.
///
/// A value without clock or random source: both come in with the event.
struct RetryPolicy {
    /// What to do after a failure.
    enum Decision: Equatable {
        /// Wait, then start the task again.
        case retry(after: Duration)
        /// The task has made no progress for too long.
        case giveUp
    }

    /// The first delay.
    ///
    /// 300 ms, as in Kafka Connect: a server that restarts needs seconds, a lock that is held needs
    /// less.
    static let firstDelay = Duration.milliseconds(300)

    /// How long a task may be without progress; `nil` for ever.
    var timeout: Duration?
    /// The longest delay.
    var longestDelay: Duration

    private var failures = 0
    private var failingSince: ContinuousClock.Instant?

    init(timeout: Duration?, longestDelay: Duration) {
        self.timeout = timeout
        self.longestDelay = longestDelay
    }

    /// Notes that records became durable: the next failure is a first one.
    mutating func progressed() {
        failures = 0
        failingSince = nil
    }

    /// Notes a failure.
    ///
    /// - Parameters:
    ///   - now: when it happened.
    ///   - requested: the delay that the error asks for, if any.
    ///   - jitter: a random number, 0 ..< 1, that spreads the delay over its upper half, so that
    ///     many tasks do not knock at once.
    /// - Returns: what to do.
    mutating func failed(
        at now: ContinuousClock.Instant,
        requested: Duration?,
        jitter: Double
    ) -> Decision {
        let since = failingSince ?? now
        failingSince = since
        if let timeout, now - since >= timeout { return .giveUp }
        let doubled = Self.firstDelay * (1 << min(failures, 30))
        failures += 1
        let full = requested ?? min(doubled, longestDelay)
        let delay = requested ?? full / 2 + full / 2 * jitter
        guard let timeout else { return .retry(after: delay) }
        // The last attempt is made when the time is up, not a whole delay later.
        return .retry(after: min(delay, max(.milliseconds(1), timeout - (now - since))))
    }
}
