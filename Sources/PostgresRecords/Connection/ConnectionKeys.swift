public import ConnectorSDK
public import PostgresClient

/// The keys by which every connector of PostgreSQL reaches its server.
public enum ConnectionKeys {
    private static let url: ConfigKey<String?> = .optional(
        "url",
        importance: .high,
        help: "The database: `postgres://user@host:5432/db`, or libpq's `host=… dbname=…`. What is "
            + "missing comes from the keys below, then from libpq's environment variables, service "
            + "file and password file."
    )

    /// The keys that stand for one keyword of libpq each.
    private static let keywords: [(keyword: String, key: ConfigKey<String?>)] = [
        ("host", keyword("host", "The server's name or address, or the directory of its socket.")),
        ("port", keyword("port", "The server's port.")),
        ("dbname", keyword("dbname", "The database.")),
        ("user", keyword("user", "The user.")),
        (
            "password",
            keyword("password", "The password. Better a reference such as `${env:PGPASSWORD}`.")
        ),
        ("service", keyword("service", "A service of libpq's service file.")),
        (
            "sslmode",
            keyword(
                "sslmode",
                "How the connection is encrypted: `disable`, `allow`, `prefer`, `require`, "
                    + "`verify-ca` or `verify-full`; only the last two know whom they talk to.",
                values: ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
            )
        ),
        ("sslrootcert", keyword("sslrootcert", "A file of certificates that are trusted.")),
        ("sslcert", keyword("sslcert", "A file with the client's certificate.")),
        ("sslkey", keyword("sslkey", "A file with the client's private key.")),
    ]
    private static let connectTimeout: ConfigKey<Duration> = .duration(
        "connect.timeout.ms",
        default: .seconds(10),
        in: .seconds(1) ... .seconds(3_600),
        importance: .low,
        help: "How long connecting to one host may take, in whole seconds."
    )
    private static let statementTimeout: ConfigKey<Duration> = .duration(
        "statement.timeout.ms",
        default: .zero,
        in: .zero ... .seconds(86_400 * 7),
        importance: .low,
        help: "How long a statement may run on the server; 0 leaves it to the server's settings."
    )

    /// All of them.
    public static let specification =
        keywords.reduce(ConfigSpec().with(url)) { $0.with($1.key) }
        .with(connectTimeout).with(statementTimeout)

    /// Reads the keys.
    ///
    /// - Throws: an error that names the key; it never quotes a URL, which may hold a password.
    public static func settings(
        _ configuration: Configuration
    ) throws(ConnectorError) -> PostgresSettings {
        var settings = PostgresSettings()
        if let text = try configuration.get(url) {
            // D8: what stands behind the wrong @ would be taken for a host, and shown.
            let isURL = text.contains("://")
            guard !isURL || text.utf8.count(where: { $0 == UInt8(ascii: "@") }) <= 1 else {
                throw .invalid(
                    url.declaration.name,
                    "The URL has more than one @.",
                    hint: "Within the password write @ as %40, : as %3A, / as %2F and % as %25."
                )
            }
            do throws(PostgresFailure) {
                settings = try PostgresSettings(text)
            } catch {
                throw .invalid(url.declaration.name, error.message)
            }
        }
        for (keyword, key) in keywords {
            guard let value = try configuration.get(key) else { continue }
            let isFile = ["sslrootcert", "sslcert", "sslkey"].contains(keyword)
            settings[keyword] = isFile && value != "system" ? configuration.path(value) : value
        }
        if settings["connect_timeout"] == nil {
            let timeout = try configuration.get(connectTimeout)
            settings["connect_timeout"] = String(max(timeout.components.seconds, 1))
        }
        let timeout = try configuration.get(statementTimeout)
        if timeout > .zero { settings.statementTimeout = timeout }
        return settings
    }

    private static func keyword(
        _ name: String,
        _ help: String,
        values: [String] = []
    ) -> ConfigKey<String?> {
        .optional(
            name,
            importance: .low,
            help: help,
            validator: { value in
                values.isEmpty || values.contains(value)
                    ? nil : "must be one of \(values.joined(separator: ", "))"
            }
        )
    }
}
