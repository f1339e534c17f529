internal import HTTPRequests

/// A request that has arrived whole, on its way to the connector's thread.
struct HTTPRequest: Sendable {
    var body: RequestBody
    /// Whom it is from.
    var client: String
    /// What it takes of the budget for incomplete requests.
    var reserved: Int
    /// Answers it; from any thread, once.
    var answer: @Sendable (HTTPAnswer) -> Void

    /// The memory that it takes.
    var cost: Int { body.cost }
}
