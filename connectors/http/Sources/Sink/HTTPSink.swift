internal import Compression
public import ConnectorSDK
internal import Glibc
internal import HTTPClient
internal import RecordTemplates

/// Sends records to a server, in the bodies of requests, at least once.
public final class HTTPSink: SinkConnector {
    /// `http`.
    public static let name = "http"
    /// For lists.
    public static let summary = "Sends records to a server in HTTP requests."
    /// The keys.
    public static let configuration = HTTPSinkKeys.all

    // The engine would begin again with the batch, whose other requests may have been answered; so
    // the same request is sent again here first, and for no longer than a stop can wait.
    private static let attempts = 5
    private static let pause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)

    private let settings: HTTPSinkSettings
    private let writer: any RecordWriter
    private let client: HTTPClientHandle
    private var renderer: TemplateRenderer
    private var pace: RequestPace
    private let body = OutputBuffer(capacity: 64 << 10)
    private let compressed = OutputBuffer(capacity: 16 << 10)

    /// Makes one task's instance.
    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try HTTPSinkSettings(configuration)
        let style = settings.format == .json ? "array" : "lines"
        writer = try context.formats.make(
            "json",
            configuration: Configuration(["json.style": style])
        )
        .makeWriter()
        client = try HTTPClientHandle(settings.client)
        renderer = TemplateRenderer(settings.url, .urlPart)
        pace = RequestPace(limit: settings.rateLimit)
    }

    /// Fields, to be written as JSON.
    public var input: SinkInput { .fields }

    /// What is sent counts at once, so that less of it is repeated after a failure.
    public var preferredTransactionRecords: Int { 1 }

    /// The engine keeps the offsets.
    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? { nil }

    /// Sends the records of a batch, in order, in as many requests as needed.
    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        var refused: [(row: Int, error: ConnectorError)] = []
        var row = 0
        while row < batch.count {
            if let lacking = renderer.render(batch, row: row) {
                refused.append((row, .lacking(lacking)))
                row += 1
                continue
            }
            let url = String(decoding: renderer.bytes, as: UTF8.self)
            let count = min(renderer.runLength(batch, from: row), settings.batchRecords)
            try send(batch, row..<row + count, url, &refused)
            row += count
        }
        // What one server refuses in one request has no bearing on what it took in others, so each
        // record at fault is named here.
        batch.reject(refused)
    }

    /// Sends some records in one request; halves of them where that is refused.
    private func send(
        _ batch: RecordBatch,
        _ rows: Range<Int>,
        _ url: String,
        _ refused: inout [(row: Int, error: ConnectorError)]
    ) throws(ConnectorError) {
        do throws(ConnectorError) {
            try write(batch, rows)
            if rows.count > 1, body.count > settings.batchBytes {
                return try sendHalves(batch, rows, url, &refused)
            }
            try post(batch, rows, url)
        } catch {
            guard error.disposition == .rejectRecord else { throw error }
            guard rows.count > 1 else { return refused.append((rows.lowerBound, error)) }
            try sendHalves(batch, rows, url, &refused)
        }
    }

    private func sendHalves(
        _ batch: RecordBatch,
        _ rows: Range<Int>,
        _ url: String,
        _ refused: inout [(row: Int, error: ConnectorError)]
    ) throws(ConnectorError) {
        let middle = rows.lowerBound + rows.count / 2
        try send(batch, rows.lowerBound..<middle, url, &refused)
        try send(batch, middle..<rows.upperBound, url, &refused)
    }

    private func write(_ batch: RecordBatch, _ rows: Range<Int>) throws(ConnectorError) {
        body.count = 0
        try writer.begin(batch, into: body)
        try writer.write(batch, rows: rows, into: body)
        try writer.end(into: body)
        if settings.format == .record, body.bytes.last == UInt8(ascii: "\n") { body.count -= 1 }
    }

    private func post(
        _ batch: RecordBatch,
        _ rows: Range<Int>,
        _ url: String
    ) throws(ConnectorError) {
        var headers = settings.headers
        if !settings.idempotencyHeader.isEmpty {
            let first = batch.metadata(rows.lowerBound).pointee
            let last = batch.metadata(rows.upperBound - 1).pointee.offset
            let key = "\(batch.topic)-\(first.partition)-\(first.offset)-\(last)"
            headers.append("\(settings.idempotencyHeader): \(key)")
        }
        var content = body.bytes
        if settings.compression == .gzip {
            compressed.count = 0
            let gzip = try GzipCompressor()
            try gzip.write(content, into: compressed)
            try gzip.endFrame(into: compressed)
            content = compressed.bytes
        }
        for attempt in 1... {
            pace.wait()
            let reply = client.send(settings.method, url, headers: headers, body: content)
            do throws(ConnectorError) {
                return try judge(reply)
            } catch {
                // The same request with the same key, so that a server can tell.
                let pause = reply.retryAfter ?? Self.pause * (1 << attempt)
                guard case .retry = error.disposition, attempt < Self.attempts,
                    pause <= Self.longestPause
                else { throw error }
                usleep(UInt32(pause / .microseconds(1)))
            }
        }
    }

    /// Decides by the answer what becomes of the records.
    private func judge(_ reply: HTTPClientHandle.Reply) throws(ConnectorError) {
        switch reply.status {
        case 200..<300: return
        case 0: throw .unreachable(reply)
        case 408, 425, 429, 500...:
            throw ConnectorError(
                .init("http.busy"),
                .retry(after: reply.retryAfter),
                "The server answered \(reply.status).",
                kind: .environment
            )
        case 401, 403, 405, 407, 300..<400,
            404 where settings.url.fields.isEmpty:
            throw .misdirected(reply.status)
        default:
            throw ConnectorError(
                .init("http.refused"),
                .rejectRecord,
                "The server answered \(reply.status)."
            )
        }
    }

    /// What was sent is with the server.
    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {}

    /// Connections are closed with the instance.
    public func close() async {}

    /// Connects to the server, and sends nothing.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try HTTPSinkSettings(configuration)
        let client = try HTTPClientHandle(settings.client)
        let url = try configuration.get(HTTPSinkKeys.url)
        let server = url.split(separator: "/").prefix(2).joined(separator: "//")
        let reply = client.tryConnecting(server)
        guard reply.problem.isEmpty else {
            return [PreflightCheck("server", failed: .unreachable(reply))]
        }
        return [PreflightCheck("server", .passed, "The server can be reached.", at: "url")]
    }
}

extension ConnectorError {
    /// A record has nothing for a place of the URL.
    fileprivate static func lacking(_ place: String) -> Self {
        ConnectorError(
            .init("http.no_url"),
            .rejectRecord,
            "The record has no \(place) for the URL.",
            at: HTTPSinkKeys.url.declaration.name
        )
    }

    /// No answer came.
    fileprivate static func unreachable(_ reply: HTTPClientHandle.Reply) -> Self {
        ConnectorError(
            .init("http.unreachable"),
            reply.isTLSRefusal ? .failTask : .retry(after: nil),
            "The server does not answer: \(reply.problem).",
            kind: .environment,
            at: HTTPSinkKeys.url.declaration.name,
            hint: reply.isTLSRefusal
                ? "Name its authority with tls.ca.file, and our certificate with "
                    + "tls.certificate.file."
                : nil
        )
    }

    /// No record would be taken.
    fileprivate static func misdirected(_ status: Int) -> Self {
        let hint =
            switch status {
            case 401, 403, 407: "Look at auth.bearer.token, auth.user, auth.password and headers."
            case 300..<400: "It sends us elsewhere: write that address as url."
            default: "Look at url and method."
            }
        return ConnectorError(
            .init("http.misdirected"),
            .failTask,
            "The server answered \(status).",
            kind: .environment,
            at: HTTPSinkKeys.url.declaration.name,
            hint: hint
        )
    }
}
