public import ConnectorSDK
public import PostgresClient
public import TableComparison

/// A table of PostgreSQL, read and changed by its key, for `verify`.
///
/// It is read through one cursor, so that all its rows are of one moment.
public final class KeyedPostgresTable: RepairableTable {
    /// The name with its schema.
    public let name: String
    /// The columns.
    public let columns: [String]
    /// The key's columns.
    public let key: [String]
    private let table: PostgresTable
    private let connection: PostgresConnection
    private let decoders: [CellDecoder]
    private let schema: Schema
    /// The key behind which the open cursor goes on.
    private var cursor: [Value]?

    /// Opens a table; `otherKey` orders the rows of one that has no key of its own.
    public init(
        _ table: PostgresTable,
        on connection: PostgresConnection,
        otherKey: [String] = []
    ) throws(ConnectorError) {
        self.table = table
        self.connection = connection
        name = table.fullName
        columns = table.columns.map(\.name)
        let names = Set(columns)
        key = otherKey.isEmpty ? table.key : otherKey.filter(names.contains)
        var types = TypeMapper()
        var fields: [Field] = []
        var decoders: [CellDecoder] = []
        do throws(PostgresFailure) {
            for column in table.columns {
                let type = try types.type(column.type, modifier: column.modifier, on: connection)
                fields.append(type.field(column.name))
                decoders.append(CellDecoder(type))
            }
        } catch {
            throw .postgres(error, "look at the table \(table.fullName)")
        }
        schema = Schema(fields)
        self.decoders = decoders
    }

    /// Adds rows behind a key, in the order of the key.
    ///
    /// - Throws: what the server said.
    public func read(
        after key: [Value]?,
        limit: Int,
        into batch: RecordBatch
    ) throws(ConnectorError) {
        try run("read the table \(name)") { () throws(PostgresFailure) in
            if cursor == nil || cursor != key {
                if connection.transactionStatus != .idle { try connection.execute("ROLLBACK") }
                try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                try connection.execute("DECLARE rows NO SCROLL CURSOR FOR \(select(after: key))")
            }
            try fill(batch, from: try connection.execute("FETCH \(limit) FROM rows"))
            if batch.count < limit {
                cursor = nil
                try connection.execute("COMMIT")
            } else {
                cursor = self.key.map { batch.value(batch.count - 1, $0) }
            }
        }
    }

    /// Adds the row with a key.
    ///
    /// - Throws: what the server said.
    public func read(key: [Value], into batch: RecordBatch) throws(ConnectorError) {
        let sql = "SELECT \(list) FROM \(table.sql) WHERE \(condition(key))"
        try run("read the table \(name)") { () throws(PostgresFailure) in
            try fill(batch, from: try connection.execute(sql))
        }
    }

    /// Makes rows what they should be.
    ///
    /// - Throws: what the server said; then nothing was changed.
    public func apply(_ batch: RecordBatch, deleting keys: [[Value]]) throws(ConnectorError) {
        try run("repair the table \(name)") { () throws(PostgresFailure) in
            try connection.execute("BEGIN")
            do throws(PostgresFailure) {
                for key in keys {
                    try connection.execute("DELETE FROM \(table.sql) WHERE \(condition(key))")
                }
                for row in batch.indices { try write(batch, row) }
                try connection.execute("COMMIT")
            } catch {
                if !error.isConnectionLost { try connection.execute("ROLLBACK") }
                throw error
            }
        }
    }

    // MARK: - SQL

    private var list: String {
        columns.map { SQLText.identifier($0) }.joined(separator: ", ")
    }

    /// The rows in an order that is the same in every database.
    private func select(after key: [Value]?) -> String {
        let terms = self.key.map { name in
            let isCollated = table.columns.contains { $0.name == name && $0.isCollated }
            return SQLText.identifier(name) + (isCollated ? " COLLATE \"C\"" : "")
        }
        var sql = "SELECT \(list) FROM \(table.sql)"
        if let key {
            let values = key.map(Self.literal).joined(separator: ", ")
            sql += " WHERE (\(terms.prefix(key.count).joined(separator: ", "))) > (\(values))"
        }
        return sql + " ORDER BY \(terms.joined(separator: ", "))"
    }

    private func condition(_ key: [Value]) -> String {
        zip(self.key, key).map { "\(SQLText.identifier($0)) = \(Self.literal($1))" }
            .joined(separator: " AND ")
    }

    private func write(_ batch: RecordBatch, _ row: Int) throws(PostgresFailure) {
        let names = batch.schema.names
        let values = names.map { batch.value(row, $0) }
        let rowKey = key.map { batch.value(row, $0) }
        let changes = zip(names, values).filter { !key.contains($0.0) }
            .map { "\(SQLText.identifier($0)) = \(Self.literal($1))" }
        let found = try connection.execute(
            changes.isEmpty
                ? "SELECT FROM \(table.sql) WHERE \(condition(rowKey))"
                : "UPDATE \(table.sql) SET \(changes.joined(separator: ", ")) "
                    + "WHERE \(condition(rowKey))"
        )
        if max(found.affectedRows, found.rowCount) > 0 { return }
        let columns = names.map { SQLText.identifier($0) }.joined(separator: ", ")
        let literals = values.map(Self.literal).joined(separator: ", ")
        try connection.execute("INSERT INTO \(table.sql) (\(columns)) VALUES (\(literals))")
    }

    /// A value as a literal of no type, which the server takes for what the column is.
    private static func literal(_ value: Value) -> String {
        switch value {
        case .missing, .null: "NULL"
        case .bool(let truth): truth ? "'t'" : "'f'"
        case .int(let number): "'\(number)'"
        case .double(let number): "'\(number)'"
        case .decimal(let text), .string(let text), .json(let text): SQLText.literal(text)
        case .bytes(let bytes):
            "'\\x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "'"
        case .date(let days): time(Cell(tag: .date, bits: UInt64(bitPattern: days)))
        case .time(let time): self.time(Cell(tag: .time, bits: UInt64(bitPattern: time)))
        case .timestamp(let instant): time(.timestamp(microseconds: instant))
        case .localTimestamp(let time):
            self.time(Cell(tag: .localTimestamp, bits: UInt64(bitPattern: time)))
        }
    }

    private static func time(_ cell: Cell) -> String {
        TimeText.text(cell).map(SQLText.literal) ?? "NULL"
    }

    // MARK: - Rows

    private func run(
        _ action: String,
        _ body: () throws(PostgresFailure) -> Void
    ) throws(ConnectorError) {
        do throws(PostgresFailure) {
            try body()
        } catch {
            throw .postgres(error, action)
        }
    }

    private func fill(_ batch: RecordBatch, from result: PostgresResult) throws(PostgresFailure) {
        batch.reset(topic: name, schema: schema)
        for row in 0..<result.rowCount {
            let target = batch.appendRow()
            for (column, decoder) in decoders.enumerated() {
                guard !result.isNull(row, column) else {
                    batch[target, column] = .null
                    continue
                }
                let text = batch.arena.copy(result.bytes(row, column))
                guard let cell = decoder.cell(text: text, &batch.arena) else {
                    throw .client("A value of \(name).\(columns[column]) cannot be read.")
                }
                batch[target, column] = cell
            }
        }
    }
}
