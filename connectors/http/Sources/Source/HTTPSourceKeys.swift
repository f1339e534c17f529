internal import ConnectorSDK
internal import HTTPRequests
internal import Listening

/// The keys of the http source.
enum HTTPSourceKeys {
    static let listen = ConfigKey.string(
        "listen",
        default: "127.0.0.1:8080",
        importance: .high,
        help: """
            Where requests come in, `HOST:PORT`. Without a host it is 127.0.0.1; `0.0.0.0` is every \
            interface. With `tls.certificate.file` it is HTTPS.
            """,
        validator: {
            ListenAddress(hostAndPort: $0) == nil ? "must be such as 127.0.0.1:8080" : nil
        }
    )
    static let paths = ConfigKey.list(
        "paths",
        default: ["/"],
        help: """
            The paths that take records. A `*` at the end stands for one or more letters, digits, \
            `.`, `_` and `-`, which `${field:path}` in `topic` repeats. Other paths are answered 404.
            """,
        validator: { HTTPRoute($0) == nil ? "must be such as /orders or /events/*" : nil }
    )
    static let topic = ConfigKey.required(
        "topic",
        help: "The topic. `${field:path}` is what the `*` of the path stood for.",
        validator: { text in
            text.replacing("${field:path}", with: "").contains("${")
                ? "knows only ${field:path}" : nil
        }
    )
    static let topicLimit = ConfigKey.int(
        "topics.max",
        default: 100,
        in: 1...10_000,
        importance: .low,
        help: """
            How many topics paths may name; requests for more are answered 404, so that nobody makes \
            as many as they like.
            """
    )
    static let methods = ConfigKey.list(
        "methods",
        default: ["POST", "PUT"],
        help: "The methods that are taken; others are answered 405."
    )
    static let format = ConfigKey<BodyFormat>.choice(
        "body.format",
        default: .auto,
        help: """
            What bodies are taken for. `auto` goes by the content type: `application/json` and \
            `+json`, `application/x-ndjson`, `application/x-www-form-urlencoded`, `text/plain` as \
            lines; others are answered 415. Without a content type a body is JSON.
            """
    )
    static let recordPath = ConfigKey.string(
        "record.path",
        default: "",
        help: "A JSON pointer to the array or object that holds the records, such as `/events`."
    )
    static let longest = ConfigKey.size(
        "max.body.bytes",
        default: 8 << 20,
        in: 1_024...(1 << 30),
        help: "The largest body; larger ones are answered 413, as soon as that is known."
    )
    static let longestInflated = ConfigKey.size(
        "max.decompressed.bytes",
        default: 128 << 20,
        in: 1_024...(4 << 30),
        help: """
            The largest body when it is decompressed and taken apart, where each record counts 64 \
            bytes and 16 for each field; larger ones are answered 413.
            """
    )
    static let headers = ConfigKey.list(
        "headers.include",
        help: "Request headers that become headers of the records, such as `X-GitHub-Event`."
    )
    static let health = ConfigKey.string(
        "health.path",
        default: "/health",
        help: "Answers 200 while requests are taken and 503 else, to anybody; empty for none."
    )
    static let requestTimeout = ConfigKey.duration(
        "request.timeout.ms",
        default: .seconds(30),
        in: .milliseconds(100) ... .seconds(86_400),
        help: "How long a request may take to arrive once it has begun; then it is answered 408."
    )
    static let idleTimeout = ConfigKey.duration(
        "idle.timeout.ms",
        default: .seconds(60),
        in: .milliseconds(100) ... .seconds(86_400),
        help: "How long a connection may stay open without a request."
    )

    static let clientRate = ConfigKey.int(
        "client.rate.limit",
        default: 0,
        in: 0...1_000_000,
        help: """
            The most requests in a second from one address; further ones are answered 429. 0 is as \
            many as the topic takes.
            """
    )

    static let all = ConfigSpec()
        .with(listen).with(paths).with(topic).with(topicLimit).with(methods).with(format)
        .with(recordPath).with(longest).with(longestInflated).with(headers)
        .merging(GateKeys.all).with(health).with(requestTimeout)
        .with(idleTimeout).with(clientRate)
        .merging(ListenerKeys.all)
}
