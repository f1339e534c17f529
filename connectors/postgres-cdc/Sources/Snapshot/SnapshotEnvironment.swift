internal import ChangeCapture
internal import ConnectorSDK
internal import Glibc
internal import LogicalReplication
internal import Logging
internal import PostgresClient

/// What a snapshot that runs beside the changes needs of the task and the server.
internal final class SnapshotEnvironment {
    internal let settings: CDCSettings
    internal let stream: ChangeStream
    internal let outlet: any RecordOutlet
    internal let tables: TableMap
    internal let catalog: TableCatalog
    internal let receiver: ReplicationReceiver
    internal let logger: Logger
    private let progress: StreamProgress
    private let database: Database
    private let isStandby: Bool
    private var reader: PostgresConnection?

    internal init(
        _ settings: CDCSettings,
        _ stream: ChangeStream,
        _ outlet: any RecordOutlet,
        _ tables: TableMap,
        _ database: Database,
        _ receiver: ReplicationReceiver,
        _ progress: StreamProgress,
        isStandby: Bool,
        logger: Logger
    ) {
        self.settings = settings
        self.stream = stream
        self.outlet = outlet
        self.tables = tables
        self.database = database
        self.receiver = receiver
        self.progress = progress
        self.isStandby = isStandby
        self.logger = logger
        catalog = TableCatalog(database: database)
    }

    /// Sends what was appended, with a position of the stream.
    internal func send(_ position: StreamPosition) async throws(ConnectorError) {
        progress.sent(position)
        try await stream.send(position: position.sourcePosition)
    }

    /// Says of the rows that follow when they were read.
    internal func beginRows(at place: LSN) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        stream.beginSnapshot(
            .incremental,
            at: CapturedTransaction(
                sequence: place.rawValue,
                id: 0,
                microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
            )
        )
    }

    /// A table as it is now, as far as the publication tells it; `nil` when it is gone.
    internal func table(_ id: UInt32) throws(ConnectorError) -> CatalogTable? {
        guard let table = try catalog.table(id) else { return nil }
        let publication = try Publication.find(settings.publication, database)
        return try publication?.limit([table], database).first ?? table
    }

    // MARK: - The server

    /// A connection to read from, so that a chunk never holds up anything else.
    internal func connection() throws(ConnectorError) -> PostgresConnection {
        if let reader, reader.isAlive, reader.transactionStatus == .idle { return reader }
        let connection = try database.connect()
        reader = connection
        return connection
    }

    /// Forgets the connection, after something went wrong in the middle.
    internal func disconnect() { reader = nil }

    internal func begin(_ connection: PostgresConnection) throws(ConnectorError) {
        try run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", on: connection)
    }

    internal func rollBack(_ connection: PostgresConnection) throws(ConnectorError) {
        // After a COPY that was ended early the transaction is over already.
        guard connection.transactionStatus != .idle else { return }
        try run("ROLLBACK", on: connection)
    }

    private func run(_ sql: String, on connection: PostgresConnection) throws(ConnectorError) {
        do throws(PostgresFailure) {
            try connection.execute(sql)
        } catch {
            throw CDCError.server(error, "read a table")
        }
    }

    /// What the transaction on a connection sees, and a place behind all of that.
    internal func view(
        _ connection: PostgresConnection
    ) throws(ConnectorError) -> (TransactionView, LSN) {
        let place = isStandby ? "pg_last_wal_replay_lsn()" : "pg_current_wal_insert_lsn()"
        do throws(PostgresFailure) {
            // The place is asked for when the snapshot was taken already: commits that it sees are
            // in the log before.
            let result = try connection.execute("SELECT pg_current_snapshot(), \(place)")
            if let view = result.string(0, 0).flatMap({ TransactionView($0) }),
                let end = result.string(0, 1).flatMap({ LSN($0) })
            {
                return (view, end)
            }
        } catch {
            throw CDCError.server(error, "read a table")
        }
        throw CDCError.protocolError(ReplicationError("a snapshot cannot be read"))
    }

    /// What a transaction that began now would see.
    internal func currentView() throws(ConnectorError) -> TransactionView {
        let result = try database.query("SELECT pg_current_snapshot()", [], "look at transactions")
        guard let view = result.string(0, 0).flatMap({ TransactionView($0) }) else {
            throw CDCError.protocolError(ReplicationError("a snapshot cannot be read"))
        }
        return view
    }

    /// Has the server write its log to the disk, up to its present end, and stream it.
    internal func flushLog() throws(ConnectorError) {
        if isStandby { return }
        try database.query(
            "SELECT pg_logical_emit_message(true, '\(CDCSettings.ownMessages)', '')",
            [],
            "ask for the end of the log"
        )
    }
}
