import ConnectorSDK
import Converters
import Foundation
import Logging
import PipelineEngine
import PostgresCDCConnector
import PostgresClient
import Synchronization
import TestServices
import Testing
import TopicLog
import Topics

/// A database of a real server, and pipelines that capture it into a real store.
final class CaptureBench: Sendable {
    let database: PostgresDatabase
    let directory: TemporaryDirectory
    let slot: String
    private let stored: StoredTopics
    private var store: EmbeddedTopicStore { stored.store }
    private let connection = Mutex<PostgresConnection?>(nil)

    static let catalog = PluginCatalog(
        sources: [PostgresCDCSource.self],
        sinks: [],
        converters: [JSONConverter.self, StringConverter.self],
        transforms: [Slow.self, Brake.self, Gate.self]
    )

    init(_ server: PostgresServer? = nil, sql: String = "") throws {
        let server = if let server { server } else { try PostgresServer.shared() }
        database = try server.makeDatabase()
        directory = try TemporaryDirectory()
        slot = "s" + UUID().uuidString.lowercased().filter { $0 != "-" }
        stored = try StoredTopics(directory.file("data"))
        if !sql.isEmpty { try database.connect().execute(sql) }
    }

    deinit {
        // A database with a slot cannot be dropped, and the server has room for few.
        let connection = try? PostgresConnection(database.server.settings())
        for _ in 0..<100 {
            let slots = "FROM pg_replication_slots WHERE slot_name = '\(slot)'"
            _ = try? connection?.execute("SELECT pg_terminate_backend(active_pid) \(slots)")
            _ = try? connection?.execute("SELECT pg_drop_replication_slot(slot_name) \(slots)")
            let left = try? connection?.execute("SELECT count(*) \(slots)").string(0, 0)
            if left != "1" { break }
            usleep(20_000)
        }
    }

    /// Runs statements in the database.
    @discardableResult
    func sql(_ text: String) throws -> PostgresResult {
        try connection.withLock { open in
            let connection = try open ?? database.connect()
            open = connection
            return try connection.execute(text)
        }
    }

    /// One value of the database as text.
    func value(_ text: String) throws -> String? { try sql(text).string(0, 0) }

    // MARK: - Capturing

    /// Three batches a second, so that a capture is not over when it is stopped.
    static let brake = ["transforms": "brake", "transforms.brake.type": "Brake"]

    /// A capture that has told some rows of `t`, and tells the others only when it is stopped, or
    /// not then.
    func captureSome(_ values: [String: String] = [:]) async throws -> Captured {
        let gate = UUID().uuidString
        let keys = [
            "transforms": "gate", "transforms.gate.type": "Gate", "transforms.gate.number": gate,
        ]
        let held = capture(values.merging(keys) { $1 }, gate: gate)
        try await until("some of it is told") {
            Gate.look(gate)
            return try count() > 0
        }
        return held
    }

    /// A runner of one source `db`, with the topic prefix `t`, that does not wait for anything.
    func capture(
        _ values: [String: String] = [:],
        untilEnd: Bool = false,
        gate: String? = nil
    ) -> Captured {
        var all = [
            "url": database.url, "topic.prefix": "t", "slot.name": slot,
            "publication.name": "p", "heartbeat.interval.ms": "50",
            "table.poll.interval.ms": "200", "errors.retry.delay.max.ms": "50",
            "slot.retry.delay.ms": "5s",
        ]
        all.merge(values) { $1 }
        let definition = ConnectorDefinition(
            name: "db",
            kind: .source,
            plugin: "postgres-cdc",
            values: all.filter { !$0.value.isEmpty }
        )
        let log = CollectedLog()
        let runner = PipelineRunner(
            [
                PipelineDefinition(
                    name: "test",
                    baseDirectory: directory.path,
                    connectors: [definition]
                )
            ],
            store: store,
            catalog: Self.catalog,
            options: RunOptions(dataDirectory: directory.file("data"), untilEnd: untilEnd),
            logger: Logger(label: "test") { _ in log }
        )
        return Captured(runner, log, gate)
    }

    /// Captures until the end of what there is, and returns the error that stopped it, if any.
    @discardableResult
    func captureAll(_ values: [String: String] = [:]) async -> ConnectorError? {
        await capture(values, untilEnd: true).end()
    }

    /// What a connector is given that does not run.
    var context: ConnectorContext {
        ConnectorContext(
            name: "db",
            taskID: 0,
            taskCount: 1,
            stateDirectory: directory.file("state"),
            formats: FormatCatalog([]),
            logger: StoredTopics.silent
        )
    }

    // MARK: - What is in the topics

    func events(_ table: String = "public.t") throws -> [Event] { try stored.events(table) }

    func records(_ topic: String) throws -> [Stored] { try stored.records(topic) }

    func count(_ table: String = "public.t") throws -> Int64 { try stored.count(table) }

    var topics: [String] { (try? store.topics().map(\.name)) ?? [] }

    var positions: [String: String] {
        get throws { try store.positions(of: "db") }
    }

    func setPositions(_ positions: [String: String?]) throws {
        try store.setPositions(of: "db", to: positions)
    }

    // MARK: - The server

    /// Waits until a condition holds.
    func until(
        _ what: String,
        seconds: Double = 120,
        _ place: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        // Attempts count as well as time: other tests may keep this one from running for long.
        let deadline = ContinuousClock.now + .seconds(seconds)
        var attempts = 0
        while try await !condition() {
            attempts += 1
            guard ContinuousClock.now < deadline || attempts < 500 else {
                Issue.record("It did not come to be that \(what).", sourceLocation: place)
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Waits until everything that was committed until now is in the topics, and confirmed.
    func caughtUp(_ place: SourceLocation = #_sourceLocation) async throws {
        try sql("SELECT pg_logical_emit_message(true, 'millrace:log', '')")
        let end = try value("SELECT pg_current_wal_insert_lsn()") ?? ""
        try await until("everything has arrived", place) {
            try value(
                "SELECT confirmed_flush_lsn >= '\(end)' FROM pg_replication_slots "
                    + "WHERE slot_name = '\(slot)'"
            ) == "t"
        }
    }

    /// Waits until a table was read.
    func isRead(
        _ table: String = "public.t",
        _ place: SourceLocation = #_sourceLocation
    ) async throws {
        try await until("\(table) was read", place) {
            try positions[table]?.contains("done") == true
        }
    }

    /// The slot's `confirmed_flush_lsn`, `restart_lsn` and so on; `nil` when there is no slot.
    func slotValue(_ column: String) throws -> String? {
        try value("SELECT \(column) FROM pg_replication_slots WHERE slot_name = '\(slot)'")
    }
}

/// A run of a capture.
final class Captured: Sendable {
    let runner: PipelineRunner
    private let task: Task<RunSummary, Never>
    private let collected: CollectedLog
    private let gate: String?

    init(_ runner: PipelineRunner, _ log: CollectedLog, _ gate: String?) {
        self.runner = runner
        self.gate = gate
        collected = log
        task = Task { await runner.run() }
    }

    deinit {
        runner.stop()
        if let gate { Gate.open(gate) }
    }

    /// Stops it in order, and waits; returns the error that stopped it, if any.
    @discardableResult
    func stop() async -> ConnectorError? {
        runner.stop()
        if let gate { Gate.open(gate) }
        return await end()
    }

    /// Waits until it ends by itself.
    func end() async -> ConnectorError? {
        let summary = await task.value
        let connector = summary.pipelines.flatMap(\.connectors).first
        return connector?.state == .failed ? connector?.error : nil
    }

    /// What it has logged so far, a line for each entry.
    var log: String { collected.text }

    var records: Int64 { runner.progress().first?.records ?? 0 }
}
