internal import Synchronization

/// Who hears what librdkafka has to say besides its answers.
///
/// Called on threads of librdkafka's own or of whoever polls: it must return soon.
public struct KafkaObserver: Sendable {
    /// A line of librdkafka's log, with syslog's level, 0 to 7.
    ///
    /// Holds no secret.
    public var log: (@Sendable (_ level: Int, _ text: String) -> Void)?
    /// Statistics as a JSON document, every `statistics.interval.ms`.
    public var statistics: (@Sendable (_ json: String) -> Void)?
    /// Whether calls that wait for a broker are to end with an error soon; asked again and again.
    public var isInterrupted: (@Sendable () -> Bool)?

    /// Makes an observer; what is `nil` is dropped.
    public init(
        log: (@Sendable (_ level: Int, _ text: String) -> Void)? = nil,
        statistics: (@Sendable (_ json: String) -> Void)? = nil,
        isInterrupted: (@Sendable () -> Bool)? = nil
    ) {
        self.log = log
        self.statistics = statistics
        self.isInterrupted = isInterrupted
    }
}

/// What a client's callbacks have reported.
internal final class ClientEvents: Sendable {
    internal let settings: KafkaSettings
    internal let observer: KafkaObserver
    private let lastError = Mutex<(code: KafkaErrorCode, reason: String)?>(nil)

    internal init(_ settings: KafkaSettings, _ observer: KafkaObserver) {
        self.settings = settings
        self.observer = observer
    }

    /// Notes an error of a broker; the one that says most is kept.
    internal func note(_ code: KafkaErrorCode, _ reason: String) {
        let reason = settings.redact(reason)
        lastError.withLock { last in
            // "All brokers are down" follows the error that says why.
            if code == .allBrokersDown, last != nil { return }
            last = (code, reason)
        }
    }

    /// The last error of a broker.
    internal var brokerError: (code: KafkaErrorCode, reason: String)? { lastError.withLock { $0 } }

    /// Forgets it, once a request was answered.
    internal func forgetError() { lastError.withLock { $0 = nil } }
}
