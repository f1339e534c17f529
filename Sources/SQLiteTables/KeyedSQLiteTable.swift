public import ConnectorSDK
public import SQLiteClient
public import TableComparison
internal import TableMapping

/// A table of a SQLite database, read and changed by its key for `verify`.
public final class KeyedSQLiteTable: RepairableTable {
    /// The table's name.
    public let name: String
    /// The columns that hold data.
    public let columns: [String]
    /// The columns of the key.
    public let key: [String]
    private let schema: Schema
    private let path: String
    private let handle: SQLiteHandle

    /// Opens a table; `nil` when there is none of that name.
    ///
    /// `otherKey` orders the rows of a table that has no key of its own.
    public init?(
        _ name: String,
        path: String,
        busyTimeout: Duration,
        mode: SQLiteHandle.Mode,
        otherKey: [String] = []
    ) throws(ConnectorError) {
        self.path = path
        do throws(SQLiteFailure) {
            handle = try SQLiteHandle(path: path, mode: mode, busyTimeout: busyTimeout)
            guard let table = try TableDescription(name, in: handle) else { return nil }
            self.name = table.name
            columns = table.columns.filter { !$0.isGenerated }.map(\.name)
            let own = table.keyColumns.map(\.name)
            key = otherKey.isEmpty ? own : otherKey.compactMap { table.column($0)?.name }
            schema = Schema(columns)
        } catch {
            throw .sqlite(error, "look at the table \(name)", path: path)
        }
    }

    /// Adds rows behind a key, in the order of the key.
    ///
    /// - Throws: what SQLite says.
    public func read(
        after key: [Value]?,
        limit: Int,
        into batch: RecordBatch
    ) throws(ConnectorError) {
        let order = keyOrder.joined(separator: ", ")
        var sql = "SELECT \(SQLText.quote(columns)) FROM \(SQLText.quote(name))"
        if let key {
            let places = key.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
            let ordered = keyOrder.prefix(key.count).joined(separator: ", ")
            sql += " WHERE (\(ordered)) > (\(places))"
        }
        try read(sql + " ORDER BY \(order) LIMIT \(limit)", key ?? [], into: batch)
    }

    /// Adds the row with a key.
    ///
    /// - Throws: what SQLite says.
    public func read(key: [Value], into batch: RecordBatch) throws(ConnectorError) {
        let sql = "SELECT \(SQLText.quote(columns)) FROM \(SQLText.quote(name)) WHERE \(condition)"
        try read(sql, key, into: batch)
    }

    /// Makes rows, and deletes those with these keys, all or nothing.
    ///
    /// - Throws: what SQLite says.
    public func apply(_ batch: RecordBatch, deleting keys: [[Value]]) throws(ConnectorError) {
        do throws(SQLiteFailure) {
            try handle.execute("BEGIN IMMEDIATE")
            do throws(SQLiteFailure) {
                try delete(keys)
                try write(batch)
                try handle.execute("COMMIT")
            } catch {
                try? handle.execute("ROLLBACK")
                throw error
            }
        } catch {
            throw .sqlite(error, "repair the table \(name)", path: path)
        }
    }

    // MARK: - SQL

    /// Text byte by byte, whatever the column's collation.
    private var keyOrder: [String] { key.map { "\(SQLText.quote($0)) COLLATE BINARY" } }

    private var condition: String {
        key.enumerated().map { "\(SQLText.quote($1)) = ?\($0 + 1)" }.joined(separator: " AND ")
    }

    private func read(
        _ sql: String,
        _ parameters: [Value],
        into batch: RecordBatch
    ) throws(ConnectorError) {
        batch.reset(topic: name, schema: schema)
        do throws(SQLiteFailure) {
            let statement = try handle.prepare(sql)
            for (index, value) in parameters.enumerated() {
                try statement.bind(index + 1, value)
            }
            while try statement.step() {
                let row = batch.appendRow()
                for column in columns.indices {
                    batch[row, column] = cell(statement, column, batch)
                }
            }
        } catch {
            throw .sqlite(error, "read the table \(name)", path: path)
        }
    }

    private func cell(_ statement: SQLiteStatement, _ column: Int, _ batch: RecordBatch) -> Cell {
        switch statement.storageClass(column) {
        case .null: .null
        case .integer: .int(statement.int64(column))
        case .real: .double(statement.double(column))
        case .text: .slice(.string, batch.arena.copy(statement.text(column)))
        case .blob: .slice(.bytes, batch.arena.copy(statement.blob(column)))
        }
    }

    // MARK: - Writing

    private func delete(_ keys: [[Value]]) throws(SQLiteFailure) {
        guard !keys.isEmpty else { return }
        let statement = try handle.prepare(
            "DELETE FROM \(SQLText.quote(name)) WHERE \(condition)"
        )
        for key in keys {
            for (index, value) in key.enumerated() { try statement.bind(index + 1, value) }
            try statement.run()
            statement.reset()
        }
    }

    /// Changes the row that has the key, or adds one where there is none.
    private func write(_ batch: RecordBatch) throws(SQLiteFailure) {
        guard batch.count > 0 else { return }
        let names = batch.schema.names
        let table = SQLText.quote(name)
        let keyPlaces = key.map { (names.firstIndex(of: $0) ?? 0) + 1 }
        let match = zip(key, keyPlaces).map { "\(SQLText.quote($0)) = ?\($1)" }
            .joined(separator: " AND ")
        let changes = names.enumerated().filter { !key.contains($0.element) }
            .map { "\(SQLText.quote($0.element)) = ?\($0.offset + 1)" }.joined(separator: ", ")
        let places = names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        let insert = try handle.prepare(
            "INSERT INTO \(table) (\(SQLText.quote(names))) SELECT \(places) "
                + "WHERE NOT EXISTS (SELECT 1 FROM \(table) WHERE \(match))"
        )
        let update =
            changes.isEmpty
            ? nil : try handle.prepare("UPDATE \(table) SET \(changes) WHERE \(match)")
        for row in batch.indices {
            for statement in [update, insert].compactMap({ $0 }) {
                for column in names.indices {
                    try statement.bind(column + 1, Value(batch[row, column]))
                }
                try statement.run()
                statement.reset()
            }
        }
    }
}

extension SQLiteStatement {
    /// Binds a value in the form in which the sink stores it.
    fileprivate func bind(_ parameter: Int, _ value: Value) throws(SQLiteFailure) {
        switch value {
        case .missing, .null: try bindNull(parameter)
        case .bool(let truth): try bind(parameter, Int64(truth ? 1 : 0))
        case .int(let number): try bind(parameter, number)
        case .double(let number): try bind(parameter, number)
        case .decimal(let text):
            // As a number where a double keeps all its digits.
            if text.utf8.count(where: { $0 &- 0x30 <= 9 }) <= 15, let number = Double(text) {
                try bind(parameter, number)
            } else {
                try bind(parameter, text)
            }
        case .string(let text), .json(let text): try bind(parameter, text)
        case .bytes(let bytes):
            let failure: SQLiteFailure? = bytes.withUnsafeBytes { buffer in
                do throws(SQLiteFailure) {
                    try bindBlob(parameter, buffer)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw failure }
        case .date(let days):
            try bindTime(parameter, Cell(tag: .date, bits: UInt64(bitPattern: days)))
        case .time(let time):
            try bindTime(parameter, Cell(tag: .time, bits: UInt64(bitPattern: time)))
        case .timestamp(let instant):
            try bindTime(parameter, .timestamp(microseconds: instant))
        case .localTimestamp(let time):
            try bindTime(parameter, Cell(tag: .localTimestamp, bits: UInt64(bitPattern: time)))
        }
    }

    private func bindTime(_ parameter: Int, _ cell: Cell) throws(SQLiteFailure) {
        if let text = TimeText.text(cell) {
            try bind(parameter, text)
        } else {
            try bindNull(parameter)
        }
    }
}
