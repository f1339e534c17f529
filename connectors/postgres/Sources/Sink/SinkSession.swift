internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// One task's place in the database: its transaction and its offsets.
internal final class SinkSession {
    private let settings: SinkSettings
    private let connection: SinkConnection
    private let writer: BatchWriter
    private let offsets: OffsetTable
    private var assigned: [TopicPartition: Int64?] = [:]
    private var isInTransaction = false
    private var transactionRows = 0
    /// Tables written to in the transaction at hand, as rows were encoded for them.
    private var written: [TableName: TargetTable] = [:]
    /// Each batch is set apart until so many rows are committed.
    private var carefulRows: Int

    internal init(_ settings: SinkSettings, _ context: ConnectorContext) throws(ConnectorError) {
        self.settings = settings
        connection = try SinkConnection(settings)
        writer = BatchWriter(settings, connection)
        offsets = OffsetTable(settings.offsets, connector: context.name)
        carefulRows = context.answersEachBatch ? settings.transactionRecords * 4 : 0
    }

    /// Takes over partitions; returns the next offset of those that were ever written.
    internal func assign(
        _ partitions: [TopicPartition]
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        let found = try connection.ask(settings.offsets) { connection throws(PostgresFailure) in
            try offsets.prepare(partitions, on: connection)
            return try offsets.offsets(of: partitions, on: connection, locking: false)
        }
        assigned = [:]
        for partition in partitions { assigned[partition] = .some(found[partition]) }
        return found
    }

    /// Writes a batch, within a transaction that is begun if there is none.
    ///
    /// A batch that is refused has no effect. What the server says of a batch that is not set apart
    /// is known only later, and is then said of all since the last commit.
    internal func write(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.count > 0 else { return }
        try begin()
        let before = written
        do throws(ConnectorError) {
            if carefulRows > 0 { try connection.setApart() }
            try writer.prepare(batch)
            for piece in writer.pieces {
                written[piece.shape.table.name] = piece.shape.table
                try connection.send(piece, of: writer.data)
            }
            // A captured transaction's rows may be right only together.
            let isCaptured = TransactionMark(batch[metadata: 0]) != nil
            try connection.rejoin(checksConstraints: !isCaptured && carefulRows > 0)
        } catch {
            guard error.disposition == .rejectRecord, connection.isApart else { throw error }
            try connection.takeBack()
            written = before
            if writer.hasChangedTables { writer.forgetTables() }
            throw error
        }
        transactionRows += batch.count
    }

    /// Makes everything written durable together with offsets. (D2)
    internal func commit(_ next: [TopicPartition: Int64]) throws(ConnectorError) {
        let changed = next.filter { assigned[$0.key] != .some($0.value) }
        guard isInTransaction || !changed.isEmpty else { return }
        try begin()
        try checkTables()
        let statement = changed.isEmpty ? "" : offsets.statement(changed) + "; "
        do throws(ConnectorError) {
            try connection.commit(statement, written.values.first?.name ?? settings.offsets)
        } catch {
            // Each batch was looked at by itself, so no more can be found out.
            guard error.code == .refusedTogether, carefulRows > 0 else { throw error }
            throw SinkErrors.atCommit(error.underlying as? ConnectorError ?? error)
        }
        for (partition, offset) in changed { assigned[partition] = .some(offset) }
        carefulRows = max(0, carefulRows - transactionRows)
        isInTransaction = false
        transactionRows = 0
        written.removeAll(keepingCapacity: true)
    }

    private func begin() throws(ConnectorError) {
        guard !isInTransaction else { return }
        try connection.begin()
        let found = try connection.ask(settings.offsets) { connection throws(PostgresFailure) in
            try offsets.offsets(of: Array(assigned.keys), on: connection, locking: true)
        }
        // D2: were two tasks to write one partition, only one's offsets would be those expected;
        // the rows are locked now, so the other waits here until this transaction ends.
        for (partition, expected) in assigned where found[partition] != expected {
            throw SinkErrors.fenced(partition)
        }
        try writer.forgetChangedTables()
        isInTransaction = true
    }

    /// Makes sure that the tables have the columns that rows were encoded for.
    ///
    /// D6: in others they may be other values. The tables cannot change any more, since this
    /// transaction has written to them.
    private func checkTables() throws(ConnectorError) {
        guard !written.isEmpty else { return }
        let states = try connection.ask(settings.offsets) { connection throws(PostgresFailure) in
            try TargetTable.states(of: Array(written.keys), on: connection)
        }
        guard written.allSatisfy({ states[$0.key] == $0.value.state }) else {
            throw SinkErrors.tableChanged
        }
    }
}
