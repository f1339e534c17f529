internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication

/// Turns messages of the output plugin into captured changes, in commit order.
///
/// Transactions that the server streams before they are complete are kept aside until their
/// commit. After each message, ``position`` is the place up to which everything was appended.
internal final class ChangeApplier {
    /// What the caller has to do after a message.
    internal enum Outcome {
        /// Nothing.
        case none
        /// Append a large transaction that is complete now, see ``ChangeApplier/replayNext(_:)``.
        case replay(Replay)
    }

    /// A transaction that was kept aside.
    internal struct Replay {
        fileprivate let reader: SpillReader?
        fileprivate let commit: ChangeMessage.Commit
    }

    private let stream: ChangeStream
    private let tables: TableMap
    private let spill: SpillStore
    private let decoder = PgOutputDecoder()
    private let settings: CDCSettings
    /// Sees each change before it is appended; there while a snapshot runs beside.
    internal weak var observer: (any ChangeObserver)?
    /// The transactions appended lately.
    internal var recent = RecentTransactions()

    /// Behind the last transaction that was appended as a whole.
    private var end: StreamPosition
    /// The transaction that is being appended.
    private var current: ChangeMessage.Begin?
    /// Whether it was appended before a restart.
    private var isSkipping = false
    /// The transaction whose changes arrive before it is complete.
    private var streamed: UInt32 = 0
    /// Whether the server has asked how far we are.
    private var wasAsked = false
    private var signals: [RawSignal] = []

    internal init(
        from position: StreamPosition,
        into stream: ChangeStream,
        tables: TableMap,
        spill: SpillStore,
        settings: CDCSettings
    ) {
        end = position
        self.stream = stream
        self.tables = tables
        self.spill = spill
        self.settings = settings
    }

    /// The place up to which everything was appended.
    internal var position: StreamPosition {
        var position = end
        if let current, !isSkipping {
            position.commit = current.commitLSN
            position.publication = settings.publication
            // Never behind what a restart found, while that is only counted again.
            position.changes = max(
                stream.changesInTransaction,
                current.commitLSN == end.commit ? end.changes : 0
            )
        }
        return position
    }

    /// Whether no transaction is under way, so that something else may be appended.
    internal var isBetweenTransactions: Bool { current == nil }

    /// Whether the server has asked how far we are since the last call.
    internal func takeQuestion() -> Bool {
        defer { wasAsked = false }
        return wasAsked
    }

    /// Signals that came with changes since the last call.
    internal func takeSignals() -> [RawSignal] {
        defer { signals.removeAll() }
        return signals
    }

    // MARK: - Messages

    /// Takes one message of the stream.
    internal func apply(_ message: UnsafeRawBufferPointer) throws(ConnectorError) -> Outcome {
        switch try open(message) {
        case .keepalive(let place, _, let wantsReply):
            wasAsked = wasAsked || wantsReply
            // Everything before it has arrived; of what is not complete nothing is lost, as it is
            // sent again from its beginning.
            if current == nil, place > end.lsn { moveEnd(to: place) }
            return .none
        case .data(let start, let time, let payload):
            if decoder.isStreaming, try keepAside(payload, at: start) { return .none }
            return try apply(try decode(payload), at: start, sent: time)
        }
    }

    private func open(_ message: UnsafeRawBufferPointer) throws(ConnectorError) -> StreamMessage {
        do throws(ReplicationError) {
            return try StreamMessage(message)
        } catch {
            throw CDCError.protocolError(error)
        }
    }

    private func decode(_ payload: UnsafeRawBufferPointer) throws(ConnectorError) -> ChangeMessage {
        do throws(ReplicationError) {
            return try decoder.decode(payload)
        } catch {
            throw CDCError.protocolError(error)
        }
    }

    private func apply(
        _ message: ChangeMessage,
        at place: LSN,
        sent time: Int64
    ) throws(ConnectorError) -> Outcome {
        switch message {
        case .begin(let begin): self.begin(begin)
        case .commit(let commit): self.commit(commit)
        case .streamStart(let transaction, _): streamed = transaction
        case .streamStop, .origin: break
        case .streamCommit(let transaction, let commit):
            return .replay(try complete(transaction, commit))
        case .streamAbort(let transaction, let subtransaction):
            try keeping { () throws(SpillError) in
                try spill.abort(transaction, subtransaction: subtransaction)
            }
        case .beginPrepare, .prepare, .commitPrepared, .rollbackPrepared, .streamPrepare:
            // Only slots made for it send these, and such slots are refused.
            throw CDCError.protocolError(ReplicationError("a prepared transaction came too early"))
        case .message(let message) where !message.isTransactional:
            applyMessage(message, sent: time)
        default: try change(message, at: place)
        }
        return .none
    }

    // MARK: - Transactions

    private func begin(_ begin: ChangeMessage.Begin) {
        current = begin
        // D2: what a restart brings again is not appended again.
        isSkipping = begin.commitLSN < end.lsn
        guard !isSkipping else { return }
        let isResumed = begin.commitLSN == end.commit
        stream.begin(
            CapturedTransaction(
                sequence: begin.commitLSN.rawValue,
                id: UInt64(begin.transaction),
                microseconds: begin.time
            ),
            resumingAfter: isResumed ? end.changes : 0
        )
    }

    private func commit(_ commit: ChangeMessage.Commit) {
        if let current, !isSkipping {
            stream.end()
            recent.append(current.transaction)
            moveEnd(to: commit.endLSN)
        }
        current = nil
        isSkipping = false
    }

    /// Moves on; a transaction that is durable in part stays so until its commit is passed.
    private func moveEnd(to place: LSN) {
        end.lsn = place
        if let commit = end.commit, place <= commit { return }
        end.commit = nil
        end.changes = 0
        end.publication = ""
    }

    // MARK: - Transactions that are not complete

    /// Keeps a change of a transaction that is being streamed; `false` for other messages.
    private func keepAside(
        _ payload: UnsafeRawBufferPointer,
        at place: LSN
    ) throws(ConnectorError) -> Bool {
        guard let type = payload.first, "RYIUDTM".utf8.contains(type), payload.count >= 5 else {
            return false
        }
        let bigEndian = payload.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
        try keeping { () throws(SpillError) in
            try spill.append(
                payload,
                lsn: place,
                transaction: streamed,
                subtransaction: UInt32(bigEndian: bigEndian)
            )
        }
        guard spill.hasTooManySubtransactions(streamed) else { return true }
        throw CDCError.environment(
            "subtransactions",
            "A transaction has more than \(SpillStore.subtransactionLimit) subtransactions, too "
                + "many to be followed before it is complete.",
            at: CDCKeys.streaming.declaration.name,
            hint: "Set `streaming: off` until it is read, so that the server follows them."
        )
    }

    private func complete(
        _ transaction: UInt32,
        _ commit: ChangeMessage.Commit
    ) throws(ConnectorError) -> Replay {
        let reader = spill.take(transaction)
        begin(
            ChangeMessage.Begin(
                commitLSN: commit.commitLSN,
                time: commit.time,
                transaction: transaction
            )
        )
        return Replay(reader: isSkipping ? nil : reader, commit: commit)
    }

    /// Appends the next change of a transaction that was kept aside; `false` when it is complete.
    internal func replayNext(_ replay: Replay) throws(ConnectorError) -> Bool {
        let next = try keeping { () throws(SpillError) in try replay.reader?.next() }
        guard let next else {
            commit(replay.commit)
            return false
        }
        decoder.replay(true)
        defer { decoder.replay(false) }
        try change(try decode(next.bytes), at: next.lsn)
        return true
    }

    private func keeping<Result>(
        _ body: () throws(SpillError) -> Result
    ) throws(ConnectorError) -> Result {
        do throws(SpillError) {
            return try body()
        } catch {
            throw CDCError.spill(error)
        }
    }
}

// MARK: - Changes

extension ChangeApplier {
    private func change(_ message: ChangeMessage, at place: LSN) throws(ConnectorError) {
        switch message {
        case .relation(let relation): try tables.describe(relation)
        case .message(let message): applyMessage(message, sent: 0)
        case .insert(let id):
            guard !isSkipping else { return }
            guard let relation = try tables.relation(id) else {
                stream.pass()
                return noteSignal(id)
            }
            relation.beginChange()
            append(.create, relation, nil, relation.decode(decoder.newRow), place)
        case .update(let id, let old):
            guard !isSkipping else { return }
            guard let relation = try tables.relation(id) else { return stream.pass() }
            relation.beginChange()
            let before = relation.decode(decoder.oldRow, old)
            let after = relation.decode(decoder.newRow)
            if old == .full { relation.fillUnchanged() }
            append(.update, relation, before, after, place)
        case .delete(let id, let old):
            guard !isSkipping else { return }
            guard let relation = try tables.relation(id) else { return stream.pass() }
            relation.beginChange()
            append(.delete, relation, relation.decode(decoder.oldRow, old), nil, place)
        case .truncate(let truncation):
            for id in truncation.relations where !isSkipping { try truncate(id, place) }
        default: break
        }
    }

    private func truncate(_ id: UInt32, _ place: LSN) throws(ConnectorError) {
        guard let relation = try tables.relation(id) else { return stream.pass() }
        let transaction = current?.transaction ?? 0
        if let observer {
            if observer.isHidden(relation, transaction) { return stream.pass() }
            observer.willTruncate(relation, transaction)
        }
        stream.appendTruncation(of: relation.table, at: place.rawValue)
    }

    private func noteSignal(_ id: UInt32) {
        guard let table = tables.signals, table.id == id else { return }
        var texts: [String: String] = [:]
        for (number, column) in table.columns.enumerated() {
            texts[column.name] = String(decoding: decoder.newRow[number].bytes, as: UTF8.self)
        }
        signals.append(
            RawSignal(
                id: texts["id"] ?? "",
                type: texts["type"] ?? "",
                data: texts["data"] ?? ""
            )
        )
    }

    @inline(__always)
    private func append(
        _ operation: ChangeOperation,
        _ relation: CapturedRelation,
        _ before: UnsafePointer<Cell>?,
        _ after: UnsafePointer<Cell>?,
        _ place: LSN
    ) {
        if let observer {
            let transaction = current?.transaction ?? 0
            if observer.isHidden(relation, transaction) { return stream.pass() }
            observer.willAppend(relation, before, after, transaction)
        }
        if let problem = relation.problem {
            return stream.reject(problem, value: [], of: relation.table)
        }
        stream.append(
            operation,
            to: relation.table,
            before: before,
            after: after,
            at: place.rawValue
        )
    }

    /// A message outside of transactions is told where it stands; one within is part of its own.
    private func applyMessage(_ message: ChangeMessage.LogicalMessage, sent time: Int64) {
        let prefix = String(decoding: message.prefix, as: UTF8.self)
        let isOld = message.isTransactional ? isSkipping : message.lsn < end.lsn
        if isOld {
            // It is in the topic.
        } else if !settings.captures(message: prefix) {
            if message.isTransactional { stream.pass() }
        } else {
            let moment = CapturedTransaction(
                sequence: current.map(\.commitLSN.rawValue) ?? message.lsn.rawValue,
                id: UInt64(current?.transaction ?? 0),
                microseconds: current?.time ?? time
            )
            stream.appendMessage(
                prefix: prefix,
                content: message.content,
                at: moment,
                position: message.lsn.rawValue
            )
        }
        // The server sends it again only when asked for what begins at its place or before.
        if !message.isTransactional, current == nil, message.lsn >= end.lsn {
            moveEnd(to: LSN(message.lsn.rawValue + 1))
        }
    }
}
