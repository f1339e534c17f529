public import ConnectorSDK
public import TableMapping

/// What a table or column that does not exist yet should be like.
public enum TableDesign {
    /// A column to be made.
    public struct Column {
        /// Its name.
        public var name: String
        /// The declared type; empty for none, so that every value stays as it is.
        public var type: String
    }

    /// The statement that makes a table.
    public static func createTable(
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
    public static func addColumn(_ column: Column, to table: String) -> String {
        "ALTER TABLE \(SQLText.quote(table)) ADD COLUMN \(declaration(column))"
    }

    private static func declaration(_ column: Column) -> String {
        column.type.isEmpty
            ? SQLText.quote(column.name) : "\(SQLText.quote(column.name)) \(column.type)"
    }

    /// The column for a field: of the type that the schema promises, else one that its first
    /// values suggest and in which every other value stays as it is.
    public static func column(for item: FieldMapping.Item, cells: some Sequence<Cell>) -> Column {
        let type = DeclaredType(for: item.field).text
        return Column(name: item.name, type: type.isEmpty ? Self.type(of: cells) : type)
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

    /// The column for the only field of a primary key.
    ///
    /// Integers become the row id itself: half the work of an index beside it.
    public static func onlyKeyColumn(
        for item: FieldMapping.Item,
        cells: some Sequence<Cell>
    ) -> Column {
        guard item.field.type == .any, cells.allSatisfy({ $0.tag == .int }) else {
            return column(for: item, cells: cells)
        }
        return Column(name: item.name, type: "INTEGER")
    }
}
