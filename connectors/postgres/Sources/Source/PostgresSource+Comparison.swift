public import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
public import TableComparison
internal import TableMapping

extension PostgresSource: ComparableSource {
    /// Opens the tables that are read, each on a connection of its own.
    public static func comparableTables(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [SourceTable] {
        let settings = try SourceSettings(configuration)
        guard settings.tables.query == nil else { return [] }
        var tables: [SourceTable] = []
        for entry in try SourceDatabase(settings).selected() {
            let database = try SourceDatabase(settings)
            let table = try database.run("look at the table \(entry.fullName)") {
                connection throws(PostgresFailure) in
                try PostgresCatalog(connection).describe(entry)
            }
            guard let table else { continue }
            tables.append(
                SourceTable(
                    topic: settings.tables.topic(ofTable: entry.fullName),
                    tableName: entry.name,
                    table: try KeyedPostgresTable(table, on: database.connection)
                )
            )
        }
        return tables
    }
}
