/// What is the same in the `source` of all changes of one connector.
public struct CaptureSource: Hashable, Sendable {
    /// Debezium's name of the connector, such as `postgresql`.
    public var connector: String
    /// The database.
    public var database: String
    /// The schema whose tables ``CapturedChangeHeader/table`` names without it, such as `public`.
    public var defaultSchema: String?
    /// The name of the field with the place of a change in the database's log, such as `lsn`.
    public var positionField: String
    /// Whether `sequence` tells the transaction's place and the change's, `["<commit>","<change>"]`.
    public var hasSequence: Bool

    /// Describes a source.
    public init(
        connector: String,
        database: String,
        defaultSchema: String? = nil,
        positionField: String,
        hasSequence: Bool
    ) {
        self.connector = connector
        self.database = database
        self.defaultSchema = defaultSchema
        self.positionField = positionField
        self.hasSequence = hasSequence
    }
}

/// A transaction of the database.
public struct CapturedTransaction: Hashable, Sendable {
    /// Grows from each transaction to the next in commit order, see ``TransactionMark``.
    public var sequence: UInt64
    /// The database's own number of the transaction.
    public var id: UInt64
    /// When it was committed, in microseconds since the epoch.
    public var microseconds: Int64

    /// Describes a transaction.
    public init(sequence: UInt64, id: UInt64, microseconds: Int64) {
        self.sequence = sequence
        self.id = id
        self.microseconds = microseconds
    }
}

/// What happened to a row.
public enum ChangeOperation: UInt8, Sendable {
    /// Inserted.
    case create = 0x63
    /// Updated.
    case update = 0x75
    /// Deleted.
    case delete = 0x64
    /// Read by a snapshot.
    case read = 0x72
}

/// Which snapshot reads rows.
public enum SnapshotKind: String, Sendable {
    /// The one that comes before the changes.
    case initial = "true"
    /// One that runs while changes go on.
    case incremental
}
