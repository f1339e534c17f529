internal import Compression
internal import ConnectorSDK
internal import HTTPClient
internal import RecordTemplates

/// How records are written in the body of a request.
enum RequestFormat: String, CaseIterable, Sendable {
    /// One array of all records.
    case json
    /// A record on each line.
    case ndjson
    /// One record, and nothing else.
    case record
}

/// How the body of a request is compressed.
enum RequestCompression: String, CaseIterable, Sendable {
    case none, gzip
}

/// The keys of the http sink.
enum HTTPSinkKeys {
    static let url = ConfigKey.required(
        "url",
        help: """
            Where records are sent. `${topic}`, `${partition}`, `${table}`, `${timestamp:…}` and \
            `${field:name}` are filled for each record; records of one URL travel together.
            """,
        validator: { text in
            text.hasPrefix("http://") || text.hasPrefix("https://")
                ? nil : "must begin with http:// or https://"
        }
    )
    static let method = ConfigKey.string(
        "method",
        default: "POST",
        help: "The method of requests.",
        validator: { text in
            text.utf8.allSatisfy { (0x41...0x5A).contains($0) } && !text.isEmpty
                ? nil : "must be a word in capital letters, such as POST or PUT"
        }
    )
    static let headers = ConfigKey.list(
        "headers",
        help: """
            Further headers, such as `X-Api-Key: ${env:KEY}`. They are never shown.
            """,
        validator: { text in
            let name = text.prefix { $0 != ":" }
            let isHeader = name.count < text.count && !name.isEmpty && !name.contains(" ")
            return isHeader && !text.contains { $0.isNewline } ? nil : "must be such as Name: value"
        }
    )
    static let format = ConfigKey<RequestFormat>.choice(
        "body.format",
        default: .json,
        help: """
            `json`: one array of records. `ndjson`: a record on each line. `record`: each record is \
            a request of its own.
            """
    )
    static let batchRecords = ConfigKey.int(
        "batch.max.records",
        default: 500,
        in: 1...100_000,
        help: "The most records in a request."
    )
    static let batchBytes = ConfigKey.size(
        "batch.max.bytes",
        default: 1 << 20,
        in: 1_024...(1 << 30),
        help: "The largest body before it is compressed; a single record may be larger."
    )
    static let compression = ConfigKey<RequestCompression>.choice(
        "compression",
        default: RequestCompression.none,
        help: "How bodies are compressed."
    )
    static let token = ConfigKey<String?>.optional(
        "auth.bearer.token",
        help: "A token to send as `Authorization: Bearer`. Better written as `${env:NAME}`."
    )
    static let rateLimit = ConfigKey.int(
        "rate.limit",
        default: 0,
        in: 0...1_000_000,
        help: "The most requests a second, of each task; 0 is as many as the server answers."
    )
    static let idempotencyHeader = ConfigKey.string(
        "idempotency.header",
        default: "Idempotency-Key",
        help: """
            The header that names what a request holds, topic, partition and the first and last \
            offset, so that a server can leave out what it has; empty for none.
            """
    )

    static let all = ConfigSpec()
        .with(url).with(method).with(headers).with(format).with(batchRecords).with(batchBytes)
        .with(compression).with(token).merging(HTTPClientKeys.all)
        .with(rateLimit).with(idempotencyHeader)
}

/// The values of the http sink's keys.
struct HTTPSinkSettings: Sendable {
    let url: RecordTemplate
    let method: String
    let headers: [String]
    let format: RequestFormat
    let batchRecords: Int
    let batchBytes: Int
    let compression: RequestCompression
    let client: HTTPClientSettings
    let rateLimit: Int
    let idempotencyHeader: String

    init(_ configuration: Configuration) throws(ConnectorError) {
        let url = try configuration.get(HTTPSinkKeys.url)
        self.url = try RecordTemplate(url, key: HTTPSinkKeys.url.declaration.name)
        // A record must not choose the server: that could be anybody's.
        let server = url.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first
        if server?.contains("${") ?? true {
            throw .invalid(
                HTTPSinkKeys.url.declaration.name,
                "The server must be the same for all records.",
                hint: "Placeholders may stand behind the server, as in https://host/${topic}."
            )
        }
        method = try configuration.get(HTTPSinkKeys.method)
        format = try configuration.get(HTTPSinkKeys.format)
        let records = try configuration.get(HTTPSinkKeys.batchRecords)
        batchRecords = format == .record ? 1 : records
        batchBytes = try configuration.get(HTTPSinkKeys.batchBytes)
        compression = try configuration.get(HTTPSinkKeys.compression)
        rateLimit = try configuration.get(HTTPSinkKeys.rateLimit)
        idempotencyHeader = try configuration.get(HTTPSinkKeys.idempotencyHeader)
        client = try HTTPClientSettings(configuration)
        var headers = [
            // Otherwise a large body waits for a server to ask for it, which few do.
            "Expect:",
            "Content-Type: "
                + (format == .ndjson ? "application/x-ndjson" : "application/json"),
        ]
        if compression == .gzip { headers.append("Content-Encoding: gzip") }
        if let token = try configuration.get(HTTPSinkKeys.token) {
            // D8: it is not repeated. What follows a line end would be a header of its own.
            guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .invalid(
                    HTTPSinkKeys.token.declaration.name,
                    "It holds a blank, a line end, or what is not ASCII.",
                    hint: "No token does: look at the variable or file that it comes from."
                )
            }
            headers.append("Authorization: Bearer \(token)")
        }
        // A header that is written twice would be sent twice.
        let own = try configuration.get(HTTPSinkKeys.headers)
        let names = Set(own.map { $0.prefix { $0 != ":" }.lowercased() })
        self.headers =
            headers.filter { !names.contains($0.prefix { $0 != ":" }.lowercased()) } + own
    }
}
