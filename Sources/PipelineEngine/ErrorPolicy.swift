internal import ConnectorSDK

/// What a connector's configuration says is done about errors.
struct ErrorPolicy: Sendable {
    /// Whether rejected records go to the dead letter topic, rather than fail the task.
    var tolerates: Bool
    /// The dead letter topic; always there when `tolerates`.
    var deadLetterTopic: String?
    var hasContextHeaders: Bool
    var breakerLimit: Int
    var breakerWindow: Int
    /// `nil` for ever.
    var retryTimeout: Duration?
    var longestDelay: Duration
    var logsRejections: Bool

    init(_ configuration: Configuration) throws(ConnectorError) {
        tolerates = try configuration.get(FrameworkKeys.tolerance) == .all
        deadLetterTopic = try configuration.get(FrameworkKeys.deadLetterTopic)
        hasContextHeaders = try configuration.get(FrameworkKeys.contextHeaders)
        breakerLimit = try configuration.get(FrameworkKeys.breakerRejected)
        breakerWindow = try configuration.get(FrameworkKeys.breakerWindow)
        let timeout = try configuration.get(FrameworkKeys.retryTimeout)
        retryTimeout = timeout < .zero ? nil : timeout
        longestDelay = try configuration.get(FrameworkKeys.retryDelayMax)
        logsRejections = try configuration.get(FrameworkKeys.logErrors)
        // D6: without a dead letter topic, tolerated records would vanish.
        if tolerates, deadLetterTopic == nil {
            throw .invalid(
                FrameworkKeys.deadLetterTopic.declaration.name,
                "With `errors.tolerance: all`, rejected records need a dead letter topic.",
                hint: "Name one; it is created when it does not exist."
            )
        }
    }

    func makeRetryPolicy() -> RetryPolicy {
        RetryPolicy(timeout: retryTimeout, longestDelay: longestDelay)
    }

    func makeBreaker() -> RejectionBreaker {
        RejectionBreaker(limit: breakerLimit, window: breakerWindow)
    }
}
