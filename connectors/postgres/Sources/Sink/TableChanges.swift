internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// Makes and changes tables within the transaction that writes to them.
///
/// A refused record must leave nothing behind, so the batch at hand is set apart first.
internal struct TableChanges {
    private let connection: SinkConnection

    internal init(_ connection: SinkConnection) { self.connection = connection }

    /// Makes a table from the fields of the first records.
    internal func create(
        _ name: TableName,
        _ fields: FieldMapping,
        _ batch: RecordBatch
    ) throws(ConnectorError) {
        guard !fields.items.isEmpty else {
            throw .unmapped(
                "no_fields",
                "The record has no field that a table could be created from."
            )
        }
        var parts: [String] = []
        for item in fields.items {
            let type = try declaration(of: item, batch, name)
            parts.append("\(TableMapping.SQLText.quote(item.name)) \(type)")
        }
        let key = fields.key.map(\.name)
        if !key.isEmpty { parts.append("PRIMARY KEY (\(TableMapping.SQLText.quote(key)))") }
        try change("CREATE TABLE \(name.quoted) (\(parts.joined(separator: ", ")))", name)
    }

    /// Adds a column.
    internal func add(
        _ item: FieldMapping.Item,
        to table: TableName,
        _ batch: RecordBatch
    ) throws(ConnectorError) {
        let type = try declaration(of: item, batch, table)
        let column = "\(TableMapping.SQLText.quote(item.name)) \(type)"
        try change("ALTER TABLE \(table.quoted) ADD COLUMN \(column)", table)
    }

    /// Gives a column a wider type.
    internal func widen(
        _ column: String,
        of table: TableName,
        to type: String
    ) throws(ConnectorError) {
        let name = TableMapping.SQLText.quote(column)
        try change("ALTER TABLE \(table.quoted) ALTER COLUMN \(name) TYPE \(type)", table)
    }

    private func declaration(
        of item: FieldMapping.Item,
        _ batch: RecordBatch,
        _ table: TableName
    ) throws(ConnectorError) -> String {
        let known = try connection.ask(table) { connection throws(PostgresFailure) in
            try ColumnDesign.declaration(of: item.field, on: connection)
        }
        if let known { return known }
        // Values of several types have only a text in common.
        return ColumnDesign.declaration(of: item.cells(of: batch)) ?? "text"
    }

    private func change(_ sql: String, _ table: TableName) throws(ConnectorError) {
        try connection.setApart()
        var failure: PostgresFailure?
        try connection.ask(table) { connection throws(PostgresFailure) in
            do throws(PostgresFailure) {
                try connection.execute(sql)
            } catch {
                failure = error
            }
        }
        if let failure { throw Self.error(failure, table) }
    }

    private static func error(_ failure: PostgresFailure, _ table: TableName) -> ConnectorError {
        var error = ConnectorError.postgres(failure, "create or change table \(table.text)")
        switch failure.state {
        case .duplicateTable, .duplicateColumn, .duplicateObject, .uniqueViolation:
            // Another task did it at the same time; next time it is there.
            error.disposition = .retry(after: .zero)
        case .insufficientPrivilege:
            error.hint =
                "Grant the user CREATE on the schema, or create the table and set auto.create and "
                + "auto.evolve to false."
        case .noSuchSchema:
            error.disposition = .failTask
            error.kind = .configuration
            error.configurationKey = "table.name.format"
            error.hint = "Create the schema, or name another before the dot."
        default: break
        }
        return error
    }
}
