public import ConnectorSDK

/// A table whose rows can be read in the ascending order of its key.
///
/// Numbers must come in numeric order, text and bytes byte by byte (in PostgreSQL `COLLATE "C"`),
/// times in the order of time: only then do the rows of two databases come in one order.
public protocol ComparableTable: AnyObject {
    /// The name for people, such as `public.orders`.
    var name: String { get }
    /// The columns that hold data, those of the key among them.
    var columns: [String] { get }
    /// The names of the key's columns, in its order.
    var key: [String] { get }

    /// Adds rows to an empty batch, with a schema of ``columns``.
    ///
    /// The rows are those after `key`, or the first when it is `nil`; at most `limit`, and fewer
    /// only at the end of the table.
    func read(
        after key: [Value]?,
        limit: Int,
        into batch: RecordBatch
    ) throws(ConnectorError)

    /// Adds the row with this key to an empty batch, or nothing when there is none.
    func read(key: [Value], into batch: RecordBatch) throws(ConnectorError)
}

/// A table that can be brought to the state of another.
public protocol RepairableTable: ComparableTable {
    /// Makes the rows of `batch` (their fields are columns by name) and deletes the rows with these
    /// keys, all or nothing.
    func apply(_ batch: RecordBatch, deleting keys: [[Value]]) throws(ConnectorError)
}

/// A table that a source reads, and the topic that its rows go to.
public struct SourceTable {
    /// The topic.
    public var topic: String
    /// The table's name as `${table}` stands for it.
    public var tableName: String
    /// The table.
    public var table: any ComparableTable

    /// Makes a source table.
    public init(topic: String, tableName: String, table: any ComparableTable) {
        self.topic = topic
        self.tableName = tableName
        self.table = table
    }
}

/// A source that can open the tables it reads.
public protocol ComparableSource: SourceConnector {
    /// Opens the tables that a configuration selects.
    static func comparableTables(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [SourceTable]
}

/// A sink that can open the tables it writes.
public protocol ComparableSink: SinkConnector {
    /// Opens the table that records of a topic go to; `nil` when it does not exist.
    ///
    /// `key` is the source's: it is the order of rows where the table has no key of its own.
    static func comparableTable(
        forTopic topic: String,
        table: String,
        key: [String],
        _ configuration: Configuration
    ) throws(ConnectorError) -> (any RepairableTable)?
}
