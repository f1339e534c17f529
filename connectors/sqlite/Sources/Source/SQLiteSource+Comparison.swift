public import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
public import TableComparison
internal import TableMapping

extension SQLiteSource: ComparableSource {
    public static func comparableTables(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [SourceTable] {
        let settings = try SourceSettings(configuration)
        guard settings.tables.query == nil else { return [] }
        var tables: [SourceTable] = []
        for name in try SourceDatabase(settings).selectedNames() {
            let table = try KeyedSQLiteTable(
                name,
                path: settings.path,
                busyTimeout: settings.busyTimeout,
                mode: .readOnly
            )
            guard let table else { continue }
            let topic = settings.tables.topic(ofTable: name)
            tables.append(SourceTable(topic: topic, tableName: name, table: table))
        }
        return tables
    }
}
