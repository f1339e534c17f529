public import ConnectorSDK
public import TableComparison
internal import ChangeCapture
internal import PostgresClient
internal import PostgresRecords

extension PostgresCDCSource: ComparableSource {
    /// Opens the captured tables, each on a connection of its own.
    ///
    /// Columns that are left out or masked are not compared.
    public static func comparableTables(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [SourceTable] {
        let settings = try CDCSettings(configuration)
        let database = Database(settings.connection)
        let publication = try Publication.find(settings.publication, database)
        var tables: [SourceTable] = []
        for captured in try TableCatalog(database: database).captured(settings, by: publication) {
            let connection = try database.connect()
            guard let table = try describe(captured, settings, on: connection) else { continue }
            tables.append(
                SourceTable(
                    topic: settings.capture.topic(ofTable: captured.name, in: captured.schema),
                    tableName: captured.schema == defaultSchema
                        ? captured.name : captured.fullName,
                    table: try KeyedPostgresTable(table, on: connection, otherKey: captured.key)
                )
            )
        }
        return tables
    }

    private static func describe(
        _ captured: CatalogTable,
        _ settings: CDCSettings,
        on connection: PostgresConnection
    ) throws(ConnectorError) -> PostgresTable? {
        do throws(PostgresFailure) {
            let found = try PostgresCatalog(connection)
                .find(schema: captured.schema, captured.name)
            guard var table = found else { return nil }
            table.columns.removeAll { column in
                !captured.key.contains(column.name)
                    && !(captured.columns.contains { $0.name == column.name }
                        && settings.capture.tellsAsIs(
                            column: column.name,
                            of: captured.fullName
                        ))
            }
            return table
        } catch {
            throw CDCError.server(error, "look at the table `\(captured.fullName)`")
        }
    }
}
