internal import ConnectorSDK
internal import Glibc
internal import Logging
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// Reads one table, view or query, round after round, and keeps the place.
internal final class RelationReader {
    /// When an operator is told who keeps rows from being read.
    private static let patience = Duration.seconds(10)

    /// How long to wait before the engine is told that the source idles.
    private static let shortWait = Duration.milliseconds(100)

    private let database: SourceDatabase
    private let logger: Logger
    private var relation: Relation
    private var position: ReadPosition
    private var rows: RowReader?
    /// With ``ReadStrategy/groups``: the order values of the group that is being read.
    private var group = RowOrder.Values()
    /// Those of the group before it, which was read whole.
    private var groupBefore = RowOrder.Values()
    private var settings: SourceSettings { database.settings }

    internal init(
        _ relation: Relation,
        in database: SourceDatabase,
        from stored: String?,
        logger: Logger
    ) throws(ConnectorError) {
        self.relation = relation
        self.database = database
        self.logger = logger
        position = Self.start(relation, database.settings)
        guard let stored else { return }
        guard let read = ReadPosition(stored), read.isUsable(for: position) else {
            throw ConnectorError(
                .init("postgres.position"),
                .failTask,
                "\(relation.name) was read in another mode or by other columns before.",
                hint: "Change the configuration back, or reset the connector's offsets."
            )
        }
        position = read
    }

    private static func start(_ relation: Relation, _ settings: SourceSettings) -> ReadPosition {
        ReadPosition(mode: settings.tables.mode.rawValue, order: relation.order.map(\.name))
    }

    /// Reads what there is; `isOnly` says that no round follows in this run.
    ///
    /// `relation` is the table as it is now.
    internal func readRound(
        _ relation: Relation,
        into outlet: any RecordOutlet,
        isOnly: Bool
    ) async throws(ConnectorError) {
        if position.isDone {
            guard !isOnly else {
                logger.info(
                    "The table was read to its end before; reset its offset to read it again.",
                    metadata: ["table": "\(relation.name)"]
                )
                return
            }
            position = Self.start(relation, settings)
        }
        try adopt(relation)
        if settings.tables.mode == .bulk {
            try await readAll(into: outlet)
        } else if let bounds = try await bounds(outlet) {
            _ = try await read(bounds, skipping: 0, into: outlet)
        }
    }

    private var sourcePosition: SourcePosition {
        SourcePosition(partition: relation.name, offset: position.json)
    }

    /// Notices new and dropped columns, between rounds.
    private func adopt(_ relation: Relation) throws(ConnectorError) {
        guard position.isDone || relation.order.map(\.name) == position.order else {
            throw ConnectorError(
                .init("postgres.key_changed"),
                .failTask,
                "The key of \(relation.name) changed while it was being read.",
                hint: "Reset the connector's offsets."
            )
        }
        self.relation = relation
        let columns = try database.columns(of: relation)
        let order = relation.strategy == .sequence ? [] : relation.order
        if let rows, rows.fits(columns, key: relation.keyNames, order: order) { return }
        rows = try RowReader(
            columns,
            key: relation.keyNames,
            order: order,
            of: relation.name,
            in: database
        )
    }

    // MARK: - Bounds

    /// What may be read in this round; `nil` when there is nothing, or the task must stop.
    private func bounds(
        _ outlet: any RecordOutlet
    ) async throws(ConnectorError) -> Relation.Bounds? {
        var bounds = Relation.Bounds(after: texts(position.after))
        let (relation, settings) = (relation, settings)
        if bounds.after.isEmpty, settings.tables.mode.usesTimestamp {
            bounds.from = try initialTimestamp()
        }
        let delay = settings.tables.timestampDelay
        let limit =
            settings.tables.mode.usesTimestamp && delay > .zero
            ? "clock_timestamp() - interval '\(delay / .microseconds(1)) microseconds'" : nil
        // First the value, then the transactions: see TransactionHorizon.
        let latest = try database.run("read \(relation.name)") {
            connection throws(PostgresFailure) in
            try connection.query(relation.latest(below: limit)).string(0, 0)
        }
        guard let latest else { return nil }
        bounds.through = latest
        var horizon = try database.run("list the running transactions") {
            connection throws(PostgresFailure) in
            try TransactionHorizon(settings.horizon, table: relation.table, on: connection)
        }
        return try await wait(for: &horizon, outlet) ? bounds : nil
    }

    /// D6: no row is passed over that a running transaction might yet commit.
    private func wait(
        for horizon: inout TransactionHorizon,
        _ outlet: any RecordOutlet
    ) async throws(ConnectorError) -> Bool {
        let start = ContinuousClock.now
        var warned = false
        var pause = Duration.milliseconds(5)
        while !outlet.isStopping {
            var next = horizon
            let isPassed = try database.run("list the running transactions") {
                connection throws(PostgresFailure) in
                try next.isPassed(on: connection)
            }
            horizon = next
            if isPassed { return true }
            if !warned, .now - start > Self.patience {
                warned = true
                let blockers = try database.run("list the running transactions") {
                    connection throws(PostgresFailure) in
                    try next.blockers(on: connection)
                }
                logger.warning(
                    "Rows wait for a transaction that is still open and might add to them.",
                    metadata: ["table": "\(relation.name)", "oldest": "\(blockers)"]
                )
            }
            if .now - start < Self.shortWait {
                // Most transactions end at once; the task's thread is its own.
                usleep(5_000)
                continue
            }
            try await outlet.idle(for: pause)
            pause = min(pause * 2, .milliseconds(200))
        }
        return false
    }

    private func initialTimestamp() throws(ConnectorError) -> String? {
        guard let milliseconds = settings.tables.timestampInitial else { return nil }
        if milliseconds < 0 {
            return try database.run("ask for the time") { connection throws(PostgresFailure) in
                try connection.query("SELECT clock_timestamp()::text").string(0, 0)
            }
        }
        let (micros, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? nil : TimeText.text(.timestamp(microseconds: micros))
    }

    private func texts(_ values: [OrderValue]) -> [String] {
        values.map { value in
            switch value {
            case .text(let bytes): String(decoding: bytes.raw, as: UTF8.self)
            case .integer(let number): String(number)
            case .real(let number): String(number)
            case .blob: ""
            }
        }
    }

    // MARK: - Rows

    private func readAll(into outlet: any RecordOutlet) async throws(ConnectorError) {
        let bounds = Relation.Bounds(after: texts(position.after))
        var isAtEnd = try await read(bounds, skipping: position.rows, into: outlet)
        if !isAtEnd, !outlet.isStopping {
            logger.warning(
                "The rows changed since they were read in part; reading starts over.",
                metadata: ["table": "\(relation.name)"]
            )
            position = Self.start(relation, settings)
            isAtEnd = try await read(bounds, skipping: 0, into: outlet)
        }
        guard isAtEnd else { return }
        position.isDone = true
        try await outlet.advance(to: sourcePosition)
    }

    /// Reads the rows within bounds, after the first `skipped`, which must be those read before.
    ///
    /// - Returns: whether the end was reached; otherwise the task stops, or the skipped rows are
    ///   not what they were.
    private func read(
        _ bounds: Relation.Bounds,
        skipping skipped: Int64,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) -> Bool {
        guard let rows else { return false }
        group.removeAll()
        groupBefore.removeAll()
        let sql = "COPY (\(relation.select(rows.selectList, bounds))) TO STDOUT (FORMAT binary)"
        try database.run("read \(relation.name)") { connection throws(PostgresFailure) in
            _ = try connection.startCopyOut(sql)
        }
        rows.begin()
        guard try skip(skipped, rows) else {
            try abandon()
            return false
        }
        while !outlet.isStopping {
            let batch = outlet.makeBatch(topic: relation.topic, schema: rows.schema)
            if let keySchema = rows.keySchema { batch.addKeys(keySchema) }
            let limit = min(settings.tables.batchRows, RecordBatch.rowLimit)
            let isAtEnd = try rows.fill(batch, limit: limit) { self.note($0) }
            if relation.strategy == .sequence {
                position.rows += Int64(batch.count)
                position.hash = RowHash.add(batch, to: position.hash)
            }
            movePosition(isAtEnd: isAtEnd, rows.order)
            if batch.count > 0 || !batch.rejections.isEmpty {
                try await outlet.send(batch, position: sourcePosition)
            }
            if isAtEnd { return true }
        }
        try abandon()
        return false
    }

    private func abandon() throws(ConnectorError) {
        try database.run("stop reading \(relation.name)") { connection throws(PostgresFailure) in
            try connection.abandonCopyOut()
        }
    }

    /// Reads rows again that were read before; `false` when they are others.
    private func skip(_ count: Int64, _ rows: RowReader) throws(ConnectorError) -> Bool {
        guard count > 0 else { return true }
        let batch = RecordBatch()
        var seen = ReadPosition(mode: position.mode, order: [])
        while seen.rows < count {
            batch.reset(topic: relation.topic, schema: rows.schema)
            let limit = Int(clamping: min(count - seen.rows, Int64(RecordBatch.rowLimit)))
            let isAtEnd = try rows.fill(batch, limit: limit) { _ in }
            seen.rows += Int64(batch.count)
            seen.hash = RowHash.add(batch, to: seen.hash)
            if isAtEnd { break }
        }
        return seen.rows == count && seen.hash == position.hash
    }

    /// Notes the place of a row.
    private func note(_ place: RowReader.Place) {
        switch relation.strategy {
        case .sequence: break
        case .keyset:
            // The last row of the batch decides.
            if place.isLast { place.copy(to: &group) }
        case .groups:
            guard !place.equals(group) else { return }
            swap(&group, &groupBefore)
            place.copy(to: &group)
        }
    }

    /// Moves the position behind the rows of a batch, before it is sent.
    ///
    /// Of rows that share their values, only a group that was read whole counts.
    private func movePosition(isAtEnd: Bool, _ order: RowOrder) {
        let last = relation.strategy == .keyset || isAtEnd ? group : groupBefore
        if !last.isEmpty { position.after = order.texts(last).map { .text($0) } }
    }
}
