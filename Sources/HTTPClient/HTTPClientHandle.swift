internal import CCurl
public import ConnectorSDK

/// A client of libcurl, which keeps its connections from request to request.
public struct HTTPClientHandle: ~Copyable {
    /// What came back.
    public struct Reply {
        /// The status; 0 when there is none.
        public var status: Int
        /// How long the server asks us to wait.
        public var retryAfter: Duration?
        /// Whether the request may have arrived although nothing came back.
        public var mayHaveArrived: Bool
        /// Whether server and client do not trust each other.
        public var isTLSRefusal: Bool
        /// Why there is no status.
        public var problem: String

        init(_ reply: mr_reply) {
            status = Int(reply.status)
            retryAfter = reply.retry_after > 0 ? .seconds(reply.retry_after) : nil
            mayHaveArrived = reply.may_have_arrived != 0
            isTLSRefusal = reply.is_tls_refusal != 0
            problem = withUnsafeBytes(of: reply.problem) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
    }

    private let client: OpaquePointer

    /// Makes a client.
    ///
    /// - Throws: when there is no libcurl.
    public init(_ settings: HTTPClientSettings) throws(ConnectorError) {
        if let problem = mr_client_load() {
            throw ConnectorError(
                .init("http.libcurl"),
                .failTask,
                "libcurl cannot be used: \(String(cString: problem)).",
                kind: .environment,
                hint: "Install it: apt-get install libcurl4."
            )
        }
        let client = Self.withTexts(
            [settings.authorities, settings.certificate, settings.key, settings.user]
        ) { texts in
            var all = mr_client_settings()
            all.authorities = texts[0]
            all.certificate = texts[1]
            all.key = texts[2]
            all.user = texts[3]
            all.connect_milliseconds = Int(settings.connectTimeout / .milliseconds(1))
            all.request_milliseconds = Int(settings.requestTimeout / .milliseconds(1))
            return mr_client_open(&all)
        }
        guard let client else {
            throw ConnectorError(.init("http.memory"), .retry(after: nil), "There is no memory.")
        }
        self.client = client
    }

    deinit { mr_client_close(client) }

    /// Sends a request and waits for the answer.
    public func send(
        _ method: String,
        _ url: String,
        headers: [String],
        body: UnsafeRawBufferPointer
    ) -> Reply {
        var reply = mr_reply()
        Self.withTexts(headers) { headers in
            mr_client_send(
                client,
                method,
                url,
                headers,
                headers.count,
                body.baseAddress,
                body.count,
                &reply
            )
        }
        return Reply(reply)
    }

    /// Connects and sends nothing.
    public func tryConnecting(_ url: String) -> Reply {
        var reply = mr_reply()
        mr_client_try(client, url, &reply)
        return Reply(reply)
    }

    /// Calls `body` with C strings.
    private static func withTexts<Result>(
        _ texts: [String?],
        _ body: ([UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var places: [Int?] = []
        for text in texts {
            places.append(text == nil ? nil : bytes.count)
            if let text { bytes += text.utf8CString }
        }
        return bytes.withUnsafeBufferPointer { bytes in
            body(
                places.map { place in
                    place.flatMap { place in bytes.baseAddress.map { $0 + place } }
                }
            )
        }
    }
}
