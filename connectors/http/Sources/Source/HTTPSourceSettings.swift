internal import ConnectorSDK
internal import HTTPRequests
internal import Listening

/// The values of the http source's keys.
struct HTTPSourceSettings: Sendable {
    let address: ListenAddress
    let routes: [HTTPRoute]
    let topic: String
    let topicLimit: Int
    let methods: [String]
    let format: BodyFormat
    let recordPath: String
    let longest: Int
    let longestInflated: Int
    let headers: [String]
    let gate: Gate
    let health: String
    let requestTimeout: Duration
    let idleTimeout: Duration
    let clientRate: Int
    let listener: ListenerSettings

    init(_ configuration: Configuration) throws(ConnectorError) {
        let listen = try configuration.get(HTTPSourceKeys.listen)
        guard let address = ListenAddress(hostAndPort: listen) else {
            throw .invalid(HTTPSourceKeys.listen.declaration.name, "It is no HOST:PORT.")
        }
        self.address = address
        routes = try configuration.get(HTTPSourceKeys.paths).compactMap { HTTPRoute($0) }
        topic = try configuration.get(HTTPSourceKeys.topic)
        topicLimit = try configuration.get(HTTPSourceKeys.topicLimit)
        methods = try configuration.get(HTTPSourceKeys.methods).map { $0.uppercased() }
        format = try configuration.get(HTTPSourceKeys.format)
        recordPath = try configuration.get(HTTPSourceKeys.recordPath)
        longest = try configuration.get(HTTPSourceKeys.longest)
        longestInflated = try configuration.get(HTTPSourceKeys.longestInflated)
        headers = try configuration.get(HTTPSourceKeys.headers)
        gate = try Gate(configuration)
        health = try configuration.get(HTTPSourceKeys.health)
        requestTimeout = try configuration.get(HTTPSourceKeys.requestTimeout)
        idleTimeout = try configuration.get(HTTPSourceKeys.idleTimeout)
        listener = try ListenerSettings(configuration, least: longest)
        clientRate = try configuration.get(HTTPSourceKeys.clientRate)
        try check()
    }

    /// The topic of a path; `nil` when there can be none of that name, which is no reason to stop.
    func topic(_ path: Substring) -> String? {
        let name = topic.replacing("${field:path}", with: path)
        // Kafka's rule, of which the letters are checked where paths are.
        return name == "." || name == ".." || name.utf8.count > 249 ? nil : name
    }

    private func check() throws(ConnectorError) {
        if listener.buffer < longest {
            throw .invalid(
                ListenerKeys.buffer.declaration.name,
                "The buffer must hold a body of max.body.bytes."
            )
        }
        let hasStar = routes.contains { $0.isOpen }
        if topic.contains("${field:path}"), !routes.allSatisfy({ $0.isOpen }) {
            throw .invalid(
                HTTPSourceKeys.topic.declaration.name,
                "`${field:path}` needs a `*` at the end of each of `paths`.",
                hint: hasStar ? "Give the others a connector of their own." : "Such as /events/*."
            )
        }
        if health == "/", routes.contains(where: { $0.match("/") != nil }) {
            throw .invalid(
                HTTPSourceKeys.health.declaration.name,
                "The path / takes records, so it cannot tell about health."
            )
        }
    }
}
