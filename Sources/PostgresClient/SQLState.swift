/// A five-character SQLSTATE: the first two name the class, all five the condition.
public struct SQLState: RawRepresentable, Hashable, Sendable {
    /// The code, such as `23505`.
    public let rawValue: String
    /// Makes a state.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Makes a state.
    public init(_ rawValue: String) { self.rawValue = rawValue }

    /// The first two characters, such as `23` for integrity constraints.
    public var classCode: String { String(rawValue.prefix(2)) }
}

extension SQLState {
    /// No connection could be made.
    public static let cannotConnect = Self("08001")
    /// The server was reached, and no connection of this kind can be had from it.
    public static let rejected = Self("08004")
    /// The connection broke.
    public static let connectionFailure = Self("08006")
    /// A unique constraint is violated.
    public static let uniqueViolation = Self("23505")
    /// A foreign key has no referent.
    public static let foreignKeyViolation = Self("23503")
    /// A column that must not be null would be.
    public static let notNullViolation = Self("23502")
    /// A check constraint is violated.
    public static let checkViolation = Self("23514")
    /// An exclusion constraint is violated.
    public static let exclusionViolation = Self("23P01")
    /// The password is wrong.
    public static let invalidPassword = Self("28P01")
    /// The user may not connect at all, or not this way.
    public static let invalidAuthorization = Self("28000")
    /// There is no such database.
    public static let noSuchDatabase = Self("3D000")
    /// There is no such schema.
    public static let noSuchSchema = Self("3F000")
    /// Concurrent transactions cannot both have been first.
    public static let serializationFailure = Self("40001")
    /// Transactions waited for each other.
    public static let deadlock = Self("40P01")
    /// A privilege is missing.
    public static let insufficientPrivilege = Self("42501")
    /// There is no such table.
    public static let noSuchTable = Self("42P01")
    /// There is no such column.
    public static let noSuchColumn = Self("42703")
    /// No index or constraint is what ON CONFLICT names.
    public static let noSuchIndex = Self("42P10")
    /// A value's binary form is not what its type needs.
    public static let invalidBinary = Self("22P03")
    /// There is such a table already.
    public static let duplicateTable = Self("42P07")
    /// There is such a column already.
    public static let duplicateColumn = Self("42701")
    /// There is such an object already.
    public static let duplicateObject = Self("42710")
    /// There is no such object, such as a replication slot.
    public static let noSuchObject = Self("42704")
    /// An object is in use, such as a replication slot by another connection.
    public static let objectInUse = Self("55006")
    /// An object is not in the state that the request needs.
    public static let objectNotInPrerequisiteState = Self("55000")
    /// A lock could not be had in time.
    public static let lockNotAvailable = Self("55P03")
    /// The statement was cancelled, by a request or by its timeout.
    public static let queryCancelled = Self("57014")
    /// The server has no room for another connection.
    public static let tooManyConnections = Self("53300")
    /// The disk of the server is full.
    public static let diskFull = Self("53100")
    /// A transaction refuses everything because a statement in it failed.
    public static let inFailedTransaction = Self("25P02")
    /// The transaction may not write.
    public static let readOnlyTransaction = Self("25006")
}
