public import ConnectorSDK

/// Writes records to tables of a SQLite database, exactly once.
///
/// The offsets of what was written are kept in the same database and change in the same
/// transaction as the rows, so that a batch that is repeated after a failure changes nothing. (D2)
public final class SQLiteSink: SinkConnector {
    public static let name = "sqlite"
    public static let summary = "Writes records to tables of a SQLite database, exactly once."
    public static var configuration: ConfigSpec { SinkSettings.specification }

    private let settings: SinkSettings
    private let context: ConnectorContext
    private var database: SinkDatabase?

    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try SinkSettings(configuration)
        self.context = context
    }

    public var input: SinkInput { .fields }

    public var preferredTransactionRecords: Int {
        database?.preferredRecords ?? settings.transactionRecords
    }

    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        let database = try opened()
        return try database.assign(partitions)
    }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        try opened().write(batch)
    }

    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        try opened().commit(offsets)
    }

    public func close() async {
        database?.close()
        database = nil
    }

    private func opened() throws(ConnectorError) -> SinkDatabase {
        if let database { return database }
        let opened = try SinkDatabase(settings, context)
        database = opened
        return opened
    }
}
