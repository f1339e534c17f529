internal import ConnectorSDK
internal import FileSystem
internal import Glibc
internal import Logging
internal import SQLiteClient
internal import SQLiteTables

/// The sink's connection: its transaction, its offsets and its write-ahead log.
internal final class SinkDatabase {
    /// Pages added to the log before the checkpoint thread is asked to move them.
    private static let pagesPerCheckpoint: Int64 = 1_000
    /// The log's size from which on writing waits for a checkpoint (D7), and what a transaction
    /// may write.
    private static let logLimit: Int64 = 256 << 20

    private let settings: SinkSettings
    private let logger: Logger
    /// Whether each batch must be one that can be undone alone.
    private let answersEachBatch: Bool
    private let handle: SQLiteHandle
    private let shared: SharedDatabase
    private let batches: BatchTableHandle
    private let writer: BatchWriter
    private let offsets: OffsetTable
    private let savepoint: SQLiteStatement
    private let release: SQLiteStatement
    private let readSchemaVersion: SQLiteStatement
    private let readSize: SQLiteStatement
    private let pageSize: Int64
    private var assigned: [TopicPartition: Int64?] = [:]
    private var pace: TransactionPace
    private var schemaVersion: Int64 = -1
    private var holdsTurn = false
    private var isClosed = false
    private var rows = 0
    private var pagesBefore: Int64 = 0
    private var sizeBefore: Int64 = 0
    private var pagesAtRequest: Int64 = 0
    private var warnedAtPages: Int64 = 0

    internal init(
        _ settings: SinkSettings,
        _ context: ConnectorContext
    ) throws(ConnectorError) {
        self.settings = settings
        logger = context.logger
        answersEachBatch = context.answersEachBatch
        try reportingToEngine { () throws(FileSystemError) in
            try FileSystem.makeDirectories(FileSystem.directory(of: settings.path))
        }
        do throws(SQLiteFailure) {
            handle = try Self.open(settings)
            pageSize = try Self.integer("PRAGMA page_size", handle)
            pace = TransactionPace(
                records: settings.transactionRecords,
                cacheLimit: settings.cacheBytes,
                pageLimit: Self.logLimit / max(pageSize, 512)
            )
            batches = BatchTableHandle(handle)
            writer = BatchWriter(settings, batches)
            offsets = try OffsetTable(connector: context.name, in: handle)
            savepoint = try handle.prepare("SAVEPOINT batch")
            release = try handle.prepare("RELEASE batch")
            readSchemaVersion = try handle.prepare("PRAGMA schema_version")
            readSize = try handle.prepare("PRAGMA page_count")
        } catch {
            throw .sqlite(error, "open the database \(settings.path)", path: settings.path)
        }
        shared = SharedDatabase.join(Self.canonical(settings.path))
        try attempt("size the cache") { () throws(SQLiteFailure) in try sizeCache() }
    }

    deinit { close() }

    private static func open(_ settings: SinkSettings) throws(SQLiteFailure) -> SQLiteHandle {
        let handle = try SQLiteHandle(
            path: settings.path,
            mode: .create,
            busyTimeout: settings.busyTimeout
        )
        try handle.execute("PRAGMA journal_mode = \(settings.journalMode.rawValue)")
        try handle.execute("PRAGMA synchronous = \(settings.synchronous.rawValue)")
        return handle
    }

    private static func canonical(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func integer(
        _ sql: String,
        _ handle: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> Int64 {
        let statement = try handle.prepare(sql)
        return try statement.step() ? statement.int64(0) : 0
    }

    private func sizeCache() throws(SQLiteFailure) {
        try handle.execute("PRAGMA cache_size = -\(pace.cacheBytes / 1_024)")
    }

    /// How many records the next transaction should have.
    internal var preferredRecords: Int { pace.records }

    /// Takes over partitions; returns the next offset of those that were ever written.
    internal func assign(
        _ partitions: [TopicPartition]
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        var found: [TopicPartition: Int64] = [:]
        assigned = [:]
        for partition in partitions {
            let offset = try attempt("read offsets") { () throws(SQLiteFailure) in
                try offsets.offset(of: partition)
            }
            found[partition] = offset
            assigned[partition] = .some(offset)
        }
        return found
    }

    /// Writes a batch, within a transaction that is begun if there is none.
    ///
    /// A batch that is refused has no effect.
    internal func write(_ batch: RecordBatch) throws(ConnectorError) {
        try begin()
        var isWritten = false
        if !answersEachBatch { isWritten = try writer.writeCertain(batch, to: handle) }
        if !isWritten { try writeWithinSavepoint(batch) }
        rows += batch.count
        if batches.takeSpill(), pace.noteSpill() {
            try attempt("size the cache") { () throws(SQLiteFailure) in try sizeCache() }
        }
    }

    private func writeWithinSavepoint(_ batch: RecordBatch) throws(ConnectorError) {
        try attempt("write") { () throws(SQLiteFailure) in try savepoint.run() }
        do throws(ConnectorError) {
            try writer.write(batch, to: handle)
        } catch {
            throw undo(error)
        }
        try attempt("write") { () throws(SQLiteFailure) in try release.run() }
    }

    /// Makes everything written durable together with offsets. (D2)
    internal func commit(_ next: [TopicPartition: Int64]) throws(ConnectorError) {
        let changed = next.filter { assigned[$0.key] != .some($0.value) }
        guard handle.isInTransaction || !changed.isEmpty else { return }
        try begin()
        try attempt("commit") { () throws(SQLiteFailure) in
            for (partition, offset) in changed { try offsets.set(offset, of: partition) }
            try handle.execute("COMMIT")
        }
        for (partition, offset) in changed { assigned[partition] = offset }
        try tendLog()
        passTurn()
        rows = 0
    }

    /// Ends the connection; what was not committed is gone.
    internal func close() {
        guard !isClosed else { return }
        isClosed = true
        if handle.isInTransaction { try? handle.execute("ROLLBACK") }
        passTurn()
        shared.leave()
    }
}

// MARK: - Transactions

extension SinkDatabase {
    private func begin() throws(ConnectorError) {
        guard !handle.isInTransaction else { return }
        if !holdsTurn {
            guard shared.turn.take(within: settings.busyTimeout) else {
                throw ConnectorError(
                    .init("sqlite.busy"),
                    .retry(after: nil),
                    "Another sink of this process is writing to \(settings.path).",
                    kind: .environment,
                    hint: "Raise busy.timeout.ms, or write with fewer tasks."
                )
            }
            holdsTurn = true
        }
        do throws(ConnectorError) {
            // At once the writer's lock: a reader that becomes a writer could not wait for it.
            try attempt("begin a transaction") { () throws(SQLiteFailure) in
                try handle.execute("BEGIN IMMEDIATE")
            }
            try checkOffsets()
            try checkSchema()
        } catch {
            if handle.isInTransaction { try? handle.execute("ROLLBACK") }
            passTurn()
            throw error
        }
        pagesBefore = batches.pagesInLog
        sizeBefore = try size()
    }

    /// The pages of the database.
    private func size() throws(ConnectorError) -> Int64 {
        try attempt("read the size") { () throws(SQLiteFailure) in
            defer { readSize.reset() }
            return try readSize.step() ? readSize.int64(0) : 0
        }
    }

    /// D2: were two tasks to write one partition, only one's offsets would be those expected.
    private func checkOffsets() throws(ConnectorError) {
        for (partition, expected) in assigned {
            let offset = try attempt("read offsets") { () throws(SQLiteFailure) in
                try offsets.offset(of: partition)
            }
            guard offset != expected else { continue }
            throw ConnectorError(
                .init("sqlite.fenced"),
                .retry(after: nil),
                "Someone else wrote the partition \(partition) for this connector meanwhile.",
                hint: "Run a connector only once, or give each its own name."
            )
        }
    }

    private func checkSchema() throws(ConnectorError) {
        let version = try attempt("read the schema") { () throws(SQLiteFailure) in
            defer { readSchemaVersion.reset() }
            return try readSchemaVersion.step() ? readSchemaVersion.int64(0) : 0
        }
        guard version != schemaVersion else { return }
        schemaVersion = version
        writer.forgetTables()
    }

    /// Takes back what a batch did, and says what its error means now.
    private func undo(_ error: ConnectorError) -> ConnectorError {
        writer.forgetTables()
        guard error.disposition == .rejectRecord else { return error }
        guard handle.isInTransaction else {
            // What was written before in this transaction is gone too, so it is no longer a
            // matter of one record; and it would happen again each time.
            return ConnectorError(
                .init("sqlite.rolled_back"),
                .failTask,
                "A trigger of the table ended the transaction: \(error.message)",
                hint: "Use RAISE(ABORT, …) and not RAISE(ROLLBACK, …).",
                underlying: error
            )
        }
        do throws(SQLiteFailure) {
            try handle.execute("ROLLBACK TO batch")
            try release.run()
            return error
        } catch let failure {
            return .sqlite(failure, "undo a write", path: settings.path)
        }
    }

    private func passTurn() {
        guard holdsTurn else { return }
        holdsTurn = false
        shared.turn.pass()
    }

    private func attempt<Result>(
        _ action: String,
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(SQLiteFailure) {
            return try body()
        } catch {
            throw .sqlite(error, "\(action) in \(settings.path)", path: settings.path)
        }
    }
}

// MARK: - The write-ahead log

extension SinkDatabase {
    /// Learns from the transaction just committed, and keeps the log short.
    private func tendLog() throws(ConnectorError) {
        let pages = batches.pagesInLog
        let written = pages >= pagesBefore ? pages - pagesBefore : pages
        pace.note(rows: rows, pages: written, added: try size() - sizeBefore)
        guard settings.journalMode == .wal else { return }
        if pages < pagesAtRequest { pagesAtRequest = 0 }
        if pages &* pageSize > Self.logLimit {
            // Readers go on meanwhile. One that keeps an old view keeps the log from beginning
            // anew; then it grows, whatever a writer does.
            if !shared.checkpointer.checkpoint() { warn(pages) }
            pagesAtRequest = pages
        } else if pages - pagesAtRequest >= Self.pagesPerCheckpoint {
            shared.checkpointer.request()
            pagesAtRequest = pages
        }
    }

    private func warn(_ pages: Int64) {
        guard pages >= max(warnedAtPages * 2, 1) else { return }
        warnedAtPages = pages
        logger.warning(
            "The write-ahead log grows because another connection keeps an old view open.",
            metadata: ["path": "\(settings.path)", "bytes": "\(pages &* pageSize)"]
        )
    }
}
