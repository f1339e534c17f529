import Foundation
public import PostgresClient

/// A PostgreSQL server of the test process's own: on loopback, in a directory under /tmp.
///
/// A watcher stops it and removes its files when the test process ends, however it ends.
public final class PostgresServer: Sendable {
    /// How a server is set up.
    public struct Options: Sendable {
        /// Whether commits wait for the disk.
        public var isDurable = false
        /// Whether it takes encrypted connections, with certificates of a test authority.
        public var usesTLS = false
        /// Further lines of `postgresql.conf`.
        public var settings: [String: String] = [:]

        /// Makes the options of a fast server without encryption.
        public init(
            isDurable: Bool = false,
            usesTLS: Bool = false,
            settings: [String: String] = [:]
        ) {
            self.isDurable = isDurable
            self.usesTLS = usesTLS
            self.settings = settings
        }
    }

    /// How a server is stopped.
    public enum StopMode: String, Sendable {
        /// Sessions are ended, and the server writes what it has.
        case fast
        /// At once, as after a crash: the next start recovers.
        case immediate
    }

    /// What a role of the test server is for.
    public enum Role {
        /// The superuser, trusted.
        public static let superuser = "postgres"
        /// Must give ``password``.
        public static let password = (name: "password_user", password: "pass@word/%:x y")
        /// Must present a client certificate; only on a server with TLS.
        public static let certificate = "certificate_user"
    }

    private static let sharedStart = Result { try PostgresServer.start() }

    /// The server that all suites of the process share, started by the first that asks.
    public static func shared() throws -> PostgresServer { try sharedStart.get() }

    /// The files and the socket of the server.
    public let directory: String
    /// The TCP port on 127.0.0.1.
    public let port: Int
    private let installation: PostgresInstallation
    private let watcher: ProcessWatcher

    /// Makes a cluster and starts it.
    public static func start(_ options: Options = Options()) throws -> PostgresServer {
        try PostgresServer(options, PostgresInstallation.find())
    }

    private init(_ options: Options, _ installation: PostgresInstallation) throws {
        self.installation = installation
        // Short, because the path of a socket has at most 107 bytes.
        directory = "/tmp/mr-pg-" + String(UUID().uuidString.prefix(8).lowercased())
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
        try installation.own(directory)
        guard let port = LoopbackPort.free() else {
            throw PostgresServerError("no free port: errno \(errno)")
        }
        self.port = port
        watcher = try ProcessWatcher(script: installation.endOf(directory), in: directory)
        try installation.run(
            "initdb",
            [
                "-D", data, "-U", Role.superuser, "--auth=trust", "-E", "UTF8", "--locale=C",
                "--no-sync",
            ],
            in: directory
        )
        try configure(options)
        try launch()
        try makeRoles()
    }

    private var data: String { directory + "/data" }

    private func configure(_ options: Options) throws {
        var settings = [
            "wal_level": "logical", "max_wal_senders": "50", "max_replication_slots": "50",
            "max_prepared_transactions": "10", "max_connections": "200",
            "listen_addresses": "127.0.0.1", "port": String(port),
            "unix_socket_directories": directory, "logical_decoding_work_mem": "64kB",
            "shared_buffers": "128MB", "max_wal_size": "1GB", "log_min_messages": "warning",
        ]
        if !options.isDurable {
            settings.merge(["fsync": "off", "full_page_writes": "off"]) { $1 }
        }
        if options.usesTLS {
            try PostgresCertificates.make(in: directory, installation: installation)
            settings.merge([
                "ssl": "on", "ssl_cert_file": directory + "/server.crt",
                "ssl_key_file": directory + "/server.key", "ssl_ca_file": directory + "/ca.crt",
            ]) { $1 }
        }
        settings.merge(options.settings) { $1 }
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0) = '\($1)'\n" }
        try append(lines.joined(), to: data + "/postgresql.conf")
        let access = """
            local all all trust
            host all \(Role.password.name) 127.0.0.1/32 scram-sha-256
            \(options.usesTLS ? "hostssl all \(Role.certificate) 127.0.0.1/32 cert" : "")
            host all all 127.0.0.1/32 trust
            host replication all 127.0.0.1/32 trust

            """
        try Data(access.utf8).write(to: URL(filePath: data + "/pg_hba.conf"))
        try installation.own(data + "/pg_hba.conf")
    }

    private func append(_ text: String, to path: String) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
    }

    private func makeRoles() throws {
        let connection = try PostgresConnection(settings())
        let password = SQLText.literal(Role.password.password)
        try connection.execute(
            """
            CREATE ROLE \(Role.password.name) LOGIN PASSWORD \(password);
            CREATE ROLE \(Role.certificate) LOGIN
            """
        )
    }
}

// MARK: - Starting and stopping

extension PostgresServer {
    private func launch() throws {
        try installation.run(
            "pg_ctl",
            ["-D", data, "-l", directory + "/log", "-w", "-t", "60", "start"],
            in: directory
        )
    }

    /// Starts the server again after a stop.
    public func start() throws { try launch() }

    /// Stops the server; its files stay.
    public func stop(_ mode: StopMode = .fast) throws {
        try installation.run(
            "pg_ctl",
            ["-D", data, "-m", mode.rawValue, "-w", "-t", "60", "stop"],
            in: directory
        )
    }

    /// Stops and starts the server.
    public func restart(_ mode: StopMode = .fast) throws {
        try stop(mode)
        try launch()
    }

    /// Kills every process of the server with SIGKILL, as if the machine had lost power, except
    /// that what was written is not lost.
    public func kill() throws {
        let text = try String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)
        guard let line = text.split(separator: "\n").first, let postmaster = Int32(line) else {
            throw PostgresServerError("the server is not running")
        }
        let children = PostgresInstallation.children(of: postmaster)
        Glibc.kill(postmaster, SIGKILL)
        for child in children { Glibc.kill(child, SIGKILL) }
        let deadline = ContinuousClock.now + .seconds(120)
        // Shared memory is free again only when the last of them is gone.
        while ([postmaster] + children).contains(where: { Glibc.kill($0, 0) == 0 }) {
            guard ContinuousClock.now < deadline else {
                throw PostgresServerError("the server's processes do not die")
            }
            usleep(2_000)
        }
    }

    /// What the server has logged.
    public var log: String {
        (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
    }
}

// MARK: - Connecting

extension PostgresServer {
    /// The settings of a connection.
    public func settings(
        database: String = "postgres",
        user: String = Role.superuser
    ) -> PostgresSettings {
        var settings = PostgresSettings()
        settings["host"] = "127.0.0.1"
        settings["port"] = String(port)
        settings["dbname"] = database
        settings["user"] = user
        return settings
    }

    /// The URL of a database.
    public func url(database: String = "postgres", user: String = Role.superuser) -> String {
        "postgres://\(user)@127.0.0.1:\(port)/\(database)"
    }

    /// A new, empty database, removed when the returned object goes.
    public func makeDatabase() throws -> PostgresDatabase {
        let name = "test_" + UUID().uuidString.lowercased().filter { $0 != "-" }
        let connection = try PostgresConnection(settings())
        try connection.execute("CREATE DATABASE \(name)")
        return PostgresDatabase(server: self, name: name)
    }
}

/// A database of one test's own.
public final class PostgresDatabase: Sendable {
    /// The server that has it.
    public let server: PostgresServer
    /// Its name.
    public let name: String

    fileprivate init(server: PostgresServer, name: String) {
        self.server = server
        self.name = name
    }

    deinit {
        // What cannot be removed now goes with the server.
        let connection = try? PostgresConnection(server.settings())
        _ = try? connection?.execute("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
    }

    /// The URL of the database.
    public var url: String { server.url(database: name) }

    /// The settings of a connection to it.
    public var settings: PostgresSettings { server.settings(database: name) }

    /// A new connection to it.
    public func connect() throws -> PostgresConnection { try PostgresConnection(settings) }
}

/// Why a test server cannot be had.
public struct PostgresServerError: Error, CustomStringConvertible {
    /// What is wrong.
    public var description: String
    init(_ description: String) { self.description = description }
}
