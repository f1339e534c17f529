internal import ChangeCapture
internal import JSONDocuments
internal import ConnectorSDK
internal import FileSystem
internal import Logging

/// Takes signals from the table and from files, and does what they ask.
internal final class SignalInbox {
    /// The directory of the connector's state in which `millrace signal` puts files.
    internal static let directory = "signals"
    /// A signal is a few names; a larger file is something else.
    private static let sizeLimit = 1 << 20

    private let settings: CDCSettings
    private let snapshot: SnapshotBeside
    private let catalog: TableCatalog
    private let directory: String
    private let logger: Logger

    internal init(
        _ settings: CDCSettings,
        _ snapshot: SnapshotBeside,
        _ catalog: TableCatalog,
        stateDirectory: String,
        logger: Logger
    ) {
        self.settings = settings
        self.snapshot = snapshot
        self.catalog = catalog
        directory = "\(stateDirectory)/\(Self.directory)"
        self.logger = logger
    }

    /// Makes the directory for signals, by which `millrace signal` knows that they are taken.
    internal static func prepare(_ stateDirectory: String) throws(ConnectorError) {
        do throws(FileSystemError) {
            try FileSystem.makeDirectories("\(stateDirectory)/\(directory)")
        } catch {
            throw ConnectorError(
                .fileSystem,
                .failTask,
                "The connector's directory cannot be made: \(error).",
                kind: .environment
            )
        }
    }

    /// Does what files ask, in the order of their names, and removes them.
    internal func runFiles() async throws(ConnectorError) {
        let names = (try? FileSystem.names(in: directory)) ?? []
        for name in names.sorted() where name.hasSuffix(".json") {
            let path = "\(directory)/\(name)"
            let bytes = try onFile(path) { () throws(FileSystemError) in
                try FileSystem.content(of: path, limit: Self.sizeLimit) ?? []
            }
            try await run(RawSignal(file: String(decoding: bytes, as: UTF8.self)))
            try await snapshot.settle()
            // Only now: what is asked is durable, and asking again does no harm.
            try onFile(path) { () throws(FileSystemError) in try FileSystem.remove(path) }
        }
    }

    private func onFile<Result>(
        _ path: String,
        _ body: () throws(FileSystemError) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(FileSystemError) {
            return try body()
        } catch {
            throw ConnectorError(
                .fileSystem,
                .failTask,
                "A signal cannot be read or removed: \(error).",
                kind: .environment,
                hint: "Remove \(path)."
            )
        }
    }

    /// Does what a signal asks.
    ///
    /// One that cannot be understood is told in the log, and no more: it must not stop what works.
    internal func run(_ raw: RawSignal) async throws(ConnectorError) {
        let signal: Signal
        do throws(SignalError) {
            signal = try Signal(id: raw.id, type: raw.type, data: raw.data)
        } catch {
            return logger.warning(
                "a signal is not understood",
                metadata: ["id": "\(raw.id)", "reason": "\(error.message)"]
            )
        }
        logger.info("signal", metadata: ["id": "\(raw.id)", "type": "\(raw.type)"])
        try await run(signal)
    }

    private func run(_ signal: Signal) async throws(ConnectorError) {
        switch signal.request {
        case .executeSnapshot(let expressions, let filters):
            try await execute(expressions, filters, signal)
        case .stopSnapshot(let expressions):
            let meant = NameFilter(expressions)
            try await snapshot.stop { expressions.isEmpty || meant.matches($0) }
        case .pauseSnapshot: snapshot.isPaused = true
        case .resumeSnapshot: snapshot.isPaused = false
        case .log(let message):
            logger.info("message of a signal", metadata: ["message": "\(message)"])
        }
    }

    private func execute(
        _ expressions: [String],
        _ filters: [Signal.Filter],
        _ signal: Signal
    ) async throws(ConnectorError) {
        let meant = NameFilter(expressions)
        let publication = try Publication.find(settings.publication, catalog.database)
        let tables = try catalog.captured(settings, by: publication).filter {
            meant.matches($0.fullName)
        }
        if tables.isEmpty {
            logger.warning("a signal means no captured table", metadata: ["id": "\(signal.id)"])
        }
        for table in tables {
            let filter = filters.first { NameFilter([$0.tables]).matches(table.fullName) }
            try await snapshot.add(table, startsOver: true, filter: filter?.condition)
        }
    }
}

/// A signal as it came.
internal struct RawSignal: Equatable, Sendable {
    internal var id: String
    internal var type: String
    internal var data: String

    internal init(id: String, type: String, data: String) {
        self.id = id
        self.type = type
        self.data = data
    }

    /// Reads a file: an object with `id`, `type`, and `data` as an object or as its text.
    internal init(file text: String) {
        let tree = JSONDocument(parsing: text)
        id = tree?["id"]?.string ?? ""
        type = tree?["type"]?.string ?? ""
        data = tree?["data"].map { $0.string ?? $0.text } ?? ""
    }
}
