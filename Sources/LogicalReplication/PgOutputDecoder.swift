/// Reads the messages of the output plugin `pgoutput`.
///
/// One decoder reads one stream, since a message's form depends on whether it stands within a
/// streamed transaction. Nothing is allocated for rows. Bytes that are no message give an error and
/// never a crash. (D9)
public final class PgOutputDecoder {
    /// The row that the last insert or update wrote.
    public let newRow = Tuple()
    /// What the last update or delete brought of the row before.
    public let oldRow = Tuple()
    /// The (sub)transaction that the last message belongs to, within a streamed transaction.
    @exclusivity(unchecked) public private(set) var transaction: UInt32 = 0
    /// Whether the messages belong to a transaction that is not complete.
    @exclusivity(unchecked) public private(set) var isStreaming = false

    /// Makes a decoder for a new stream.
    public init() {}

    /// Reads messages of a streamed transaction that were kept, or ends that.
    ///
    /// Such messages begin with their transaction, but no stream start stands before them.
    public func replay(_ replays: Bool) { isStreaming = replays }

    /// Reads one message, which must stay where it is as long as the result is used.
    public func decode(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        guard let kind = bytes.first else { throw ReplicationError("a message is empty") }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[1...])
        switch kind {
        case UInt8(ascii: "I"): return try insert(rest)
        case UInt8(ascii: "U"): return try update(rest)
        case UInt8(ascii: "D"): return try delete(rest)
        case UInt8(ascii: "B"): return try begin(rest)
        case UInt8(ascii: "C"): return try commit(rest)
        case UInt8(ascii: "O"): return try origin(rest)
        case UInt8(ascii: "R"): return try relation(rest)
        case UInt8(ascii: "Y"): return try type(rest)
        case UInt8(ascii: "T"): return try truncate(rest)
        case UInt8(ascii: "M"): return try message(rest)
        case UInt8(ascii: "S"): return try streamStart(rest)
        case UInt8(ascii: "E"): return try streamStop(rest)
        case UInt8(ascii: "c"): return try streamCommit(rest)
        case UInt8(ascii: "A"): return try streamAbort(rest)
        default: return try twoPhase(kind, rest)
        }
    }

    // MARK: Rows

    /// Within a streamed transaction a message says which (sub)transaction it belongs to.
    @inline(__always)
    private func readTransaction(_ cursor: inout ByteCursor) throws(ReplicationError) {
        if isStreaming { transaction = try cursor.integer() }
    }

    private func insert(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Insert")
        try readTransaction(&cursor)
        let relation: UInt32 = try cursor.integer()
        try expect(UInt8(ascii: "N"), &cursor)
        try newRow.read(&cursor)
        try cursor.finish()
        return .insert(relation: relation)
    }

    private func update(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Update")
        try readTransaction(&cursor)
        let relation: UInt32 = try cursor.integer()
        var marker: UInt8 = try cursor.integer()
        var old = ChangeMessage.OldRow.none
        if marker == UInt8(ascii: "K") || marker == UInt8(ascii: "O") {
            old = marker == UInt8(ascii: "K") ? .key : .full
            try oldRow.read(&cursor)
            marker = try cursor.integer()
        } else {
            oldRow.removeAll()
        }
        guard marker == UInt8(ascii: "N") else { throw unexpected(marker, cursor) }
        try newRow.read(&cursor)
        try cursor.finish()
        return .update(relation: relation, old)
    }

    private func delete(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Delete")
        try readTransaction(&cursor)
        let relation: UInt32 = try cursor.integer()
        let marker: UInt8 = try cursor.integer()
        guard marker == UInt8(ascii: "K") || marker == UInt8(ascii: "O") else {
            throw unexpected(marker, cursor)
        }
        try oldRow.read(&cursor)
        try cursor.finish()
        return .delete(relation: relation, marker == UInt8(ascii: "K") ? .key : .full)
    }

    private func expect(_ marker: UInt8, _ cursor: inout ByteCursor) throws(ReplicationError) {
        let found: UInt8 = try cursor.integer()
        guard found == marker else { throw unexpected(found, cursor) }
    }

    private func unexpected(_ marker: UInt8, _ cursor: ByteCursor) -> ReplicationError {
        ReplicationError("a \(cursor.message) has the unknown part \(marker)")
    }

    private func truncate(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Truncate")
        try readTransaction(&cursor)
        let count = Int(try cursor.integer(Int32.self))
        let options: UInt8 = try cursor.integer()
        guard count >= 0, count <= cursor.remaining / 4 else { throw cursor.cutShort() }
        var relations: [UInt32] = []
        relations.reserveCapacity(count)
        for _ in 0..<count { relations.append(try cursor.integer()) }
        try cursor.finish()
        return .truncate(
            .init(
                relations: relations,
                cascades: options & 1 != 0,
                restartsIdentity: options & 2 != 0
            )
        )
    }

    private func message(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage
    {
        var cursor = ByteCursor(bytes, message: "Message")
        try readTransaction(&cursor)
        let flags: UInt8 = try cursor.integer()
        let lsn = try cursor.lsn()
        let prefix = try cursor.terminated()
        let length = Int(try cursor.integer(Int32.self))
        let content = try cursor.bytes(length)
        try cursor.finish()
        return .message(
            .init(isTransactional: flags & 1 != 0, lsn: lsn, prefix: prefix, content: content)
        )
    }

    // MARK: Tables and types

    private func relation(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Relation")
        try readTransaction(&cursor)
        let id: UInt32 = try cursor.integer()
        let relation = try Relation(id: id, &cursor)
        try cursor.finish()
        return .relation(relation)
    }

    private func type(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Type")
        try readTransaction(&cursor)
        let id: UInt32 = try cursor.integer()
        let namespace = try cursor.text()
        let name = try cursor.text()
        try cursor.finish()
        return .type(id: id, namespace: namespace.isEmpty ? "pg_catalog" : namespace, name: name)
    }
}

// MARK: - Transactions

extension PgOutputDecoder {
    private func begin(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Begin")
        let lsn = try cursor.lsn()
        let time = ReplicationTime.unixMicroseconds(try cursor.integer())
        let transaction: UInt32 = try cursor.integer()
        try cursor.finish()
        return .begin(.init(commitLSN: lsn, time: time, transaction: transaction))
    }

    private func commit(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Commit")
        return .commit(try commit(&cursor))
    }

    private func commit(
        _ cursor: inout ByteCursor
    ) throws(ReplicationError) -> ChangeMessage.Commit {
        _ = try cursor.integer(UInt8.self)
        let lsn = try cursor.lsn()
        let end = try cursor.lsn()
        let time = ReplicationTime.unixMicroseconds(try cursor.integer())
        try cursor.finish()
        return .init(commitLSN: lsn, endLSN: end, time: time)
    }

    private func origin(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Origin")
        let lsn = try cursor.lsn()
        let name = try cursor.terminated()
        try cursor.finish()
        return .origin(lsn, name: name)
    }

    private func streamStart(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Stream Start")
        let transaction: UInt32 = try cursor.integer()
        let isFirst = try cursor.integer(UInt8.self) == 1
        try cursor.finish()
        isStreaming = true
        self.transaction = transaction
        return .streamStart(transaction: transaction, isFirst: isFirst)
    }

    private func streamStop(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        try ByteCursor(bytes, message: "Stream Stop").finish()
        isStreaming = false
        return .streamStop
    }

    private func streamCommit(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Stream Commit")
        let transaction: UInt32 = try cursor.integer()
        return .streamCommit(transaction: transaction, try commit(&cursor))
    }

    private func streamAbort(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        var cursor = ByteCursor(bytes, message: "Stream Abort")
        let transaction: UInt32 = try cursor.integer()
        let subtransaction: UInt32 = try cursor.integer()
        // With parallel streaming (version 4) the place and time of the abort follow.
        if cursor.remaining > 0 { _ = try cursor.bytes(16) }
        try cursor.finish()
        return .streamAbort(transaction: transaction, subtransaction: subtransaction)
    }

    private func twoPhase(
        _ type: UInt8,
        _ bytes: UnsafeRawBufferPointer
    ) throws(ReplicationError) -> ChangeMessage {
        switch type {
        case UInt8(ascii: "b"):
            return .beginPrepare(try preparation(bytes, "Begin Prepare", hasFlags: false))
        case UInt8(ascii: "P"): return .prepare(try preparation(bytes, "Prepare"))
        case UInt8(ascii: "K"): return .commitPrepared(try preparation(bytes, "Commit Prepared"))
        case UInt8(ascii: "r"):
            return .rollbackPrepared(try preparation(bytes, "Rollback Prepared", times: 2))
        case UInt8(ascii: "p"): return .streamPrepare(try preparation(bytes, "Stream Prepare"))
        default: throw ReplicationError("a message has the unknown type \(type)")
        }
    }

    private func preparation(
        _ bytes: UnsafeRawBufferPointer,
        _ name: StaticString,
        hasFlags: Bool = true,
        times: Int = 1
    ) throws(ReplicationError) -> ChangeMessage.Preparation {
        var cursor = ByteCursor(bytes, message: name)
        if hasFlags { _ = try cursor.integer(UInt8.self) }
        let lsn = try cursor.lsn()
        let end = try cursor.lsn()
        // Of a rollback, first that of the prepare.
        if times == 2 { _ = try cursor.integer(Int64.self) }
        let time = ReplicationTime.unixMicroseconds(try cursor.integer())
        let transaction: UInt32 = try cursor.integer()
        let identifier = try cursor.text()
        try cursor.finish()
        return .init(lsn: lsn, endLSN: end, time: time, transaction: transaction, name: identifier)
    }
}
