internal import HTTPRequests
internal import Listening
internal import NIOCore
internal import NIOHTTP1

/// What is known of a request from its head.
struct RequestPlan: Sendable {
    var topic: String
    var format: BodyFormat
    var encoding: BodyEncoding
    var headers: [(name: String, value: String)]
}

/// What the connections of a source share, and what they decide by.
struct HTTPServices: Sendable {
    /// What becomes of a request.
    enum Decision {
        /// It is answered at once.
        case refused(HTTPAnswer)
        /// Its body is wanted.
        case taken(RequestPlan)
    }

    let settings: HTTPSourceSettings
    let queue: HandOver<HTTPRequest>
    /// For requests that are not complete; of each client it counts the others as well.
    let memory: ListenerMemory
    let refusals: RefusalLog

    /// Decides by the head: refuses before the body was sent, where that is possible.
    func plan(_ head: HTTPRequestHead, of client: String) -> Decision {
        let path = head.uri.prefix { $0 != "?" }
        if !settings.health.isEmpty, path == settings.health { return .refused(health) }
        var name: Substring?
        for route in settings.routes {
            name = route.match(path)
            if name != nil { break }
        }
        guard let name, let topic = settings.topic(name) else {
            return .refused(.refused(.notFound, "Nothing is taken here."))
        }
        guard settings.methods.contains(head.method.rawValue) else {
            let allowed = settings.methods.joined(separator: ", ")
            return .refused(
                .refused(.methodNotAllowed, "Send \(allowed).", headers: [("Allow", allowed)])
            )
        }
        if let refusal = authorize(head) { return .refused(refusal) }
        let encoded = head.headers.first(name: "content-encoding")
        guard let encoding = BodyEncoding(contentEncoding: encoded) else {
            return .refused(
                .refused(
                    .unsupportedMediaType,
                    "Bodies may be compressed with gzip, deflate or zstd.",
                    headers: [("Accept-Encoding", "gzip, deflate, zstd")]
                )
            )
        }
        guard let format = format(head) else {
            return .refused(
                .refused(
                    .unsupportedMediaType,
                    "Send application/json, application/x-ndjson, text/plain or a form."
                )
            )
        }
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }),
            length > settings.longest
        {
            return .refused(Self.tooLarge(settings.longest))
        }
        if let refusal = excess(of: client) { return .refused(refusal) }
        let headers = settings.headers.compactMap { name in
            head.headers.first(name: name).map { (name, $0) }
        }
        return .taken(
            RequestPlan(
                topic: topic,
                format: format,
                encoding: encoding,
                headers: headers
            )
        )
    }

    /// Refuses a body that is not signed as it should be.
    func check(_ head: HTTPRequestHead, _ body: ByteBuffer) -> HTTPAnswer? {
        guard let header = settings.gate.header else { return nil }
        guard let signature = head.headers.first(name: header) else {
            return .refused(.unauthorized, "The header \(header) is missing.")
        }
        let isRight = body.withUnsafeReadableBytes {
            settings.gate.admits(signature: signature, of: $0)
        }
        return isRight ? nil : .refused(.forbidden, "The signature in \(header) is wrong.")
    }

    /// The answer to a body that is too large.
    static func tooLarge(_ limit: Int) -> HTTPAnswer {
        .refused(.payloadTooLarge, "A body may have \(limit) bytes (max.body.bytes).")
    }

    private var health: HTTPAnswer {
        // A load balancer that hears this sends to another one, as it should.
        queue.hasRoom
            ? HTTPAnswer(status: .ok, body: "{\"status\":\"ok\"}\n") : .unavailable(Self.behind)
    }

    private static let behind = "The topic does not keep up at the moment."

    /// Refuses what would be taken if there were less of it. (D7)
    private func excess(of client: String) -> HTTPAnswer? {
        guard queue.hasRoom else { return .excess(Self.behind) }
        let second = NIODeadline.now().uptimeNanoseconds / 1_000_000_000
        return memory.begin(client, second: second).map(Self.answer)
    }

    private static func answer(_ excess: ListenerMemory.Excess) -> HTTPAnswer {
        switch excess {
        case .all: .excess("There is no memory for the body at the moment.")
        case .client: .excess("So much of this client waits already (client.buffer.percent).")
        case .rate: .excess("A client may send fewer requests a second (client.rate.limit).")
        }
    }

    /// Takes memory for a part of a body, or refuses it.
    func reserve(_ bytes: Int, for client: String) -> HTTPAnswer? {
        memory.reserve(bytes, for: client).map(Self.answer)
    }

    /// Hands a request over; it has its memory until ``letGo(_:)``.
    func handOver(_ request: HTTPRequest) {
        memory.add(request.cost - request.reserved, for: request.client)
        queue.put(request, cost: request.cost)
    }

    /// Gives back what a request had that was handed over.
    func letGo(_ request: HTTPRequest) {
        memory.release(request.reserved, of: request.client)
        memory.remove(request.cost - request.reserved, of: request.client)
        queue.release(request.cost)
    }

    private func authorize(_ head: HTTPRequestHead) -> HTTPAnswer? {
        guard settings.gate.asksForToken else { return nil }
        guard let authorization = head.headers.first(name: "authorization") else {
            return .refused(
                .unauthorized,
                "A token is needed.",
                headers: [("WWW-Authenticate", "Bearer")]
            )
        }
        // D8: what was sent is not repeated.
        return settings.gate.admits(authorization: authorization)
            ? nil : .refused(.forbidden, "The token is wrong.")
    }

    private func format(_ head: HTTPRequestHead) -> BodyFormat? {
        guard settings.format == .auto else { return settings.format }
        return BodyFormat(contentType: head.headers.first(name: "content-type"))
    }
}
