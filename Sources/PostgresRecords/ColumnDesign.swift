public import ConnectorSDK
public import PostgresClient

/// What columns that do not exist yet should be like.
public enum ColumnDesign {
    /// The declaration of a column for a field whose schema says what it is; `nil` when it does not.
    ///
    /// - Parameters:
    ///   - field: the field; its native type counts first, if the server has such a type.
    ///   - connection: the server that is to have the column.
    /// - Returns: the type as a statement names it.
    /// - Throws: what the server or the connection said.
    public static func declaration(
        of field: Field,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> String? {
        if let native = try nativeDeclaration(of: field, on: connection) { return native }
        return declaration(of: field.type)
    }

    /// The source's own type, if it was PostgreSQL's and exists here too.
    private static func nativeDeclaration(
        of field: Field,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> String? {
        guard let native = field.nativeType, native.hasPrefix(ColumnType.nativePrefix) else {
            return nil
        }
        let name = String(native.dropFirst(ColumnType.nativePrefix.count))
        for candidate in [name, Self.withoutSchema(name)]
        where try isType(candidate, on: connection) {
            return candidate
        }
        return nil
    }

    /// Whether the server takes a text for a type, and nothing else: it comes from a record, and is
    /// to become part of a statement.
    private static func isType(
        _ name: String,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> Bool {
        let isNested = connection.transactionStatus == .inTransaction
        if isNested { try connection.execute("SAVEPOINT millrace_type") }
        do throws(PostgresFailure) {
            let result = try connection.query("SELECT to_regtype($1) IS NOT NULL", [.text(name)])
            if isNested { try connection.execute("RELEASE millrace_type") }
            return result.bool(0, 0) ?? false
        } catch  where error.origin == .server && !error.isConnectionLost {
            // Older servers report what is no type at all as an error of syntax.
            if isNested { try connection.execute("ROLLBACK TO millrace_type") }
            return false
        }
    }

    private static func withoutSchema(_ name: String) -> String {
        guard let dot = name.firstIndex(of: "."), !name.hasPrefix("\"") else { return name }
        return String(name[name.index(after: dot)...])
    }

    /// The declaration for a type that a schema names; `nil` for ``FieldType/any``.
    public static func declaration(of type: FieldType) -> String? {
        switch type {
        case .any: nil
        case .bool: "boolean"
        case .int16: "smallint"
        case .int32: "integer"
        case .int64: "bigint"
        case .float: "real"
        case .double: "double precision"
        case .decimal(let precision, let scale): numeric(precision, scale)
        case .string: "text"
        case .bytes: "bytea"
        case .json, .object: "jsonb"
        case .date: "date"
        case .time: "time"
        case .timestamp: "timestamptz"
        case .localTimestamp: "timestamp"
        case .uuid: "uuid"
        }
    }

    private static func numeric(_ precision: Int?, _ scale: Int?) -> String {
        guard let precision, (1...1_000).contains(precision), (0...precision).contains(scale ?? 0)
        else { return "numeric" }
        return "numeric(\(precision),\(scale ?? 0))"
    }

    /// The declaration for a field without a declared type, from the first values.
    ///
    /// D6: numbers that are not all integers become `numeric`, which keeps every digit; values of
    /// several types become `text` if that keeps them apart, which is for the caller to know.
    public static func declaration(of cells: some Sequence<Cell>) -> String? {
        var found: String?
        for cell in cells where !cell.isNil {
            let next = declaration(of: cell)
            switch (found, next) {
            case (nil, _): found = next
            case ("bigint", "numeric"), ("numeric", "bigint"): found = "numeric"
            case ("bigint", "double precision"), ("numeric", "double precision"),
                ("double precision", "bigint"), ("double precision", "numeric"):
                found = "numeric"
            case (let known?, _) where known == next: continue
            default: return nil
            }
        }
        return found
    }

    private static func declaration(of cell: Cell) -> String {
        switch cell.tag {
        case .bool: "boolean"
        case .int: "bigint"
        case .double: "double precision"
        case .decimal, .number: "numeric"
        case .bytes: "bytea"
        case .json: "jsonb"
        case .date: "date"
        case .time: "time"
        case .timestamp: "timestamptz"
        case .localTimestamp: "timestamp"
        case .string, .missing, .null: "text"
        }
    }
}
