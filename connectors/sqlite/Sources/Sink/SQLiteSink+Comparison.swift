public import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
public import TableComparison
internal import TableMapping

extension SQLiteSink: ComparableSink {
    public static func comparableTable(
        forTopic topic: String,
        table: String,
        key: [String],
        _ configuration: Configuration
    ) throws(ConnectorError) -> (any RepairableTable)? {
        let settings = try SinkSettings(configuration)
        return try KeyedSQLiteTable(
            try settings.tables.tableName(ofTable: table, inTopic: topic),
            path: settings.path,
            busyTimeout: settings.busyTimeout,
            mode: .readWrite,
            otherKey: key
        )
    }
}
