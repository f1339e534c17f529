import ConnectorSDK
import ConnectorTesting
import Glibc
import Logging
import SQLiteClient
import Synchronization
import Testing

@testable import SQLiteCDCConnector

/// A database whose changes are captured, gone when the test is.
final class CapturedDatabase {
    let directory: String
    var path: String { directory + "/app.db" }
    /// A connection as another process would have it.
    let writer: SQLiteHandle
    /// What was sent so far, by every run.
    private(set) var records: [CapturedRecord] = []
    private(set) var rejections: [RejectedRecord] = []
    private(set) var positions: [String: String] = [:]
    /// What was logged, by every run.
    let messages = Messages()

    init(_ sql: String = "", journal: String = "WAL") throws {
        var template = Array("/tmp/millrace-sqlite-cdc-test-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        writer = try SQLiteHandle(path: directory + "/app.db", mode: .create)
        try writer.execute("PRAGMA journal_mode = \(journal); PRAGMA synchronous = OFF")
        try writer.execute("PRAGMA foreign_keys = ON; \(sql)")
    }

    deinit {
        for name in ["app.db", "copy.db"] {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                unlink(directory + "/" + name + suffix)
            }
        }
        rmdir(directory)
    }

    func execute(_ sql: String) throws { try writer.execute(sql) }

    /// The first column of a query's rows, as text.
    func column(_ sql: String) throws -> [String] {
        let query = try writer.prepare(sql)
        var values: [String] = []
        while try query.step() { values.append(query.string(0)) }
        return values
    }

    var ownObjects: [String] {
        get throws {
            try column("SELECT name FROM sqlite_schema WHERE name LIKE '\\_\\_%' ESCAPE '\\'")
        }
    }

    func configuration(_ values: [String: String] = [:]) -> Configuration {
        let base = [
            "path": path, "topic.prefix": "app", "heartbeat.interval.ms": "0",
            "poll.interval.ms": "1", "prune.interval.ms": "0",
        ]
        return Configuration(base.merging(values) { $1 })
    }

    func context(_ name: String = "changes", untilEnd: Bool = true) -> ConnectorContext {
        let messages = messages
        return ConnectorContext(
            name: name,
            untilEnd: untilEnd,
            stateDirectory: directory,
            formats: FormatCatalog([]),
            logger: Logger(label: "test", factory: { _ in messages.handler })
        )
    }

    func source(
        _ values: [String: String] = [:],
        name: String = "changes",
        untilEnd: Bool = true
    ) throws -> SQLiteCDCSource {
        try SQLiteCDCSource(
            configuration: configuration(values),
            context: context(name, untilEnd: untilEnd)
        )
    }

    /// Runs a source until it has told everything, and returns what it told.
    @discardableResult
    func capture(
        _ values: [String: String] = [:],
        name: String = "changes",
        untilEnd: Bool = true,
        configure: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> [CapturedRecord] {
        let source = try source(values, name: name, untilEnd: untilEnd)
        let outlet = RecordingOutlet(for: source)
        configure(outlet)
        defer {
            records += outlet.records
            rejections += outlet.rejections
            positions.merge(outlet.durablePositions) { $1 }
        }
        try await source.run(from: positions, into: outlet)
        return outlet.records
    }

    /// Captures on, and calls `body` with the number of the pause whenever there is nothing to tell.
    @discardableResult
    func follow(
        _ values: [String: String] = [:],
        pauses: Int,
        _ body: @escaping (Int) throws -> Void
    ) async throws -> [CapturedRecord] {
        try await capture(values, untilEnd: false) { outlet in
            outlet.stopAfterIdling = pauses
            outlet.onIdle = { number in
                if number < pauses { try body(number) }
            }
        }
    }

    /// The error that a run ends with.
    func failure(
        _ values: [String: String] = [:],
        name: String = "changes"
    ) async throws -> ConnectorError? {
        do {
            try await capture(values, name: name)
            return nil
        } catch let error as ConnectorError {
            return error
        }
    }

    func number(_ sql: String) throws -> Int {
        try column(sql).first.flatMap { Int($0) } ?? -1
    }

    func forgetPositions() { positions = [:] }
}

/// Keeps what is logged.
final class Messages: Sendable {
    private let kept = Mutex<[String]>([])

    /// Level and text of each, with its metadata.
    var all: [String] { kept.withLock { $0 } }

    fileprivate func note(_ text: String) { kept.withLock { $0.append(text) } }

    var handler: any LogHandler { Handler(messages: self) }

    private struct Handler: LogHandler {
        let messages: Messages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }
                .map { " \($0.key)=\($0.value)" }.joined()
            messages.note("\(event.level): \(event.message)\(values)")
        }
    }
}

extension CapturedRecord {
    /// What happened, in few words: `orders c 1 null>{"id":1}`, with the key's first field.
    var change: String {
        let name = topic.drop { $0 != "." }.dropFirst()
        let key = key?.first.map { "\($0.value)" } ?? "no key"
        if isTombstone { return "\(name) - \(key)" }
        return "\(name) \(text("op")) \(key) \(text("before"))>\(text("after"))"
    }

    private func text(_ name: String) -> String {
        switch self[name] {
        case .json(let text), .string(let text): text
        case .null: "null"
        default: "?"
        }
    }

    /// The place in the transaction, as its mark says.
    var order: Int {
        header("millrace.transaction").flatMap { $0.split(separator: ":").last.flatMap { Int($0) } }
            ?? 0
    }

    func header(_ name: String) -> String? {
        headers.first { $0.key == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}
