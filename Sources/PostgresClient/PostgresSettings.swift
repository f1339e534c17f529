/// Where and how to connect: libpq's keywords, from a URL, a keyword string or one by one.
///
/// What is not set comes from the `PG…` environment variables, the service file
/// (`PGSERVICEFILE`, `~/.pg_service.conf`) and the password file (`PGPASSFILE`, `~/.pgpass`), as for
/// every client of PostgreSQL. Texts made of settings never show a password.
public struct PostgresSettings: Sendable, Hashable {
    /// libpq's keywords and their values, such as `host`, `sslmode`, `connect_timeout`.
    public private(set) var keywords: [String: String] = [:]
    /// How long a statement may run on the server; `nil` leaves it to the server's settings.
    public var statementTimeout: Duration?
    /// How long a statement may wait for a lock; `nil` leaves it to the server's settings.
    public var lockTimeout: Duration?
    /// Whether the connection may start logical replication.
    public var isReplication = false

    /// Makes settings that say nothing: libpq's defaults and the environment decide.
    public init() {}

    /// Reads a URL (`postgres://…`, `postgresql://…`) or a keyword string (`host=… dbname=…`).
    ///
    /// - Throws: why the text cannot be read, without quoting it, since it may hold a password.
    public init(_ text: String) throws(PostgresFailure) {
        try LibPQ.load()
        keywords = try ConnectionText.parse(text)
        try check()
    }

    /// The value of a keyword; setting it overrides what the URL said.
    public subscript(keyword: String) -> String? {
        get { keywords[keyword] }
        set { keywords[keyword] = newValue }
    }

    /// Throws when a value cannot be right, most often because a password in a URL is not escaped.
    internal func check() throws(PostgresFailure) {
        let hosts = keywords["host"] ?? ""
        let ports = keywords["port"] ?? ""
        let isPortNumber = ports.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ",") }
        let areHostNames = hosts.split(separator: ",").allSatisfy { host in
            // A directory of sockets, or a socket of the abstract name space.
            host.hasPrefix("/") || !host.dropFirst().contains("@")
        }
        guard isPortNumber, areHostNames else {
            throw .client(
                "The host or port of the connection string cannot be right. "
                    + "In a URL, write @ as %40, : as %3A, / as %2F and % as %25 within the password."
            )
        }
    }

    /// Whether several hosts are to be tried in turn.
    internal var hasSeveralHosts: Bool {
        [keywords["host"], keywords["hostaddr"]].contains { $0?.contains(",") ?? false }
    }

    /// What libpq is given: the caller's keywords over defaults of ours.
    internal var connectionParameters: [String: String] {
        var result = [
            // A dead peer is noticed after two minutes instead of two hours.
            "keepalives_idle": "60", "keepalives_interval": "10", "keepalives_count": "6",
            "connect_timeout": "10",
        ]
        if keywords["service"] != nil {
            // The service file may say otherwise, and what is given here would go before it.
            result = [:]
        }
        result.merge(keywords) { $1 }
        result["client_encoding"] = "UTF8"
        if isReplication { result["replication"] = "database" }
        return result
    }

    /// How long connecting to one host may take.
    internal var connectTimeout: Duration? {
        guard let text = connectionParameters["connect_timeout"], let seconds = Int64(text),
            seconds > 0
        else { return nil }
        return .seconds(seconds)
    }
}

extension PostgresSettings: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// Host, port, database and user.
    public var description: String {
        ["host", "hostaddr", "port", "dbname", "user", "service", "sslmode"]
            .compactMap { name in keywords[name].map { "\(name)=\($0)" } }
            .joined(separator: " ")
    }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// The same as ``description``, so that no dump shows the password.
    public var customMirror: Mirror { Mirror(self, children: ["settings": description]) }
}
