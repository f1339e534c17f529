public import NIOCore

/// A body that has arrived whole, and what is known of it.
public struct RequestBody: Sendable {
    /// The topic its records go to.
    public var topic: String
    /// What it is; what its content type says is known by now.
    public var format: BodyFormat
    /// How it is compressed.
    public var encoding: BodyEncoding
    /// The body as it was sent.
    public var bytes: ByteBuffer
    /// Headers of its records.
    public var headers: [(name: String, value: String)]

    /// Makes a body.
    public init(
        topic: String,
        format: BodyFormat,
        encoding: BodyEncoding,
        bytes: ByteBuffer,
        headers: [(name: String, value: String)]
    ) {
        self.topic = topic
        self.format = format
        self.encoding = encoding
        self.bytes = bytes
        self.headers = headers
    }

    /// The memory that it takes.
    public var cost: Int {
        headers.reduce(bytes.capacity + 1_024) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}

/// Why a body is not taken; nothing of it was. (D9)
public struct BodyRefusal: Error {
    /// The reason; none of the data. (D8)
    public var reason: String
    /// The line at fault; 0 when there are no lines.
    public var line: Int64
    /// The byte at fault; negative when it is not known.
    public var byte: Int64
    /// Whether it takes more memory than it may.
    public var isTooLarge: Bool
}
