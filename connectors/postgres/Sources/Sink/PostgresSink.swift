public import ConnectorSDK

/// Writes records to tables of a PostgreSQL database, exactly once.
///
/// The offsets of what was written are kept in the same database and change in the same
/// transaction as the rows, so that a batch that is repeated after a failure changes nothing. (D2)
public final class PostgresSink: SinkConnector {
    /// `postgres`.
    public static let name = "postgres"
    /// For lists.
    public static let summary = "Writes records to tables of a PostgreSQL database, exactly once."
    /// The keys.
    public static var configuration: ConfigSpec { SinkSettings.specification }

    private let settings: SinkSettings
    private let context: ConnectorContext
    private var session: SinkSession?

    /// Makes one task's instance; the server is asked nothing yet.
    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try SinkSettings(configuration)
        self.context = context
    }

    /// Fields, which become columns.
    public var input: SinkInput { .fields }

    /// As many as configured.
    public var preferredTransactionRecords: Int { settings.transactionRecords }

    /// Connects, and finds the offsets that the database has.
    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        try opened().assign(partitions)
    }

    /// Writes a batch within the transaction at hand.
    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        try opened().write(batch)
    }

    /// Commits the rows together with the offsets.
    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        try opened().commit(offsets)
    }

    /// Lets the connection go; the server takes back what was not committed.
    public func close() async { session = nil }

    private func opened() throws(ConnectorError) -> SinkSession {
        if let session { return session }
        let opened = try SinkSession(settings, context)
        session = opened
        return opened
    }
}
