internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// The sink's connection, and what the server is still working on.
///
/// The server takes rows in while the next batch is being read: a COPY stays open from batch to
/// batch, and the answer to a statement is awaited when something else is to be sent. A refusal is
/// then about any of the batches since the last commit, unless a batch was set apart. Everything
/// that is asked of the server comes by here, so that nothing is asked while a COPY is open.
internal final class SinkConnection {
    /// What the server has not answered yet.
    private enum Pending {
        case nothing
        /// Rows go on into this COPY.
        case copy(RunShape, RowEncoder.Form)
        /// A statement writes to the table; `countsMissing` for one that gives the number of
        /// records without a row.
        case statement(TableName, countsMissing: Bool)
        /// A statement replaces those rows of a piece which exist.
        case change(BatchWriter.Piece)
        /// Rows were sent as statements of their own.
        case rows
    }

    private let connection: PostgresConnection
    /// What an error is about when no table is concerned.
    private let offsets: TableName
    private var pending = Pending.nothing
    private var stages = StagePool()
    private var rows: RowQueue
    private var arrays = ArrayStatements()
    private let frame = OutputBuffer(capacity: 64)

    /// Whether the batch at hand is set apart.
    internal private(set) var isApart = false

    internal init(_ settings: SinkSettings) throws(ConnectorError) {
        offsets = settings.offsets
        do throws(PostgresFailure) {
            connection = try PostgresConnection(settings.connection)
        } catch {
            throw .postgres(connecting: error, settings.connection)
        }
        rows = RowQueue(connection)
    }

    /// Asks something of the server, when it has answered all that was sent.
    @discardableResult
    internal func ask<Result>(
        _ table: TableName,
        _ body: (PostgresConnection) throws(PostgresFailure) -> Result
    ) throws(ConnectorError) -> Result {
        try settle()
        return try attempt(table) { () throws(PostgresFailure) in try body(connection) }
    }

    @discardableResult
    private func attempt<Result>(
        _ table: TableName,
        _ body: () throws(PostgresFailure) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(PostgresFailure) {
            return try body()
        } catch {
            throw judged(SinkErrors.server(error, table))
        }
    }

    /// Says what a refusal means: to a batch that is set apart, or to all since the last commit.
    private func judged(_ error: ConnectorError) -> ConnectorError {
        guard error.disposition == .rejectRecord, !isApart else { return error }
        return SinkErrors.together(error)
    }

    /// Waits until the server has answered everything.
    internal func settle() throws(ConnectorError) {
        let waiting = pending
        pending = .nothing
        switch waiting {
        case .nothing: return
        case .copy(let shape, let form):
            try attempt(shape.table.name) { () throws(PostgresFailure) in
                try sendFrame(form) { CopyBinary.end(&$0) }
                try connection.endCopyIn()
            }
        case .statement(let name, let countsMissing):
            let result = try attempt(name) { () throws(PostgresFailure) in
                try connection.finishStatement()
            }
            guard countsMissing, let missing = result.int(0, 0), missing > 0 else { return }
            throw judged(SinkErrors.noRow(name))
        case .change(let piece): try finishChange(piece)
        case .rows:
            let outcome = try attempt(offsets) { () throws(PostgresFailure) in try rows.finish() }
            if let (failure, table) = outcome.failure {
                throw judged(SinkErrors.server(failure, table))
            }
            if let table = outcome.missing { throw judged(SinkErrors.noRow(table)) }
        }
    }
}

// MARK: - Setting a batch apart

extension SinkConnection {
    /// From here on a refusal is about the batch at hand, and can be taken back.
    internal func setApart() throws(ConnectorError) {
        guard !isApart else { return }
        try ask(offsets) { connection throws(PostgresFailure) in
            try connection.execute("SAVEPOINT batch")
        }
        stages.mark()
        isApart = true
    }

    /// Lets a batch that was set apart count, once the server has taken all of it.
    ///
    /// With `checksConstraints` deferred constraints are looked at now, when it is known which batch
    /// breaks them.
    internal func rejoin(checksConstraints: Bool) throws(ConnectorError) {
        guard isApart else { return }
        let check = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; "
        try ask(offsets) { connection throws(PostgresFailure) in
            try connection.execute((checksConstraints ? check : "") + "RELEASE batch")
        }
        isApart = false
    }

    /// Takes back a batch that was set apart.
    internal func takeBack() throws(ConnectorError) {
        guard isApart else { return }
        pending = .nothing
        isApart = false
        try attempt(offsets) { () throws(PostgresFailure) in
            try connection.execute("ROLLBACK TO batch; RELEASE batch")
        }
        stages.backToMark()
    }
}

// MARK: - Transactions

extension SinkConnection {
    /// Begins a transaction.
    internal func begin() throws(ConnectorError) {
        let surplus = [stages.takeSurplus(), rows.takeSurplus(), arrays.takeSurplus()]
        let cleaning = surplus.compactMap { $0 }.map { $0 + "; " }.joined()
        try ask(offsets) { connection throws(PostgresFailure) in
            try connection.execute(cleaning + "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        }
    }

    /// Runs a statement and commits.
    internal func commit(_ statement: String, _ table: TableName) throws(ConnectorError) {
        try ask(table) { connection throws(PostgresFailure) in
            try connection.execute(statement + "COMMIT")
        }
        stages.committed()
    }
}

// MARK: - Sending rows

extension SinkConnection {
    /// Sends rows; what the server says of them is known later.
    internal func send(
        _ piece: BatchWriter.Piece,
        of data: OutputBuffer
    ) throws(ConnectorError) {
        let bytes = UnsafeRawBufferPointer(rebasing: data.bytes[piece.data])
        let name = piece.shape.table.name
        if let statement = piece.shape.insertDefaults(piece.rows) {
            try start(statement, name, countsMissing: false)
        } else if isOpen(for: piece) {
            try attempt(name) { () throws(PostgresFailure) in try connection.copyData(bytes) }
        } else if RowQueue.takes(piece) {
            try queue(bytes, piece, name)
        } else if piece.shape.kind == .copy {
            try copy(bytes, piece, name)
        } else if ColumnArrays.takes(piece) {
            try sendArrays(bytes, piece, name)
        } else {
            try stage(bytes, piece, name)
        }
    }

    private func start(
        _ statement: String,
        _ name: TableName,
        countsMissing: Bool
    ) throws(ConnectorError) {
        try ask(name) { connection throws(PostgresFailure) in
            try connection.startStatement(statement)
        }
        pending = .statement(name, countsMissing: countsMissing)
    }

    /// Whether a COPY is open that the rows go on into.
    private func isOpen(for piece: BatchWriter.Piece) -> Bool {
        guard case .copy(let shape, let form) = pending else { return false }
        return shape === piece.shape && form == piece.form
    }

    /// Sends rows as statements of their own.
    private func queue(
        _ data: UnsafeRawBufferPointer,
        _ piece: BatchWriter.Piece,
        _ name: TableName
    ) throws(ConnectorError) {
        if case .rows = pending, !rows.isFull {} else { try settle() }
        try attempt(name) { () throws(PostgresFailure) in try rows.send(piece, data) }
        pending = .rows
    }

    /// Sends rows as arrays, or the way that is best for those that exist or do not.
    private func sendArrays(
        _ data: UnsafeRawBufferPointer,
        _ piece: BatchWriter.Piece,
        _ name: TableName
    ) throws(ConnectorError) {
        let shape = piece.shape
        switch try way(data, piece, name) {
        case .find:
            // None exists. Should somebody add one before this transaction ends, it is repeated
            // with each batch set apart, and then rows are merged.
            try copy(data, piece, name)
            try attempt(name) { () throws(PostgresFailure) in
                try sendFrame(piece.form) { CopyBinary.end(&$0) }
                try connection.finishCopyData()
            }
            pending = .statement(name, countsMissing: false)
        case .change:
            try ask(name) { connection throws(PostgresFailure) in
                try arrays.startChange(piece, data, on: connection)
            }
            pending = .change(piece)
        case .merge:
            try ask(name) { connection throws(PostgresFailure) in
                try arrays.start(piece, data, on: connection)
            }
            shape.presence.merged()
            pending = .statement(name, countsMissing: shape.kind == .update)
        }
    }

    /// How rows are written; `find` when it was looked for them and none exists.
    private func way(
        _ data: UnsafeRawBufferPointer,
        _ piece: BatchWriter.Piece,
        _ name: TableName
    ) throws(ConnectorError) -> KeyPresence.Way {
        let shape = piece.shape
        guard shape.canDivide, piece.hasDistinctKeys, piece.rows >= KeyPresence.rowLimit, !isApart
        else { return .merge }
        // The rows before may be what is found, or be found not to exist.
        try settle()
        guard shape.presence.way == .find else { return shape.presence.way }
        let count = try ask(name) { connection throws(PostgresFailure) in
            try arrays.find(piece, data, on: connection)
        }
        shape.presence.found(count, of: piece.rows)
        return shape.presence.way
    }

    /// Waits until rows that exist are replaced, and merges the piece when not all of them did.
    private func finishChange(_ piece: BatchWriter.Piece) throws(ConnectorError) {
        try attempt(piece.shape.table.name) { () throws(PostgresFailure) in
            let changed = try connection.finishStatement().affectedRows
            piece.shape.presence.found(changed, of: piece.rows)
            guard changed < piece.rows else { return }
            try arrays.startAgain(piece, on: connection)
            try connection.finishStatement()
        }
    }

    /// Sends rows straight into their table.
    private func copy(
        _ data: UnsafeRawBufferPointer,
        _ piece: BatchWriter.Piece,
        _ name: TableName
    ) throws(ConnectorError) {
        try ask(name) { connection throws(PostgresFailure) in
            try connection.startCopyIn(piece.shape.copyStatement(into: nil, as: piece.form))
            try sendFrame(piece.form) { CopyBinary.begin(&$0) }
            try connection.copyData(data)
        }
        pending = .copy(piece.shape, piece.form)
    }

    /// Sends rows into a temporary table, and lets the server take them from there.
    private func stage(
        _ data: UnsafeRawBufferPointer,
        _ piece: BatchWriter.Piece,
        _ name: TableName
    ) throws(ConnectorError) {
        let shape = piece.shape
        let (preparation, stage) = stages.take(for: shape.stageDefinition)
        try ask(name) { connection throws(PostgresFailure) in
            if let preparation { try connection.execute(preparation) }
            try connection.startCopyIn(shape.copyStatement(into: stage, as: piece.form))
            try sendFrame(piece.form) { CopyBinary.begin(&$0) }
            try connection.copyData(data)
            try sendFrame(piece.form) { CopyBinary.end(&$0) }
            try connection.endCopyIn()
        }
        let countsMissing = shape.kind == .update
        // What watches the table is to see each row, also of those that share a key.
        guard shape.table.hasTriggers, !piece.hasDistinctKeys, shape.kind != .delete else {
            let statement = shape.merge(from: stage, hasDistinctKeys: piece.hasDistinctKeys)
            return try start(statement, name, countsMissing: countsMissing)
        }
        let turns = try ask(name) { connection throws(PostgresFailure) in
            try connection.execute(shape.countTurns(in: stage)).int(0, 0) ?? 0
        }
        for turn in 1...max(Int(turns), 1) {
            try start(shape.merge(from: stage, turn: turn), name, countsMissing: countsMissing)
        }
    }

    private func sendFrame(
        _ form: RowEncoder.Form,
        _ write: (inout CopyCursor) -> Void
    ) throws(PostgresFailure) {
        guard form == .binary else { return }
        frame.count = 0
        var cursor = CopyCursor(frame)
        write(&cursor)
        cursor.commit()
        try connection.copyData(frame.bytes)
    }
}
