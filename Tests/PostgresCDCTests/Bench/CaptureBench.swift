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
    private let store: EmbeddedTopicStore
    private let connection = Mutex<PostgresConnection?>(nil)

    static let catalog = PluginCatalog(
        sources: [PostgresCDCSource.self],
        sinks: [],
        converters: [JSONConverter.self, StringConverter.self]
    )

    init(_ server: PostgresServer? = nil, sql: String = "") throws {
        let server = if let server { server } else { try PostgresServer.shared() }
        database = try server.makeDatabase()
        directory = try TemporaryDirectory()
        slot = "s" + UUID().uuidString.lowercased().filter { $0 != "-" }
        store = try EmbeddedTopicStore(
            directory: directory.file("data"),
            mode: .readWrite,
            logger: Self.logger
        )
        if !sql.isEmpty { try database.connect().execute(sql) }
    }

    deinit { store.close() }

    /// Logs nothing, unless somebody looks for what went wrong.
    static let logger: Logger = {
        guard ProcessInfo.processInfo.environment["MILLRACE_TEST_LOG"] != nil else {
            return Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        }
        return Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
    }()

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

    /// A runner of one source `db`, with the topic prefix `t`, that does not wait for anything.
    func capture(_ values: [String: String] = [:], untilEnd: Bool = false) -> Captured {
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
            logger: Self.logger
        )
        return Captured(runner)
    }

    /// Captures until the end of what there is, and returns the error that stopped it, if any.
    @discardableResult
    func captureAll(_ values: [String: String] = [:]) async -> ConnectorError? {
        await capture(values, untilEnd: true).end()
    }

    // MARK: - What is in the topics

    /// The changes of a table, in order; tombstones are events without an operation.
    func events(_ table: String = "public.t") throws -> [Event] {
        try records("t.\(table)").map { try Event($0) }
    }

    /// The records of a topic, in the order of its partition.
    func records(_ topic: String) throws -> [Stored] {
        guard try store.describe(topic) != nil else { return [] }
        let place = TopicPartition(topic, 0)
        let reader = try store.makeReader(place, from: try store.offsets(of: place).start)
        let batch = RecordBatch()
        var found: [Stored] = []
        while true {
            batch.reset(topic: topic)
            guard try reader.read(into: batch) > 0 else { return found }
            for row in batch.indices { found.append(Stored(batch, row)) }
        }
    }

    /// The number of records in a topic.
    func count(_ table: String = "public.t") throws -> Int64 {
        let topic = "t.\(table)"
        guard try store.describe(topic) != nil else { return 0 }
        return try store.offsets(of: TopicPartition(topic, 0)).end
    }

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
        seconds: Double = 30,
        _ place: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
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

    init(_ runner: PipelineRunner) {
        self.runner = runner
        task = Task { await runner.run() }
    }

    /// Stops it in order, and waits; returns the error that stopped it, if any.
    @discardableResult
    func stop() async -> ConnectorError? {
        runner.stop()
        return await end()
    }

    /// Waits until it ends by itself.
    func end() async -> ConnectorError? {
        let summary = await task.value
        let connector = summary.pipelines.flatMap(\.connectors).first
        return connector?.state == .failed ? connector?.error : nil
    }

    var records: Int64 { runner.progress().first?.records ?? 0 }
}
