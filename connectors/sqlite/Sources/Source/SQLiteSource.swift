public import ConnectorSDK
internal import TableMapping

/// Reads tables, views or a query of a SQLite database.
///
/// Rows are read in the order of a key, a page at a time and each page in a transaction of its
/// own, so that reading goes on anywhere and never keeps others from writing.
public final class SQLiteSource: SourceConnector {
    public static let name = "sqlite"
    public static let summary = "Reads tables, views or a query of a SQLite database."
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
            let names = try names(in: database)
            if let lost = readers.keys.first(where: { !names.contains($0) }) {
                // Says that it is gone.
                _ = try database.relation(lost)
            }
            for name in names where !outlet.isStopping {
                let reader: RelationReader
                if let known = readers[name] {
                    reader = known
                } else {
                    reader = try RelationReader(
                        name,
                        in: database,
                        from: positions[name],
                        logger: context.logger
                    )
                    readers[name] = reader
                }
                try await reader.readRound(into: outlet, isOnly: isBounded)
            }
            if isBounded { break }
            try await outlet.idle(for: settings.tables.pollInterval)
        }
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}

    /// The names that are this task's share.
    private func names(in database: SourceDatabase) throws(ConnectorError) -> [String] {
        let names = try database.selectedNames()
        guard !names.isEmpty || !isBounded else {
            throw .invalid(
                "table.include.list",
                "No table of \(settings.path) is to be read.",
                hint: "The patterns must match whole names, such as `orders|order_.*`."
            )
        }
        return names.filter {
            TaskShare.task(of: $0, among: context.taskCount) == context.taskID
        }
    }
}
