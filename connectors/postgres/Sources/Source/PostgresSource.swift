public import ConnectorSDK
internal import PostgresRecords
internal import TableMapping

/// Reads tables, views or a query of a PostgreSQL database, by COPY.
///
/// Rows are read in the order of a key, so that reading goes on anywhere; by an incrementing
/// column or a timestamp no row is passed over, in whatever order transactions commit.
public final class PostgresSource: SourceConnector {
    public static let name = "postgres"
    public static let summary = "Reads tables, views or a query of a PostgreSQL database."
    public static var configuration: ConfigSpec { SourceSettings.specification }

    private let settings: SourceSettings
    private let context: ConnectorContext

    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try SourceSettings(configuration)
        self.context = context
    }

    public var isBounded: Bool { context.untilEnd || settings.tables.pollInterval == .zero }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let database = try SourceDatabase(settings)
        var readers: [String: RelationReader] = [:]
        while !outlet.isStopping {
            for relation in try relations(in: database) where !outlet.isStopping {
                let reader: RelationReader
                if let known = readers[relation.name] {
                    reader = known
                } else {
                    reader = try RelationReader(
                        relation,
                        in: database,
                        from: positions[relation.name],
                        logger: context.logger
                    )
                    readers[relation.name] = reader
                }
                try await reader.readRound(relation, into: outlet, isOnly: isBounded)
            }
            if isBounded { break }
            try await outlet.idle(for: settings.tables.pollInterval)
        }
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}

    /// What is this task's share, as it is now.
    private func relations(in database: SourceDatabase) throws(ConnectorError) -> [Relation] {
        if let query = settings.tables.query {
            return context.taskID == 0 ? [Relation(query: query, settings)] : []
        }
        let entries = try database.selected()
        guard !entries.isEmpty || !isBounded else {
            throw .invalid(
                "table.include.list",
                "No table of the database is to be read.",
                hint: "The patterns must match whole names with their schema, such as "
                    + "`public.orders` or `public.order_.*`."
            )
        }
        var relations: [Relation] = []
        for entry in entries
        where TaskShare.task(of: entry.fullName, among: context.taskCount) == context.taskID {
            relations.append(try database.relation(entry))
        }
        return relations
    }
}
