public import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
public import TableComparison
internal import TableMapping

extension PostgresSink: ComparableSink {
    /// Opens the table that the rows of a captured table go to.
    public static func comparableTable(
        forTopic topic: String,
        table: String,
        key: [String],
        _ configuration: Configuration
    ) throws(ConnectorError) -> (any RepairableTable)? {
        let settings = try SinkSettings(configuration)
        let name = settings.table(
            try settings.tables.tableName(ofTable: table, inTopic: topic)
        )
        let connection: PostgresConnection
        let found: PostgresTable?
        do throws(PostgresFailure) {
            connection = try PostgresConnection(settings.connection)
        } catch {
            throw .postgres(connecting: error, settings.connection)
        }
        do throws(PostgresFailure) {
            found = try PostgresCatalog(connection).find(schema: name.schema, name.name)
        } catch {
            throw .postgres(error, "look at the table \(name.text)")
        }
        guard let found else { return nil }
        return try KeyedPostgresTable(found, on: connection, otherKey: key)
    }
}
