import Foundation
import PostgresClient
import TestServices
import Testing

@Suite("PostgreSQL connection")
struct ConnectionTests {
    let server: PostgresServer

    init() throws { server = try PostgresServer.shared() }

    @Test("takes a URL, a keyword string or single keys")
    func waysToConnect() throws {
        let port = server.port
        var single = PostgresSettings()
        single["host"] = server.directory
        single["port"] = String(port)
        single["user"] = "postgres"
        single["dbname"] = "postgres"
        let ways = [
            try PostgresSettings(server.url()),
            try PostgresSettings(
                "postgresql://postgres@127.0.0.1:\(port)/postgres?sslmode=disable"
            ),
            try PostgresSettings("host=127.0.0.1 port=\(port) user=postgres dbname=postgres"),
            single,
        ]
        for settings in ways {
            let connection = try PostgresConnection(settings)
            #expect(try connection.execute("SELECT 1 + 1").int(0, 0) == 2)
            #expect(connection.database == "postgres" && connection.user == "postgres")
            #expect(connection.serverVersion >= 120_000 && connection.isAlive)
        }
    }

    @Test("takes service and password files")
    func serviceAndPasswordFile() throws {
        let directory = try TemporaryDirectory()
        let role = PostgresServer.Role.password
        let escaped = role.password.replacingOccurrences(of: ":", with: "\\:")
        let passwords = try directory.write(
            "127.0.0.1:\(server.port):*:\(role.name):\(escaped)\n",
            to: "pgpass"
        )
        chmod(passwords, 0o600)
        let service = try directory.write(
            "[test]\nhost=127.0.0.1\nport=\(server.port)\ndbname=postgres\nuser=\(role.name)\n",
            to: "services"
        )
        var settings = try PostgresSettings("service=test passfile=\(passwords)")
        settings["servicefile"] = nil
        setenv("PGSERVICEFILE", service, 1)
        defer { unsetenv("PGSERVICEFILE") }
        #expect(try PostgresConnection(settings).user == role.name)
    }

    @Test("a password in a URL is used, escaped, and never shown")
    func password() throws {
        let role = PostgresServer.Role.password
        let escaped = try #require(
            role.password.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        )
        let good = "postgres://\(role.name):\(escaped)@127.0.0.1:\(server.port)/postgres"
        let settings = try PostgresSettings(good)
        #expect(try PostgresConnection(settings).user == role.name)
        #expect(!"\(settings) \(String(reflecting: settings))".contains("pass@"))
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("pass@") && dumped.contains(role.name))

        var wrong = settings
        wrong["password"] = "sesame-open"
        let failure = #expect(throws: PostgresFailure.self) { try PostgresConnection(wrong) }
        #expect(failure?.state == .invalidPassword)
        #expect(failure?.isTransient == false && failure?.origin == .server)
        #expect(failure.map { !$0.message.contains("sesame") } == true)
    }

    @Test(
        "a connection string that cannot be read is refused without being quoted",
        arguments: [
            "postgres://u:pa@sesame@127.0.0.1/db", "postgres://u:pa/sesame@127.0.0.1/db",
            "postgres://u:sesame%@127.0.0.1/db", "postgres://h/db?sesame",
            "host=127.0.0.1 password=my sesame", "password='sesame", "postgres://u:sesame%00@h/db",
            "postgres://h/db?sesame=1", "postgres://[::1sesame/db", "port=sesame",
        ]
    )
    func unreadable(_ text: String) throws {
        let failure = #expect(throws: PostgresFailure.self) {
            _ = try PostgresConnection(PostgresSettings(text))
        }
        let words = try #require(failure)
        #expect(words.origin == .client)
        #expect(!"\(words) \(words.message)".contains("sesame"))
    }

    @Test("refusals have their SQLSTATE and say whether another try may help")
    func refusals() throws {
        let missing = #expect(throws: PostgresFailure.self) {
            try PostgresConnection(server.settings(database: "no_such_database"))
        }
        #expect(missing?.state == .noSuchDatabase && missing?.isTransient == false)

        let nobody = #expect(throws: PostgresFailure.self) {
            try PostgresConnection(server.settings(user: "no_such_user"))
        }
        #expect(nobody?.state == .invalidAuthorization && nobody?.isTransient == false)

        var closed = server.settings()
        closed["port"] = "1"
        let refused = #expect(throws: PostgresFailure.self) { try PostgresConnection(closed) }
        #expect(refused?.origin == .connection && refused?.isTransient == true)
        #expect(refused?.message.contains("Connection refused") == true)
    }

    @Test("a server that never answers is given up after connect_timeout", .timeLimit(.minutes(10)))
    func connectTimeout() throws {
        let silent = try SilentListener()
        var settings = server.settings()
        settings["port"] = String(silent.port)
        settings["connect_timeout"] = "1"
        settings["sslmode"] = "disable"
        let start = ContinuousClock.now
        let failure = #expect(throws: PostgresFailure.self) { try PostgresConnection(settings) }
        #expect(failure?.origin == .connection && failure?.isTransient == true)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("one of several hosts suffices")
    func severalHosts() throws {
        var settings = server.settings()
        settings["host"] = "127.0.0.1,127.0.0.1"
        settings["port"] = "1,\(server.port)"
        #expect(try PostgresConnection(settings).isAlive)
    }

    @Test("a server that is not there is told in one line, without libpq's advice")
    func absent() throws {
        let settings = try PostgresSettings("postgres://somebody@127.0.0.1:1/db")
        let failure = #expect(throws: PostgresFailure.self) { try PostgresConnection(settings) }
        let message = try #require(failure?.message)
        #expect(message.contains("127.0.0.1") && message.hasSuffix("Connection refused"))
    }

    @Test("a statement stops at its timeout, or when it is cancelled", .timeLimit(.minutes(10)))
    func timeouts() async throws {
        var settings = server.settings()
        settings.statementTimeout = .milliseconds(50)
        let limited = try PostgresConnection(settings)
        let late = #expect(throws: PostgresFailure.self) {
            try limited.execute("SELECT pg_sleep(60)")
        }
        #expect(late?.state == .queryCancelled && late?.isConnectionLost == false)
        #expect(try limited.execute("SELECT 1").int(0, 0) == 1)

        let connection = try PostgresConnection(server.settings())
        let canceller = try connection.makeCanceller()
        let process = connection.backendProcess
        let server = server
        async let cancelled: Void = {
            let observer = try PostgresConnection(server.settings())
            let isRunning = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = \(process)"
            while try observer.execute(isRunning).bool(0, 0) != true {}
            try canceller.cancel()
        }()
        let failure = #expect(throws: PostgresFailure.self) {
            try connection.execute("SELECT pg_sleep(500)")
        }
        try await cancelled
        #expect(failure?.state == .queryCancelled)
    }

    @Test("a session whose server process ends says that the connection is lost")
    func lost() throws {
        let connection = try PostgresConnection(server.settings())
        let other = try PostgresConnection(server.settings())
        try other.execute("SELECT pg_terminate_backend(\(connection.backendProcess))")
        let failure = #expect(throws: PostgresFailure.self) { try connection.execute("SELECT 1") }
        #expect(failure?.isConnectionLost == true && failure?.isTransient == true)
        #expect(!connection.isAlive)
    }

    @Test("notices are kept until they are taken")
    func notices() throws {
        let connection = try PostgresConnection(server.settings())
        try connection.execute("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
        #expect(connection.takeNotices().map(\.message) == ["one", "two"])
        #expect(connection.takeNotices().isEmpty)
    }
}

/// Accepts connections in its backlog and never answers.
final class SilentListener {
    let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        try withUnsafeMutableBytes(of: &address) { bytes in
            let base = try #require(bytes.bindMemory(to: sockaddr.self).baseAddress)
            try #require(bind(descriptor, base, length) == 0)
            try #require(getsockname(descriptor, base, &length) == 0)
        }
        try #require(listen(descriptor, 8) == 0)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}
