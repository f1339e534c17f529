public import ConnectorSDK
internal import ChangeCapture
internal import FileSystem
internal import LogicalReplication
internal import Logging
internal import PostgresClient
internal import PostgresRecords

/// Captures changes of PostgreSQL tables by logical replication: what is there at the start, then
/// every change in commit order, in Debezium's envelope.
///
/// The first task has the replication slot. Others help it to read the tables at the start.
public final class PostgresCDCSource: SourceConnector {
    /// `postgres-cdc`.
    public static let name = "postgres-cdc"
    /// For lists.
    public static let summary = "Captures changes of PostgreSQL tables by logical replication."
    /// The keys.
    public static let configuration =
        ConnectionKeys.specification.merging(CDCKeys.own)
        .merging(CaptureKeys.common).merging(CaptureKeys.types)

    /// The schema whose tables are named without it.
    internal static let defaultSchema = "public"

    private let settings: CDCSettings
    private let context: ConnectorContext
    private var progress: StreamProgress?

    /// Makes one task's instance.
    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try CDCSettings(configuration)
        self.context = context
    }

    /// Where it says that transactions are complete.
    public static func transactionTopic(
        _ configuration: Configuration
    ) throws(ConnectorError) -> CapturedTransactionTopic? {
        try CaptureSettings(configuration).transactions
    }

    /// Only reading tables and no changes comes to an end.
    public var isBounded: Bool { settings.snapshotMode == .initialOnly }

    /// Reads tables, then changes, until it is told to stop.
    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let coordinator = SnapshotCoordinator.join(context.stateDirectory)
        defer { SnapshotCoordinator.leave(context.stateDirectory) }
        coordinator.register(outlet.makeWaker())
        let database = Database(settings.connection)
        let stream = ChangeStream(settings.capture, of: try source(database), into: outlet)
        let tables = TableMap(settings, stream, TableCatalog(database: database))
        let shared = SharedSnapshot(coordinator, database, tables, stream, outlet, settings)
        guard context.taskID == 0 else { return try await shared.work() }
        let capture = Capture(
            settings,
            context,
            database,
            stream,
            tables,
            outlet,
            coordinator: coordinator,
            shared: shared
        )
        do throws(ConnectorError) {
            try await capture.run(from: positions) { progress = $0 }
        } catch {
            coordinator.close()
            throw error
        }
        coordinator.close()
    }

    private func source(_ database: Database) throws(ConnectorError) -> CaptureSource {
        CaptureSource(
            connector: "postgresql",
            database: try database.connection().database,
            defaultSchema: Self.defaultSchema,
            positionField: "lsn",
            hasSequence: true
        )
    }

    /// Lets the server forget what is durable now.
    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        for position in positions where position.partition == StreamPosition.partition {
            progress?.acknowledge(position.offset)
        }
    }
}
