internal import ChangeCapture
internal import ConnectorSDK
internal import Glibc
internal import LogicalReplication
internal import PostgresClient

/// Reads ranges of tables from a snapshot that all tasks share, as one of them.
internal final class SharedSnapshot {
    private let coordinator: SnapshotCoordinator
    private let database: Database
    private let tables: TableMap
    private let stream: ChangeStream
    private let outlet: any RecordOutlet
    private let settings: CDCSettings

    internal init(
        _ coordinator: SnapshotCoordinator,
        _ database: Database,
        _ tables: TableMap,
        _ stream: ChangeStream,
        _ outlet: any RecordOutlet,
        _ settings: CDCSettings
    ) {
        self.coordinator = coordinator
        self.database = database
        self.tables = tables
        self.stream = stream
        self.outlet = outlet
        self.settings = settings
    }

    /// Reads what can be claimed until nothing is left.
    internal func work() async throws(ConnectorError) {
        var session: PostgresConnection?
        while !outlet.isStopping {
            switch coordinator.claim() {
            case .end: return
            case .wait: try await outlet.idle(for: .milliseconds(500))
            case .divide(let table, let range, let run):
                var isDivided = false
                do throws(ConnectorError) {
                    let connection: PostgresConnection
                    if let session { connection = session } else { connection = try openSnapshot() }
                    session = connection
                    let whole = try divide(table, range, on: connection)
                    coordinator.divided(table, whole)
                    isDivided = true
                    guard try await read(table, whole, run, on: connection) else {
                        coordinator.abandoned(table, isDivided: true)
                        return
                    }
                } catch {
                    guard error.code == CDCError.tableChanged else {
                        coordinator.abandoned(table, isDivided: isDivided)
                        throw error
                    }
                    // Nothing of the range was read: who has begun holds a lock on the table.
                    coordinator.setAside(table)
                    // Its transaction refuses everything from here on.
                    session = nil
                    continue
                }
                coordinator.finished()
            }
        }
    }

    private func openSnapshot() throws(ConnectorError) -> PostgresConnection {
        let connection = try database.connect()
        guard let name = coordinator.snapshot else { throw Self.gone(nil) }
        do throws(PostgresFailure) {
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try connection.execute("SET TRANSACTION SNAPSHOT \(SQLText.literal(name))")
            try connection.execute("SET LOCAL statement_timeout = 0")
        } catch {
            if error.isConnectionLost { throw CDCError.server(error, "open the snapshot") }
            throw Self.gone(error)
        }
        return connection
    }

    private static func gone(_ failure: PostgresFailure?) -> ConnectorError {
        ConnectorError(
            .init("postgres_cdc.snapshot_gone"),
            .retry(after: nil),
            "The snapshot that the tables are read from is gone; the first task makes another.",
            kind: .environment,
            underlying: failure
        )
    }

    /// Finds where a range of the wanted size ends.
    private func divide(
        _ table: CatalogTable,
        _ range: SnapshotRange,
        on connection: PostgresConnection
    ) throws(ConnectorError) -> SnapshotRange {
        // Of a table that was never analysed the size is not known.
        let isSmall = table.estimatedRows >= 0 && table.estimatedRows <= Double(settings.rangeRows)
        guard !table.key.isEmpty, !isSmall || range.number > 0,
            let clauses = range.clauses(table.key)
        else { return range }
        let condition = clauses.condition.map { " WHERE \($0)" } ?? ""
        let sql =
            "SELECT \(table.keyTexts) FROM \(table.source)\(condition)"
            + " ORDER BY \(clauses.order) OFFSET \(settings.rangeRows - 1) LIMIT 1"
        let result: PostgresResult
        do throws(PostgresFailure) {
            result = try connection.execute(sql)
        } catch {
            throw CDCError.read(table, error)
        }
        var whole = range
        if result.rowCount == 1 {
            whole.to = (0..<table.key.count).map { result.string(0, $0) ?? "" }
        }
        return whole
    }

    /// Reads a range and makes it durable; `false` when the task stops before its end.
    private func read(
        _ table: CatalogTable,
        _ range: SnapshotRange,
        _ run: Int,
        on connection: PostgresConnection
    ) async throws(ConnectorError) -> Bool {
        let relation = try tables.relation(for: table)
        let rows = TableRead(relation, of: table, on: connection)
        var range = range
        let place = coordinator.place.rawValue
        beginRows(at: place)
        try rows.begin(range, filter: nil)
        while try rows.next() {
            rows.append(to: stream, at: place)
            guard stream.isFull else { continue }
            // Without a key there is no way to go on in the middle.
            if !table.key.isEmpty { range.after = rows.key() }
            try await send(table, range, run)
            if outlet.isStopping || coordinator.snapshot == nil {
                try rows.abandon()
                try await outlet.settle()
                return false
            }
        }
        range.isDone = true
        try await send(table, range, run)
        try await outlet.settle()
        return true
    }

    /// Says of the rows that follow when they were read.
    private func beginRows(at place: UInt64) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        stream.beginSnapshot(
            .initial,
            at: CapturedTransaction(
                sequence: place,
                id: 0,
                microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
            )
        )
    }

    private func send(
        _ table: CatalogTable,
        _ range: SnapshotRange,
        _ run: Int
    ) async throws(ConnectorError) {
        // D3: the rows and how far they are become durable together.
        try await stream.send(
            position: SnapshotPositions.position(table.fullName, range, run: run)
        )
    }
}
