internal import ConnectorSDK
internal import JSONRecords
internal import NIOHTTP1

/// What a client is told.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    /// A JSON document.
    var body: String
    var headers: [(String, String)] = []

    /// The records of a request are durable.
    static func accepted(_ records: Int) -> Self {
        Self(status: .ok, body: "{\"records\":\(records)}\n")
    }

    /// It is not taken, for a reason.
    static func refused(
        _ status: HTTPResponseStatus,
        _ reason: String,
        headers: [(String, String)] = []
    ) -> Self {
        let text = OutputBuffer(capacity: 256)
        text.append("{\"error\":")
        JSONText.appendString(reason, to: text)
        text.append("}\n")
        return Self(
            status: status,
            body: String(decoding: text.bytes, as: UTF8.self),
            headers: headers
        )
    }

    /// The body of a request is at fault, in a place.
    static func bad(_ reason: String, line: Int64, byte: Int64) -> Self {
        var answer = refused(.badRequest, reason)
        answer.body.removeLast("}\n".count)
        if line > 0 { answer.body += ",\"line\":\(line)" }
        if byte >= 0 { answer.body += ",\"byte\":\(byte)" }
        answer.body += "}\n"
        return answer
    }

    /// Whether it tells somebody that he may not send.
    var isUninvited: Bool { status == .unauthorized || status == .forbidden }

    /// Whether it tells a client to send less.
    var isExcess: Bool { status == .tooManyRequests }

    /// Too much at the moment, of this client or of all: the same request is welcome later.
    static func excess(_ reason: String) -> Self {
        refused(.tooManyRequests, reason, headers: [("Retry-After", "1")])
    }

    /// Nothing is taken, however little it is: the source is ending, or has failed.
    static func unavailable(_ reason: String) -> Self {
        refused(.serviceUnavailable, reason, headers: [("Retry-After", "1")])
    }
}
