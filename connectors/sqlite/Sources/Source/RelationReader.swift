internal import ConnectorSDK
internal import Glibc
internal import Logging
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

/// Reads one table, view or query, round after round, and keeps the place.
internal final class RelationReader {
    private let database: SourceDatabase
    private let name: String
    private let logger: Logger
    private var settings: SourceSettings { database.settings }
    private var schemaVersion: Int64
    private var relation: Relation
    private var position: ReadPosition
    private var cursor: Cursor?
    private var timestampInitial: Int64?
    /// What the statement is bound to without a copy.
    private var bindings: [OrderValue] = []
    /// With ``ReadStrategy/groups``: the order values of the group that is being read.
    private var group: [OrderValue] = []

    /// A statement and what its rows are.
    private struct Cursor {
        var start: Relation.Start
        var isBounded: Bool
        var statement: SQLiteStatement
        var rows: RowSchema
        var keySchema: Schema?
        var reader: RowReader
    }

    internal init(
        _ name: String,
        in database: SourceDatabase,
        from stored: String?,
        logger: Logger
    ) throws(ConnectorError) {
        self.name = name
        self.database = database
        self.logger = logger
        schemaVersion = try database.schemaVersion()
        relation = try database.relation(name)
        position = ReadPosition(
            mode: database.settings.tables.mode.rawValue,
            order: relation.order.map(\.name)
        )
        if let stored { position = try restored(stored) }
        timestampInitial = settings.tables.timestampInitial.map {
            $0 < 0 ? Self.now() : $0.multipliedReportingOverflow(by: 1_000).partialValue
        }
    }

    private func restored(_ text: String) throws(ConnectorError) -> ReadPosition {
        let stored = try database.position(text, of: name)
        guard stored.isUsable(for: position) else {
            throw ConnectorError(
                .init("sqlite.position"),
                .failTask,
                "\(name) was read in another mode or by other columns before.",
                hint: "Change the configuration back, or reset the connector's offsets."
            )
        }
        return stored
    }

    /// Reads what there is; `isOnly` says that no round follows in this run.
    internal func readRound(
        into outlet: any RecordOutlet,
        isOnly: Bool
    ) async throws(ConnectorError) {
        if position.isDone {
            guard !isOnly else {
                logger.info(
                    "The table was read to its end before; reset its offset to read it again.",
                    metadata: ["table": "\(name)"]
                )
                return
            }
            position = ReadPosition(mode: position.mode, order: relation.order.map(\.name))
        }
        try refresh()
        var bound: TimestampBound?
        if settings.tables.mode.usesTimestamp {
            guard let found = try timestampBound() else { return }
            bound = found
        }
        if relation.strategy == .sequence, position.rows > 0 {
            guard try await resumeSequence(into: outlet) else { return }
        } else {
            try await read(bound, into: outlet)
        }
        guard !outlet.isStopping, settings.tables.mode == .bulk else { return }
        position.isDone = true
        try await outlet.advance(to: sourcePosition)
    }

    private var sourcePosition: SourcePosition {
        SourcePosition(partition: name, offset: position.json)
    }

    /// Notices new and dropped columns, between transactions.
    private func refresh() throws(ConnectorError) {
        let version = try database.schemaVersion()
        guard version != schemaVersion else { return }
        relation = try database.relation(name)
        guard position.isDone || relation.order.map(\.name) == position.order else {
            throw ConnectorError(
                .init("sqlite.key_changed"),
                .failTask,
                "The key of \(name) changed while it was being read.",
                hint: "Reset the connector's offsets."
            )
        }
        schemaVersion = version
        cursor = nil
    }
}

// MARK: - Rounds

extension RelationReader {
    private func read(
        _ bound: TimestampBound?,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        group = []
        while !outlet.isStopping {
            try refresh()
            var cursor = try start(bound)
            let isAtEnd = try await drain(&cursor, into: outlet)
            cursor.statement.reset()
            if isAtEnd { break }
        }
        guard relation.strategy == .groups, !outlet.isStopping, !group.isEmpty else { return }
        position.after = group
        try await outlet.advance(to: sourcePosition)
    }

    /// Sends the rows of one run of a statement.
    ///
    /// - Returns: whether there are no more rows.
    private func drain(
        _ cursor: inout Cursor,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) -> Bool {
        while !outlet.isStopping {
            guard try advance(cursor) else { return true }
            let batch = outlet.makeBatch(topic: relation.topic, schema: cursor.rows.schema)
            if let keySchema = cursor.keySchema { batch.addKeys(keySchema) }
            let ending = try fill(batch, cursor)
            note(batch, cursor)
            // No transaction stays open while the engine makes us wait.
            if relation.isPaged { cursor.statement.reset() }
            if batch.count > 0 || !batch.rejections.isEmpty {
                try await outlet.send(batch, position: sourcePosition)
            }
            if ending == .end { return true }
            if relation.isPaged { return false }
        }
        return false
    }

    private func advance(_ cursor: Cursor) throws(ConnectorError) -> Bool {
        do throws(SQLiteFailure) {
            return try cursor.reader.advance(cursor.statement)
        } catch {
            throw database.failure(error, reading: name)
        }
    }

    private func fill(_ batch: RecordBatch, _ cursor: Cursor) throws(ConnectorError)
        -> RowReader.Ending
    {
        do throws(SQLiteFailure) {
            let limit = min(
                settings.tables.batchRows,
                relation.isPaged ? .max : RecordBatch.rowLimit
            )
            return try cursor.reader.fill(
                batch,
                from: cursor.statement,
                limit: limit,
                source: name
            )
        } catch {
            throw database.failure(error, reading: name)
        }
    }

    /// Moves the position behind a batch.
    private func note(_ batch: RecordBatch, _ cursor: Cursor) {
        switch relation.strategy {
        case .keyset: position.after = cursor.reader.takeOrder() ?? position.after
        // Moves with each group that ends, as the rows are read.
        case .groups: break
        case .sequence:
            position.rows += Int64(batch.count)
            position.hash = RowHash.add(batch, to: position.hash)
        }
    }

    /// Goes on behind rows that were read before, if they are still what they were.
    ///
    /// - Returns: whether the end was reached.
    private func resumeSequence(into outlet: any RecordOutlet) async throws(ConnectorError) -> Bool
    {
        var cursor = try start(nil)
        let batch = RecordBatch()
        var seen = ReadPosition(mode: position.mode, order: [])
        while seen.rows < position.rows {
            guard try advance(cursor) else { break }
            batch.reset(topic: relation.topic, schema: cursor.rows.schema)
            let rest = Int(clamping: position.rows - seen.rows)
            do throws(SQLiteFailure) {
                _ = try cursor.reader.fill(
                    batch,
                    from: cursor.statement,
                    limit: min(rest, RecordBatch.rowLimit),
                    source: name
                )
            } catch {
                throw database.failure(error, reading: name)
            }
            seen.rows += Int64(batch.count)
            seen.hash = RowHash.add(batch, to: seen.hash)
        }
        if seen.rows == position.rows, seen.hash == position.hash {
            let isAtEnd = try await drain(&cursor, into: outlet)
            cursor.statement.reset()
            return isAtEnd
        }
        logger.warning(
            "The rows changed since they were read in part; reading starts over.",
            metadata: ["table": "\(name)"]
        )
        cursor.statement.reset()
        position = ReadPosition(mode: position.mode, order: [])
        try await read(nil, into: outlet)
        return !outlet.isStopping
    }
}

// MARK: - Statements

extension RelationReader {
    /// What limits the timestamps that are read.
    internal struct TimestampBound {
        var below: OrderValue
        var from: OrderValue?
    }

    /// Starts a statement behind the position.
    private func start(_ bound: TimestampBound?) throws(ConnectorError) -> Cursor {
        let start: Relation.Start =
            !position.after.isEmpty ? .after : bound?.from != nil ? .from : .beginning
        let isBounded = bound != nil
        let current: Cursor
        // A page is read for each batch, so the statement's text is not even made anew.
        if let known = cursor, known.start == start, known.isBounded == isBounded {
            current = known
        } else {
            current = try makeCursor(start, isBounded: isBounded)
            cursor = current
        }
        current.statement.reset()
        current.reader.rewind()
        do throws(SQLiteFailure) {
            var parameter = 1
            var values = start == .after ? position.after : []
            if start == .from, let from = bound?.from { values.append(from) }
            if let bound { values.append(bound.below) }
            for value in values {
                try current.statement.bind(parameter, value)
                parameter += 1
            }
            bindings = values
            if relation.isPaged {
                try current.statement.bind(parameter, Int64(settings.tables.batchRows))
            }
        } catch {
            throw database.failure(error, reading: name)
        }
        return current
    }

    private func makeCursor(
        _ start: Relation.Start,
        isBounded: Bool
    ) throws(ConnectorError) -> Cursor {
        let sql = relation.select(start, isBounded: isBounded)
        let statement = try database.prepare(sql, for: name)
        let orderCount = relation.strategy == .sequence ? 0 : relation.order.count
        let count = statement.columnCount - orderCount
        var columns: [(name: String, isOptional: Bool, type: DeclaredType)] = []
        for column in 0..<count {
            let name = statement.columnName(column)
            guard !columns.contains(where: { $0.name == name }) else {
                throw .invalid(
                    "query",
                    "Two columns are named \(name).",
                    hint: "Name one of them otherwise with AS."
                )
            }
            let type = DeclaredType(statement.declaredType(column) ?? "")
            columns.append((name, !relation.required.contains(name), type))
        }
        let keyColumns = relation.keyNames.compactMap { key in
            columns.firstIndex { $0.name == key }
        }
        let rows = RowSchema(columns)
        let reader = RowReader(rows, keyColumns: keyColumns, orderCount: orderCount)
        if relation.strategy == .groups {
            reader.onRow = { [unowned self] order in self.noteGroup(order, orderCount) }
        }
        return Cursor(
            start: start,
            isBounded: isBounded,
            statement: statement,
            rows: rows,
            keySchema: keyColumns.isEmpty ? nil : Schema(keyColumns.map { rows.declared[$0] }),
            reader: reader
        )
    }

    /// A position moves only behind groups of equal values that were read to their end.
    private func noteGroup(_ order: UnsafePointer<Cell>, _ count: Int) {
        let isSame =
            group.count == count
            && group.indices.allSatisfy { index in
                group[index].isValue(of: order[index])
            }
        guard !isSame else { return }
        if !group.isEmpty { position.after = group }
        group = (0..<count).compactMap { OrderValue(order[$0]) }
    }

    /// Rows as young as the clock's present tick may yet get company, so they are left for later.
    private func timestampBound() throws(ConnectorError) -> TimestampBound? {
        let statement = try database.prepare(relation.latest, for: name)
        let latest: OrderValue?
        do throws(SQLiteFailure) {
            guard try statement.step() else { return nil }
            latest = statement.orderValue(0)
        } catch {
            throw database.failure(error, reading: name)
        }
        guard let latest, let shape = TimestampShape(latest) else {
            throw .invalid(
                "timestamp.column.name",
                "\(name) holds timestamps in a form that is not understood.",
                hint: "ISO 8601 text and numbers since 1970 are."
            )
        }
        let delay = settings.tables.timestampDelay.components
        let micros = delay.seconds * 1_000_000 + delay.attoseconds / 1_000_000_000_000
        return TimestampBound(
            below: shape.value(of: Self.now() - micros),
            from: timestampInitial.map(shape.value)
        )
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
