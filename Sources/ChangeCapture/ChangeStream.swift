public import ConnectorSDK
internal import JSONRecords

/// Makes records of changes, batch by batch, and hands them to an outlet.
///
/// A connector announces a transaction with ``begin(_:resumingAfter:)``, appends its changes in
/// order, ends it with ``end()``, and sends whenever ``isFull`` says so or nothing else is to be
/// done. What was appended is copied, so cells may point to memory that changes with the next
/// change; behind their slices ``Chunk/padding`` bytes can be read.
///
/// Nothing is allocated for a change. One task uses a stream.
public final class ChangeStream {
    /// The configuration.
    public let settings: CaptureSettings
    /// The database.
    public let source: CaptureSource

    internal let envelope: Envelope
    internal let outlet: any RecordOutlet
    internal var pending: [RecordBatch] = []
    private var openTables: [CapturedTable] = []
    /// Records and bytes that wait to be sent.
    @exclusivity(unchecked) internal var records = 0
    @exclusivity(unchecked) internal var bytes = 0

    @exclusivity(unchecked) internal var transaction: CapturedTransaction?
    @exclusivity(unchecked) internal var counter = TransactionCounter()
    /// The tables of the transaction that is under way.
    internal var touched: [CapturedTable] = []
    internal lazy var teller = TransactionTeller(self)

    internal let text: RecordText

    /// Makes a stream.
    public init(
        _ settings: CaptureSettings,
        of source: CaptureSource,
        into outlet: any RecordOutlet
    ) {
        self.settings = settings
        self.source = source
        self.outlet = outlet
        envelope = Envelope(source, settings)
        text = RecordText(envelope)
    }

    // MARK: - Transactions

    /// Whether a transaction is under way.
    public var isInTransaction: Bool { transaction != nil }

    /// How many changes of the transaction were appended, those skipped included: where to resume
    /// when the position that is sent lies within a transaction.
    public var changesInTransaction: UInt64 { counter.changes }

    /// Starts a transaction.
    ///
    /// - Parameters:
    ///   - transaction: the transaction.
    ///   - changes: as many changes were sent before a restart: they are appended again by the
    ///     connector, in the same order, and counted only.
    public func begin(_ transaction: CapturedTransaction, resumingAfter changes: UInt64 = 0) {
        self.transaction = transaction
        counter = TransactionCounter(skipping: changes)
        text.begin(transaction, isTold: settings.providesTransactions)
    }

    /// Says that what follows was not sent before, for a connector that could not count what was.
    ///
    /// It began the transaction with as many changes to skip as there can be.
    public func resume() { counter.resume() }

    /// Changes the time at which the transaction's next changes are told to have been made.
    public func setTime(_ microseconds: Int64) {
        guard var changed = transaction, changed.microseconds != microseconds else { return }
        changed.microseconds = microseconds
        transaction = changed
        text.begin(changed, isTold: settings.providesTransactions)
    }

    /// Ends the transaction; nothing is told of one without changes.
    public func end() {
        if let transaction, counter.events > 0, settings.providesTransactions {
            teller.end(transaction)
        }
        transaction = nil
        touched.removeAll(keepingCapacity: true)
    }

    // MARK: - Changes

    /// Says which snapshot the rows that follow with ``ChangeOperation/read`` are of.
    ///
    /// - Parameters:
    ///   - kind: the kind of snapshot.
    ///   - moment: when and where in the log it was taken.
    public func beginSnapshot(_ kind: SnapshotKind, at moment: CapturedTransaction) {
        text.beginSnapshot(kind, at: moment)
    }

    /// Appends what happened to a row; one that cannot be told is rejected in its batch.
    ///
    /// - Parameters:
    ///   - operation: what happened.
    ///   - table: the table.
    ///   - before: the row before, in the order of the table's columns; `nil` when unknown. Cells
    ///     that are not known are missing.
    ///   - after: the row after; `nil` for a deletion. Cells whose value the database did not give
    ///     are missing.
    ///   - position: the change's place in the database's log.
    public func append(
        _ operation: ChangeOperation,
        to table: CapturedTable,
        before: UnsafePointer<Cell>?,
        after: UnsafePointer<Cell>?,
        at position: UInt64
    ) {
        if settings.skipped.contains(operation.rawValue) {
            if operation != .read { pass() }
            return
        }
        guard operation != .read, transaction != nil else {
            return write(operation, table, before, after, position)
        }
        counter.changes &+= 1
        note(table)
        if operation == .update, let before, let after,
            Key.differs(table.keyColumns, before, after)
        {
            return move(table, before, after, position)
        }
        count(table)
        if counter.isResumed { write(operation, table, before, after, position) }
        if operation == .delete { appendTombstone(table, before) }
    }

    /// Counts a change of the transaction that is not told.
    ///
    /// So the number of a change, by which a restart finds its place within a transaction, does not
    /// depend on what a configuration leaves out. (D3)
    @inline(__always)
    public func pass() { counter.changes &+= 1 }

    /// An update of the key: the row under the old key ends, and one under the new key begins.
    private func move(
        _ table: CapturedTable,
        _ before: UnsafePointer<Cell>,
        _ after: UnsafePointer<Cell>,
        _ position: UInt64
    ) {
        count(table)
        if counter.isResumed {
            write(.delete, table, before, nil, position, other: .newKey, of: after)
        }
        appendTombstone(table, before)
        count(table)
        if counter.isResumed {
            write(.create, table, nil, after, position, other: .oldKey, of: before)
        }
    }

    private func appendTombstone(_ table: CapturedTable, _ before: UnsafePointer<Cell>?) {
        guard settings.sendsTombstones, let before, table.keySchema != nil else { return }
        counter.records &+= 1
        guard counter.isResumed else { return }
        let batch = batch(of: table)
        text.appendTombstone(table, before, counter, to: batch)
        noteRecord(bytes: 64)
    }

    /// Notes a change that cannot be told, in place of ``append(_:to:before:after:at:)``.
    ///
    /// - Parameters:
    ///   - error: why not.
    ///   - value: what of it can be shown in a dead letter.
    ///   - table: the table.
    public func reject(
        _ error: ConnectorError,
        value: some Collection<UInt8>,
        of table: CapturedTable
    ) {
        if transaction != nil {
            counter.changes &+= 1
            note(table)
            count(table)
            guard counter.isResumed else { return }
        }
        var record = RejectedRecord(error: error, topic: table.topic, value: value)
        record.isCut = true
        batch(of: table).reject(record)
        records += 1
    }

    private func write(
        _ operation: ChangeOperation,
        _ table: CapturedTable,
        _ before: UnsafePointer<Cell>?,
        _ after: UnsafePointer<Cell>?,
        _ position: UInt64,
        other header: Key.Header? = nil,
        of otherRow: UnsafePointer<Cell>? = nil
    ) {
        do throws(ConnectorError) {
            var rows = try text.rows(table, before, after)
            rows.header = header
            rows.otherRow = otherRow
            // Only now is it known of which schema the batch must be.
            let batch = batch(of: table)
            noteRecord(
                bytes: try text.append(
                    rows,
                    operation.rawValue,
                    table,
                    at: position,
                    counter,
                    to: batch
                )
            )
        } catch {
            batch(of: table).reject(RejectedRecord(error: error, topic: table.topic, value: []))
            records += 1
        }
    }

    /// Counts an event and its record.
    @inline(__always)
    private func count(_ table: CapturedTable) {
        counter.events &+= 1
        counter.records &+= 1
        table.events &+= 1
    }

    /// Makes the table one of the transaction's.
    @inline(__always)
    internal func note(_ table: CapturedTable) {
        guard table.countedTransaction != transaction?.sequence else { return }
        table.countedTransaction = transaction?.sequence
        table.events = 0
        touched.append(table)
        noteBeginning()
    }

    /// Tells that the transaction begins, unless that was told.
    @inline(__always)
    internal func noteBeginning() {
        guard settings.providesTransactions, !counter.hasBegun else { return }
        counter.hasBegun = true
        // D3: the record stands in the same commit as the first change.
        if counter.isResumed, let transaction { teller.begin(transaction) }
    }

    @inline(__always)
    internal func noteRecord(bytes: Int) {
        records &+= 1
        self.bytes &+= bytes
    }

    // MARK: - Batches

    /// The batch that the table's next record goes to.
    @inline(__always)
    internal func batch(of table: CapturedTable) -> RecordBatch {
        if let batch = table.batch, table.batchSchema == ObjectIdentifier(table.schema) {
            return batch
        }
        return openBatch(table)
    }

    @inline(never)
    private func openBatch(_ table: CapturedTable) -> RecordBatch {
        // Changes that come after a pause are told to have been seen now.
        if pending.isEmpty { text.refreshClock() }
        let batch = outlet.makeBatch(topic: table.topic, schema: table.schema)
        if let keySchema = table.keySchema { batch.addKeys(keySchema) }
        batch.origin = table.name
        batch.rawIsJSON = true
        if table.batch == nil { openTables.append(table) }
        table.batch = batch
        table.batchSchema = ObjectIdentifier(table.schema)
        pending.append(batch)
        return batch
    }

    /// More batches than this are sent, however small: each takes memory of its own. (D7)
    private static let batchLimit = 64

    /// Whether enough has come together to be sent, which may be in the middle of a transaction.
    public var isFull: Bool {
        records >= RecordBatch.rowLimit || bytes >= RecordBatch.byteLimit
            || pending.count >= Self.batchLimit
    }

    /// Whether nothing waits to be sent.
    public var isEmpty: Bool { pending.isEmpty && !teller.hasRecords }

    /// Sends everything that was appended, with the position after it, in one commit.
    ///
    /// Without records only the position moves.
    public func send(position: SourcePosition) async throws(ConnectorError) {
        var batches = pending
        // The end of a transaction comes after its changes.
        if let batch = teller.takeBatch() { batches.append(batch) }
        for table in openTables { table.batch = nil }
        openTables.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        records = 0
        bytes = 0
        text.refreshClock()
        if batches.isEmpty {
            try await outlet.advance(to: position)
        } else {
            try await outlet.send(batches, position: position)
        }
    }
}

/// What was counted in a transaction.
internal struct TransactionCounter {
    /// Changes that the connector appended.
    var changes: UInt64 = 0
    /// Events, of which a change of a key is two.
    var events: UInt64 = 0
    /// Records, of which a deletion may be two.
    var records: UInt64 = 0
    /// Whether it was told that the transaction begins.
    var hasBegun = false
    /// Changes that were sent before a restart.
    private var skipped: UInt64

    init(skipping skipped: UInt64 = 0) { self.skipped = skipped }

    mutating func resume() { skipped = changes }

    /// Whether the present change was not sent before.
    @inline(__always)
    var isResumed: Bool { changes > skipped }
}
