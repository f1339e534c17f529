internal import ChangeCapture
public import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
public import TableComparison

extension SQLiteCDCSource: ComparableSource {
    public static func comparableTables(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [SourceTable] {
        let settings = try CDCSettings(configuration)
        let database = try CaptureDatabase(settings, mode: .readOnly)
        let names = try database.attempt("look at the tables") { () throws(SQLiteFailure) in
            try Reconciliation.tables(in: database)
        }
        var tables: [SourceTable] = []
        for name in names where settings.includes(name) {
            let table = try KeyedSQLiteTable(
                name,
                path: settings.path,
                busyTimeout: settings.busyTimeout,
                mode: .readOnly
            )
            guard let table else { continue }
            let topic = settings.capture.topic(ofTable: name, in: nil)
            tables.append(SourceTable(topic: topic, tableName: name, table: table))
        }
        return tables
    }
}
