internal import NIOCore

/// How a body is compressed.
enum BodyEncoding: String, Sendable {
    case identity, gzip, deflate, zstd
}

/// A request that has arrived whole, on its way to the connector's thread.
struct HTTPRequest: Sendable {
    /// The topic its records go to.
    var topic: String
    /// What its body is.
    var format: BodyFormat
    var encoding: BodyEncoding
    var body: ByteBuffer
    /// Headers of its records.
    var headers: [(name: String, value: String)]
    /// Whom it is from.
    var client: String
    /// What it takes of the budget for incomplete requests.
    var reserved: Int
    /// Answers it; from any thread, once.
    var answer: @Sendable (HTTPAnswer) -> Void

    /// The memory that it takes.
    var cost: Int {
        headers.reduce(body.capacity + 1_024) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}
