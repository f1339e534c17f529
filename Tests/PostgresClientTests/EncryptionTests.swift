import PostgresClient
import TestServices
import Testing

@Suite("PostgreSQL encryption")
struct EncryptionTests {
    /// A server of the suite's own, because the shared one has no certificates.
    private static let start = Result { try PostgresServer.start(.init(usesTLS: true)) }
    let server: PostgresServer

    init() throws { server = try Self.start.get() }

    func connect(_ keywords: [String: String]) throws -> PostgresConnection {
        var settings = server.settings()
        for (keyword, value) in keywords { settings[keyword] = value }
        return try PostgresConnection(settings)
    }

    @Test("sslmode decides whether and how far the server is trusted")
    func modes() throws {
        let authority = server.directory + "/ca.crt"
        #expect(try !connect(["sslmode": "disable"]).isEncrypted)
        #expect(try connect(["sslmode": "require"]).isEncrypted)
        #expect(try connect(["sslmode": "verify-ca", "sslrootcert": authority]).isEncrypted)
        let full = ["sslmode": "verify-full", "sslrootcert": authority]
        #expect(try connect(full).isEncrypted)
        #expect(try connect(full.merging(["host": "localhost"]) { $1 }).isEncrypted)
    }

    @Test(
        "a server that cannot be trusted is refused for good",
        arguments: [
            ["sslmode": "verify-ca", "sslrootcert": "stranger.crt"],
            ["sslmode": "verify-full", "sslrootcert": "missing.crt"],
            ["sslmode": "verify-full", "sslrootcert": "ca.crt", "host": "ip6-localhost"],
        ]
    )
    func untrusted(_ keywords: [String: String]) throws {
        var keywords = keywords
        keywords["sslrootcert"] = keywords["sslrootcert"].map { "\(server.directory)/\($0)" }
        if keywords["host"] != nil {
            keywords["host"] = "another.example"
            keywords["hostaddr"] = "127.0.0.1"
        }
        let failure = #expect(throws: PostgresFailure.self) { try connect(keywords) }
        #expect(failure?.state == .rejected && failure?.isTransient == false)
    }

    @Test("a role that needs a client certificate gets in with it, and only with it")
    func clientCertificate() throws {
        let keywords = [
            "sslmode": "verify-full", "sslrootcert": server.directory + "/ca.crt",
            "user": PostgresServer.Role.certificate,
        ]
        let certificate = [
            "sslcert": server.directory + "/client.crt", "sslkey": server.directory + "/client.key",
        ]
        let connection = try connect(keywords.merging(certificate) { $1 })
        #expect(connection.user == PostgresServer.Role.certificate)
        let failure = #expect(throws: PostgresFailure.self) {
            try connect(keywords.merging(["sslcert": "/nowhere"]) { $1 })
        }
        #expect(failure?.isTransient == false)
    }

    @Test("a server without TLS is refused for good where it is required")
    func noTLS() throws {
        var settings = try PostgresServer.shared().settings()
        settings["sslmode"] = "require"
        let failure = #expect(throws: PostgresFailure.self) { try PostgresConnection(settings) }
        #expect(failure?.state == .rejected && failure?.isTransient == false)
    }
}
