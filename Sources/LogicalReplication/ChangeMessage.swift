/// What the output plugin `pgoutput` says, message by message, in protocol versions 1 to 4.
///
/// Texts and rows point into the message's memory. Rows are in the decoder's
/// ``PgOutputDecoder/newRow`` and ``PgOutputDecoder/oldRow``.
public enum ChangeMessage {
    /// What of an old row an update or delete brings.
    @frozen
    public enum OldRow: Sendable {
        /// Nothing: the key did not change.
        case none
        /// The columns of the replica identity; the others are null.
        case key
        /// All columns.
        case full
    }

    /// A transaction begins; its changes follow, then its commit.
    case begin(Begin)
    /// The transaction is complete.
    case commit(Commit)
    /// The transaction came from another server by replication.
    case origin(LSN, name: UnsafeRawBufferPointer)
    /// Describes a table whose rows follow.
    case relation(Relation)
    /// Names a type that is not built in.
    case type(id: UInt32, namespace: String, name: String)
    /// A row was inserted.
    case insert(relation: UInt32)
    /// A row was changed.
    case update(relation: UInt32, OldRow)
    /// A row was deleted.
    case delete(relation: UInt32, OldRow)
    /// Tables were emptied.
    case truncate(Truncation)
    /// An application wrote something into the log.
    case message(LogicalMessage)
    /// Changes of a transaction that is not complete follow.
    case streamStart(transaction: UInt32, isFirst: Bool)
    /// Those changes end.
    case streamStop
    /// A streamed transaction is complete.
    case streamCommit(transaction: UInt32, Commit)
    /// A streamed transaction, or a subtransaction of it, never happened.
    case streamAbort(transaction: UInt32, subtransaction: UInt32)
    /// A transaction begins that ends with a prepare.
    case beginPrepare(Preparation)
    /// The transaction waits to be committed or rolled back by name.
    case prepare(Preparation)
    /// A prepared transaction was committed.
    case commitPrepared(Preparation)
    /// A prepared transaction was rolled back.
    case rollbackPrepared(Preparation)
    /// A streamed transaction waits to be committed or rolled back by name.
    case streamPrepare(Preparation)

    /// How a transaction begins.
    public struct Begin: Hashable, Sendable {
        /// Where its commit is in the log.
        public var commitLSN: LSN
        /// When it was committed, in microseconds since 1970-01-01.
        public var time: Int64
        /// Its number.
        public var transaction: UInt32

        /// Makes a beginning.
        public init(commitLSN: LSN, time: Int64, transaction: UInt32) {
            self.commitLSN = commitLSN
            self.time = time
            self.transaction = transaction
        }
    }

    /// How a transaction ends.
    public struct Commit: Hashable, Sendable {
        /// Where its commit is in the log.
        public var commitLSN: LSN
        /// Where its commit ends: replication goes on from there.
        public var endLSN: LSN
        /// When it was committed, in microseconds since 1970-01-01.
        public var time: Int64
    }

    /// Which tables were emptied, and how.
    public struct Truncation: Hashable, Sendable {
        /// The tables, by oid.
        public var relations: [UInt32]
        /// Whether tables that refer to them were emptied too.
        public var cascades: Bool
        /// Whether their sequences start anew.
        public var restartsIdentity: Bool
    }

    /// What an application wrote with `pg_logical_emit_message`.
    public struct LogicalMessage {
        /// Whether it belongs to a transaction, and exists only if that commits.
        public var isTransactional: Bool
        /// Its place in the log.
        public var lsn: LSN
        /// Says whom it concerns.
        public var prefix: UnsafeRawBufferPointer
        /// What it says.
        public var content: UnsafeRawBufferPointer
    }

    /// A step of a two-phase commit.
    public struct Preparation: Hashable, Sendable {
        /// Where it is in the log.
        public var lsn: LSN
        /// Where it ends.
        public var endLSN: LSN
        /// When it was made, in microseconds since 1970-01-01.
        public var time: Int64
        /// The transaction's number.
        public var transaction: UInt32
        /// The name under which it waits.
        public var name: String
    }
}
