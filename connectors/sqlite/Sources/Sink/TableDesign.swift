internal import ConnectorSDK
internal import TableMapping

/// What a table or column that does not exist yet should be like.
internal enum TableDesign {
    /// A column to be made.
    internal struct Column {
        internal var name: String
        /// The declared type; empty for none, so that every value stays as it is.
        internal var type: String
    }

    /// The statement that makes a table.
    internal static func createTable(
        _ name: String,
        key: [Column],
        columns: [Column]
    ) -> String {
        var parts: [String] = []
        let rowID = key.count == 1 && key[0].type == "INTEGER"
        for column in key {
            let constraint = rowID ? " PRIMARY KEY" : " NOT NULL"
            parts.append(declaration(column) + constraint)
        }
        parts += columns.map(declaration)
        if !key.isEmpty, !rowID { parts.append("PRIMARY KEY (\(SQLText.quote(key.map(\.name))))") }
        return "CREATE TABLE \(SQLText.quote(name)) (\(parts.joined(separator: ", ")))"
    }

    /// The statement that adds a column.
    internal static func addColumn(_ column: Column, to table: String) -> String {
        "ALTER TABLE \(SQLText.quote(table)) ADD COLUMN \(declaration(column))"
    }

    private static func declaration(_ column: Column) -> String {
        column.type.isEmpty
            ? SQLText.quote(column.name) : "\(SQLText.quote(column.name)) \(column.type)"
    }

    /// The declared type for a field: what its schema promises, else what its first values are.
    ///
    /// D6: a declared numeric type would turn a later "007" into 7. So a field without a declared
    /// type gets a column without one, in which SQLite keeps every value as it comes; only texts
    /// get TEXT, where numbers are written as their digits.
    internal static func type(
        of field: Field,
        cells: some Sequence<Cell>
    ) -> String {
        switch field.type {
        case .any: return type(of: cells)
        case .bool: return "BOOLEAN"
        case .int16, .int32, .int64: return "INTEGER"
        case .float, .double: return "REAL"
        case .decimal(let precision, let scale):
            // More digits than a double keeps would be rounded by any numeric type.
            guard let precision, precision <= 15 else { return "" }
            return "DECIMAL(\(precision), \(scale ?? 0))"
        case .string, .uuid, .json, .object, .date, .time, .timestamp, .localTimestamp:
            return "TEXT"
        case .bytes: return "BLOB"
        }
    }

    private static func type(of cells: some Sequence<Cell>) -> String {
        var isText = true
        var isBytes = true
        var isEmpty = true
        for cell in cells where !cell.isNil {
            isEmpty = false
            isText = isText && (cell.tag == .string || cell.tag == .json)
            isBytes = isBytes && cell.tag == .bytes
        }
        if isEmpty { return "" }
        return isText ? "TEXT" : isBytes ? "BLOB" : ""
    }

    /// The declared type for the only field of a primary key.
    ///
    /// Integers become the row id itself: half the work of an index beside it.
    internal static func singleKeyType(
        of field: Field,
        cells: some Sequence<Cell>
    ) -> String {
        guard field.type == .any else { return type(of: field, cells: cells) }
        return cells.allSatisfy { $0.tag == .int } ? "INTEGER" : type(of: cells)
    }
}
